"""Slots, buckets and pauses: as fast as the server takes it, and no storm is fed."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanwise.api.ratelimits import Bucket, RateHeaders, rate_headers
from fanwise.dispatch.pace import FIRST, RETRY_FLOOR, Pace
from fanwise.limits import pool, pool_limits
from fanwise.pricing.usage import Usage
from support import DESK, bill, emulator, environment, fanwise, post, summary, tickets

KEY = environment(ANTHROPIC_API_KEY="k")
GRAPH = f"{DESK}:single"
SMALL = Usage(input=100, output=10)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_slots_double_a_round_until_the_first_refusal_then_grow_by_one() -> None:
    clock = Clock()
    pace = Pace(most=64, clock=clock)
    assert pace.slots == FIRST
    for _ in range(FIRST):
        pace.take()
    for _ in range(FIRST):
        pace.answered(SMALL)
    assert pace.slots == 2 * FIRST
    pace.refuse(0.0)
    pace.refuse(0.0)
    assert pace.slots == pytest.approx(0.7 * 2 * FIRST), "once a second at most"
    before = pace.slots
    for _ in range(int(before)):
        pace.answered(SMALL)
    assert pace.slots == pytest.approx(before + 1, abs=0.1)


def test_slots_that_are_not_used_do_not_grow() -> None:
    pace = Pace(most=64, clock=Clock())
    pace.take()
    for _ in range(100):
        pace.answered(SMALL)
    assert pace.slots == FIRST


def test_a_bucket_that_is_empty_is_waited_for_as_long_as_it_refills() -> None:
    clock = Clock()
    pace = Pace(most=64, clock=clock)
    pace.answered(SMALL)
    pace.learn(RateHeaders(1.0, {"requests": Bucket(60, 0)}))
    assert pace.wait_s() == pytest.approx(1.0)
    clock.now += 1.0
    assert pace.wait_s() == 0
    pace.take()
    assert pace.wait_s() == pytest.approx(1.0)
    pace.learn(RateHeaders(2.0, {"input-tokens": Bucket(6_000, 50), "requests": Bucket(60, 60)}))
    assert pace.wait_s() == pytest.approx(0.5), "a hundred tokens at a hundred a second, fifty are there"
    pace.learn(RateHeaders(1.5, {"requests": Bucket(60, 0)}))
    assert pace.wait_s() == pytest.approx(0.5), "older headers say nothing"


def test_retries_are_a_tenth_of_the_traffic() -> None:
    pace = Pace(most=8, clock=Clock())
    assert sum(pace.retries() for _ in range(100)) == RETRY_FLOOR
    for _ in range(100):
        pace.answered(SMALL)
    assert sum(pace.retries() for _ in range(100)) in (9, 10)


@given(st.lists(st.sampled_from(["take", "leave", "ok", "refuse", "tell", "wait"]), max_size=80))
def test_a_pace_never_passes_its_slots_nor_stands_still_for_ever(steps: list[str]) -> None:
    clock = Clock()
    pace = Pace(most=16, clock=clock)
    for step in steps:
        if step == "take" and pace.wait_s() == 0:
            pace.take()
        elif step == "leave" and pace.in_flight:
            pace.leave()
        elif step == "ok":
            pace.answered(SMALL)
        elif step == "refuse":
            pace.refuse(2.0)
        elif step == "tell":
            pace.learn(RateHeaders(clock.now, {"requests": Bucket(100, 1), "input-tokens": Bucket(1_000, 0)}))
        elif step == "wait":
            clock.now += 0.7
        assert 1 <= pace.slots <= 16
        assert pace.in_flight <= 16
    while pace.in_flight:
        pace.leave()
    clock.now += 3_600
    assert pace.wait_s() == 0


def test_headers_are_read_with_the_date_of_the_server() -> None:
    names = {"anthropic-ratelimit-requests-limit": "50", "anthropic-ratelimit-requests-remaining": "49"}
    found = rate_headers({**names, "date": "Wed, 25 Nov 2026 10:00:00 GMT"})
    assert found is not None
    assert found.buckets == {"requests": Bucket(50, 49)}
    assert found.at == 1_795_600_800.0
    assert rate_headers({"date": "x"}) is None
    assert rate_headers({**names, "anthropic-ratelimit-requests-limit": "many"}) is None


def test_pools_share_their_limits() -> None:
    assert pool("claude-opus-4-6") == pool("claude-opus-4-8-20260101") == "opus-4"
    assert pool("claude-fable-5-2") == pool("claude-mythos-5")
    assert pool("claude-haiku-5-5") != pool("claude-haiku-4-5")
    assert pool_limits("claude-fable-5", "start").requests == 1_000
    assert pool_limits("claude-haiku-5-5", "start").input_tokens == 2_000_000


def run(tmp_path: Path, url: str, count: int, *more: object) -> dict[str, Any]:
    rows, out = tickets(tmp_path / "rows.jsonl", count), tmp_path / "run"
    options = ("--channel", "live", "--base-url", url, "--yes", *more)
    result = fanwise("run", GRAPH, "--rows", rows, "--out", out, *options, env=KEY)
    assert result.returncode == 0, result.stderr
    return summary(out)


def test_a_run_keeps_to_the_limits_of_its_level(tmp_path: Path) -> None:
    """Sixty seconds of refill stand in the bucket at first: what it holds is asked at once, the rest as it refills."""
    with emulator(graph=GRAPH, level="start", burst_s=2, clock_speed=20) as url:
        account = run(tmp_path, url, 300, "--slots", 64)
        assert account["rows"]["succeeded"] == 300
        assert bill(url)["totals"]["entries"] == 300
    assert account["attempts"]["failed"] <= 30, "headers are heeded before a refusal comes"


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429, "retry_after": 0.3, "for_s": 1.0},
        {"status": 429, "for_s": 1.0},
        {"status": 529, "for_s": 1.5},
        {"status": 500, "probability": 0.2},
        {"cut": True, "probability": 0.1},
        {"malformed": True, "probability": 0.05},
        {"lost": True, "probability": 0.05},
    ],
    ids=json.dumps,
)
def test_every_row_is_accounted_for_and_a_storm_is_not_fed(tmp_path: Path, fault: dict[str, Any]) -> None:
    with emulator(graph=GRAPH) as url:
        post(f"{url}/_emulator/faults", {**fault, "path": "/v1/messages"})
        account = run(tmp_path, url, 150, "--slots", 64)
        paid = Decimal(bill(url)["totals"]["usd"])
    assert account["rows"]["succeeded"] == 150
    if "for_s" in fault:
        assert account["attempts"]["failed"] <= 64 + 20, "once those in flight are refused, few are sent into it"
    if not account["attempts"]["lost"]:
        assert account["cost_usd"] == account["bill_usd"]
    known = Decimal(account["cost_usd"])
    assert known <= paid <= known + Decimal(account["lost_upper_bound_usd"])
