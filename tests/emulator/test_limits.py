"""Rate limits, ramp limits, the spend limit and the batch queue."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import anthropic
import pytest
from anthropic import Anthropic
from hypothesis import given
from hypothesis import strategies as st
from sending import BODY, HI, MODEL, send_to

from fanwise.emulator import Emulator
from fanwise.emulator.limits import LEVELS, Limiter, RateBucket, pool_of
from fanwise.emulator.problems import ApiProblem

STILL = 1e-6
"""A clock that all but stands, so that nothing refills while a slow machine asks."""
COUNTED = {"model": MODEL, "messages": HI}
KINDS = ("requests", "tokens", "input-tokens", "output-tokens")


def ask(emulator: Emulator, **changes: Any) -> tuple[int, dict[str, Any], dict[str, str]]:
    return send_to(emulator.url, "/v1/messages", {**BODY, **changes})


@pytest.mark.rule("limit-headers", "limits-off")
def test_twelve_headers_with_a_level_and_none_without(emulator: Emulator) -> None:
    assert not [name for name in ask(emulator)[2] if name.startswith("anthropic-ratelimit")]
    with Emulator(level="start") as limited:
        headers = ask(limited)[2]
        names = {f"anthropic-ratelimit-{kind}-{end}" for kind in KINDS for end in ("limit", "remaining", "reset")}
        assert {name for name in headers if name.startswith("anthropic-ratelimit")} == names
        assert headers["anthropic-ratelimit-requests-limit"] == "1000"
        assert headers["anthropic-ratelimit-requests-remaining"] == "999"
        assert headers["anthropic-ratelimit-input-tokens-remaining"] == "2000000", "rounded to thousands"


@pytest.mark.rule("limit-buckets", "limit-burst")
def test_a_bucket_empties_refuses_and_refills(emulator: Emulator) -> None:
    with Emulator(level="start", burst_s=0.6, clock_speed=STILL) as limited:
        assert [ask(limited)[0] for _ in range(10)] == [200] * 10
        status, reply, headers = ask(limited)
        assert (status, reply["error"]["type"]) == (429, "rate_limit_error")
        assert int(headers["retry-after"]) >= 1
        assert ask(limited, model="claude-opus-5-5")[0] == 200, "another pool"
        limited.advance(1)
        assert ask(limited)[0] == 200
    with Emulator(level="start") as limited:
        long = {"messages": [{"role": "user", "content": "x" * 2_400_000}]}
        assert [ask(limited, **long)[0] for _ in range(3)] == [200, 200, 429], "input tokens"


@pytest.mark.rule("limit-reads-free")
def test_reads_are_free_of_the_input_limit() -> None:
    system = [{"type": "text", "text": "x" * 2_400_000, "cache_control": {"type": "ephemeral"}}]
    with Emulator(level="start") as limited:
        assert [ask(limited, system=system)[0] for _ in range(6)] == [200] * 6


def test_output_counts_as_it_is_written() -> None:
    settings: Any = {"level": "start", "burst_s": 0.6, "clock_speed": STILL}
    with Emulator(answer=lambda body: "x" * 9_000, **settings) as limited:
        statuses = [ask(limited, max_tokens=4000)[0] for _ in range(4)]
    assert statuses == [200, 200, 429, 429], "3,600 of 4,000 tokens, then below zero"


@pytest.mark.rule("limit-ramp", "limit-ramp-size")
def test_a_sharp_rise_is_refused() -> None:
    with Emulator(level="scale", ramp_limit=True, clock_speed=STILL) as limited:
        statuses = [ask(limited)[0] for _ in range(51)]
        assert statuses == [200] * 50 + [429]
        _, reply, headers = ask(limited)
        assert reply["error"]["details"]["error_code"] == "ramp_limit_exceeded"
        assert 0 < int(headers["retry-after"]) <= 10
        limited.advance(10)
        assert [ask(limited)[0] for _ in range(101)] == [200] * 100 + [429], "twice as many"


@pytest.mark.rule("limit-spend")
def test_the_spend_limit_stays_until_the_month_ends(emulator: Emulator) -> None:
    """Found by a run of the tests in the last hour of a month, which an hour on was over."""
    with (
        Emulator(spend_limit_pico=10_000_000) as limited,
        Anthropic(api_key="k", base_url=limited.url, max_retries=0) as client,
    ):
        now = datetime.now(UTC)
        next_month = datetime(now.year + now.month // 12, now.month % 12 + 1, 10, tzinfo=UTC)
        limited.advance((next_month - now).total_seconds())
        statuses = [ask(limited)[0] for _ in range(20)]
        spent = statuses.index(429)
        assert set(statuses[:spent]) == {200}
        assert set(statuses[spent:]) == {429}
        with pytest.raises(anthropic.RateLimitError) as caught:
            client.messages.create(model=MODEL, max_tokens=5, messages=HI)
        assert caught.value.error_code == "enforced_spend_limit_reached"
        assert "retry-after" not in caught.value.response.headers
        with pytest.raises(anthropic.RateLimitError):
            client.messages.batches.create(requests=[{"custom_id": "a", "params": BODY}])  # type: ignore[list-item,typeddict-item]
        limited.advance(3600)
        assert ask(limited)[0] == 429
        limited.advance(32 * 24 * 3600)
        assert ask(limited)[0] == 200


@pytest.mark.rule("limit-queue")
def test_the_queue_of_batches_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    limiter = Limiter(level="start")
    limiter.admit_batch(100_000, 100_000)
    with pytest.raises(ApiProblem, match="200000 are allowed"):
        limiter.admit_batch(150_000, 50_001)
    monkeypatch.setitem(LEVELS, "start", replace(LEVELS["start"], queued=3))
    two = {"requests": [{"custom_id": name, "params": BODY} for name in ("a", "b")]}
    with Emulator(level="start", batch_delay_s=1e6) as limited:
        assert send_to(limited.url, "/v1/messages/batches", two)[0] == 200
        status, reply, _ = send_to(limited.url, "/v1/messages/batches", two)
        assert (status, reply["error"]["message"]) == (429, "2 requests are queued in batches; 3 are allowed")


@pytest.mark.parametrize(
    ("kind", "path", "body"),
    [("counts", "/v1/messages/count_tokens", COUNTED), ("batch_requests", "/v1/messages/batches", None)],
)
def test_batches_and_token_counts_have_limits_of_their_own(
    monkeypatch: pytest.MonkeyPatch, kind: str, path: str, body: dict[str, Any] | None
) -> None:
    monkeypatch.setitem(LEVELS, "start", replace(LEVELS["start"], **{kind: 2}))
    with Emulator(level="start", clock_speed=STILL) as limited:
        assert [send_to(limited.url, path, body)[0] for _ in range(3)] == [200, 200, 429]
        assert ask(limited)[0] == 200, "messages have theirs"


def test_pools_are_those_of_the_page() -> None:
    opus_4 = {pool_of(f"claude-opus-4-{minor}", fast=False) for minor in (5, 6, 7, 8)}
    fable = {pool_of(name, fast=False) for name in ("claude-fable-5", "claude-fable-5-2", "claude-mythos-5-1")}
    assert (len(opus_4), len(fable)) == (1, 1)
    apart = ["claude-opus-5", "claude-opus-5-5", "claude-haiku-4-5", "claude-haiku-5-5", "claude-sonnet-4-6"]
    assert len({pool_of(name, fast=False) for name in apart}) == 5
    assert pool_of("claude-opus-5-5", fast=True) != pool_of("claude-opus-5-5", fast=False)


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(0, 400)), max_size=40))
def test_a_bucket_never_gives_more_than_its_rate_and_its_capacity(steps: list[tuple[float, int]]) -> None:
    bucket, now, given_out = RateBucket(per_minute=600, capacity=100, left=100, at=0.0), 0.0, 0
    for pause, amount in steps:
        now += pause
        bucket.refill(now)
        if amount <= 100 and bucket.wait_s(amount) == 0:
            bucket.left -= amount
            given_out += amount
        assert given_out <= 100 + now * 10 + 1e-6
