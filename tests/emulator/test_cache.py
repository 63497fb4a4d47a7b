"""Cache accounting, by the page "Prompt caching" as read on 2026-11-23, through the real SDK."""

from __future__ import annotations

from typing import Any

import pytest
from anthropic import Anthropic, BadRequestError
from anthropic.types import Usage

from support import bill, post

MODEL = "claude-haiku-5-5"  # minimum 512 tokens, 2.5 characters a token
MARK: Any = {"cache_control": {"type": "ephemeral"}}
HOUR: Any = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}


def text(words: int, mark: Any = None, word: str = "abcd ") -> Any:
    """A block of `words` times two tokens."""
    return {"type": "text", "text": word * words, **(mark or {})}


def ask(client: Anthropic, *system: Any, model: str = MODEL, user: Any = "hi", **more: Any) -> Usage:
    return client.messages.create(
        model=model, max_tokens=10, system=list(system), messages=[{"role": "user", "content": user}], **more
    ).usage


def counts(usage: Usage) -> tuple[int, int, int, int]:
    split = usage.cache_creation
    assert split is not None
    assert usage.cache_creation_input_tokens == split.ephemeral_5m_input_tokens + split.ephemeral_1h_input_tokens
    return (
        usage.input_tokens,
        split.ephemeral_5m_input_tokens,
        split.ephemeral_1h_input_tokens,
        usage.cache_read_input_tokens or 0,
    )


def test_a_prefix_is_written_once_and_read_after(client: Anthropic) -> None:
    assert counts(ask(client, text(300, MARK))) == (1, 600, 0, 0)
    assert counts(ask(client, text(300, MARK))) == (1, 0, 0, 600)
    assert counts(ask(client, text(300, MARK), user="something else")) == (6, 0, 0, 600)


def test_a_prefix_under_the_minimum_is_not_cached_and_no_error(client: Anthropic) -> None:
    for _ in range(2):
        assert counts(ask(client, text(255, MARK))) == (511, 0, 0, 0)
    assert counts(ask(client, text(256, MARK))) == (1, 512, 0, 0)
    assert counts(ask(client, text(2000, MARK), model="claude-haiku-4-5"))[1] == 0, "minimum 4,096"


def test_entries_are_written_at_breakpoints_only(client: Anthropic) -> None:
    ask(client, text(300), text(100, MARK))
    assert counts(ask(client, text(300, MARK)))[3] == 0


def test_the_longest_hit_wins_and_the_rest_is_written(client: Anthropic) -> None:
    ask(client, text(300, MARK))
    assert counts(ask(client, text(300, MARK), text(100, MARK))) == (1, 200, 0, 600)


def test_one_hour_before_five_minutes_and_billed_apart(client: Anthropic) -> None:
    assert counts(ask(client, text(300, HOUR), text(100, MARK))) == (1, 200, 600, 0)
    with pytest.raises(BadRequestError, match="must not come after"):
        ask(client, text(301, MARK), text(100, HOUR))


def test_a_fifth_breakpoint_is_refused(client: Anthropic) -> None:
    with pytest.raises(BadRequestError, match="maximum of 4"):
        ask(client, *[text(10, MARK)] * 5)


@pytest.mark.parametrize(("behind", "read"), [(19, 600), (20, 0)])
def test_the_look_back_ends_after_twenty_positions(client: Anthropic, behind: int, read: int) -> None:
    """Written at one block, the breakpoint `behind` blocks further; the breakpoint itself counts."""
    ask(client, text(300, MARK))
    assert counts(ask(client, text(300), *[text(1)] * (behind - 1), text(1, MARK)))[3] == read


def test_lives_end_by_the_clock_and_are_renewed_by_a_read(client: Anthropic, url: str) -> None:
    ask(client, text(300, MARK))
    for _ in range(2):
        post(f"{url}/_emulator/clock", {"advance_s": 200})
        assert counts(ask(client, text(300, MARK)))[3] == 600
    post(f"{url}/_emulator/clock", {"advance_s": 301})
    assert counts(ask(client, text(300, MARK)))[1] == 600
    ask(client, text(400, HOUR))
    post(f"{url}/_emulator/clock", {"advance_s": 3599})
    assert counts(ask(client, text(400, HOUR)))[3] == 800


@pytest.mark.parametrize(
    "change",
    [
        {"output_config": {"effort": "high"}},
        {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object", "properties": {}}}}},
        {"thinking": {"type": "disabled"}},
    ],
)
def test_what_splits_the_cache(client: Anthropic, change: Any) -> None:
    ask(client, text(300, MARK))
    assert counts(ask(client, text(300, MARK), **change))[3] == 0


def test_models_and_keys_do_not_share(client: Anthropic, url: str) -> None:
    ask(client, text(300, MARK))
    assert counts(ask(client, text(300, MARK), model="claude-opus-5-5"))[3] == 0
    with Anthropic(api_key="another", base_url=url) as other:
        assert counts(ask(other, text(300, MARK)))[3] == 0


def test_count_tokens_agrees_with_the_bill(client: Anthropic, url: str) -> None:
    system = [text(100), text(33, word="x")]
    counted = client.messages.count_tokens(
        model=MODEL, system=system, messages=[{"role": "user", "content": "Hello, Claude"}]
    ).input_tokens
    assert counted == ask(client, *system, user="Hello, Claude").input_tokens == bill(url)["totals"]["input"]
    published = client.messages.count_tokens(
        model=MODEL, system="You are a scientist", messages=[{"role": "user", "content": "Hello, Claude"}]
    )
    assert published.input_tokens == 14, "the page's own sample"


def test_a_batch_reads_neither_live_entries_nor_what_it_writes_itself(client: Anthropic, url: str) -> None:
    """Observed in the field; the documents leave it open."""
    import time

    def run(count: int) -> list[int]:
        params: Any = {
            "model": MODEL,
            "max_tokens": 5,
            "system": [text(300, HOUR)],
            "messages": [{"role": "user", "content": "hi"}],
        }
        made = client.messages.batches.create(
            requests=[{"custom_id": f"c{number}", "params": params} for number in range(count)]
        )
        for _ in range(1000):
            if client.messages.batches.retrieve(made.id).processing_status == "ended":
                break
            time.sleep(0.01)
        found = [line.result for line in client.messages.batches.results(made.id)]
        return [result.message.usage.cache_read_input_tokens or 0 for result in found if result.type == "succeeded"]

    ask(client, text(300, HOUR))
    assert run(3) == [0, 0, 0]
    assert run(2) == [600, 600]
