"""Cache accounting, by the page "Prompt caching" as read on 2026-11-23, through the real SDK."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import anyio
import pytest
from anthropic import Anthropic, BadRequestError
from anthropic.types import Usage
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sending import ended

from fanwise.emulator import Emulator
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


@pytest.mark.rule("cache-bill-abc", "cache-split")
def test_a_prefix_is_written_once_and_read_after(client: Anthropic) -> None:
    assert counts(ask(client, text(300, MARK))) == (1, 600, 0, 0)
    assert counts(ask(client, text(300, MARK))) == (1, 0, 0, 600)
    assert counts(ask(client, text(300, MARK), user="something else")) == (6, 0, 0, 600)


@pytest.mark.rule("cache-minimum")
def test_a_prefix_under_the_minimum_is_not_cached_and_no_error(client: Anthropic) -> None:
    for _ in range(2):
        assert counts(ask(client, text(255, MARK))) == (511, 0, 0, 0)
    assert counts(ask(client, text(256, MARK))) == (1, 512, 0, 0)
    assert counts(ask(client, text(2000, MARK), model="claude-haiku-4-5"))[1] == 0, "minimum 4,096"


@pytest.mark.rule("cache-write-at-mark")
def test_entries_are_written_at_breakpoints_only(client: Anthropic) -> None:
    ask(client, text(300), text(100, MARK))
    assert counts(ask(client, text(300, MARK)))[3] == 0


@pytest.mark.rule("cache-longest-hit")
def test_the_longest_hit_wins_and_the_rest_is_written(client: Anthropic) -> None:
    ask(client, text(300, MARK))
    assert counts(ask(client, text(300, MARK), text(100, MARK))) == (1, 200, 0, 600)


@pytest.mark.rule("cache-ttl-order")
def test_one_hour_before_five_minutes_and_billed_apart(client: Anthropic) -> None:
    assert counts(ask(client, text(300, HOUR), text(100, MARK))) == (1, 200, 600, 0)
    with pytest.raises(BadRequestError, match="must not come after"):
        ask(client, text(301, MARK), text(100, HOUR))


@pytest.mark.rule("cache-breakpoints")
def test_a_fifth_breakpoint_is_refused(client: Anthropic) -> None:
    with pytest.raises(BadRequestError, match="maximum of 4"):
        ask(client, *[text(10, MARK)] * 5)


@pytest.mark.rule("cache-look-back")
@pytest.mark.parametrize(("behind", "read"), [(19, 600), (20, 0)])
def test_the_look_back_ends_after_twenty_positions(client: Anthropic, behind: int, read: int) -> None:
    """Written at one block, the breakpoint `behind` blocks further; the breakpoint itself counts."""
    ask(client, text(300, MARK))
    assert counts(ask(client, text(300), *[text(1)] * (behind - 1), text(1, MARK)))[3] == read


@pytest.mark.rule("cache-ttl")
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


@pytest.mark.rule("cache-keyed")
@pytest.mark.parametrize(
    "change",
    [
        {"output_config": {"effort": "high"}},
        {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object", "properties": {}}}}},
        {"thinking": {"type": "disabled"}},
        {"model": "claude-opus-5-5"},
    ],
)
def test_what_splits_the_cache(client: Anthropic, change: Any) -> None:
    ask(client, text(300, MARK))
    assert counts(ask(client, text(300, MARK), **change))[3] == 0


def test_models_and_keys_do_not_share(client: Anthropic, url: str) -> None:
    ask(client, text(300, MARK))
    assert counts(ask(client, text(300, MARK), model="claude-opus-5-5"))[3] == 0
    with Anthropic(api_key="another", base_url=url) as stranger:
        assert counts(ask(stranger, text(300, MARK)))[3] == 0
    other_workspace = {"anthropic-workspace-id": "wrkspc_2"}
    assert counts(ask(client, text(300, MARK), extra_headers=other_workspace))[3] == 0
    assert counts(ask(client, text(300, MARK), extra_headers=other_workspace))[3] == 600


@pytest.mark.rule("count-equal", "count-sample", "tokens-round")
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


def test_fast_mode_and_the_region_of_a_cache(client: Anthropic) -> None:
    """Fast mode has entries of its own; a region does not split the cache."""
    model = "claude-opus-5-5"
    assert counts(ask(client, text(300, MARK), model=model))[1] == 600
    assert counts(ask(client, text(300, MARK), model=model, speed="fast"))[1] == 600
    assert counts(ask(client, text(300, MARK), model=model, inference_geo="us"))[3] == 600


@pytest.mark.rule("cache-default-equal")
def test_an_explicit_default_is_the_same_as_none(client: Anthropic) -> None:
    ask(client, text(300, MARK))
    assert counts(ask(client, text(300, MARK), thinking={"type": "adaptive"}))[3] == 600
    assert counts(ask(client, text(300, MARK), output_config={"effort": "medium"}))[3] == 600, "Haiku 5.5's default"


def tool(name: str, mark: Any = None) -> Any:
    schema = {"type": "object", "properties": {"a": {"type": "string", "description": "abcd " * 300}}}
    return {"name": name, "input_schema": schema, **(mark or {})}


@pytest.mark.rule("cache-tools-change")
def test_another_tool_starts_all_over(client: Anthropic) -> None:
    assert counts(ask(client, text(300, MARK), tools=[tool("f", MARK)]))[3] == 0
    assert counts(ask(client, text(300, MARK), tools=[tool("f", MARK)]))[3] > 1000
    assert counts(ask(client, text(300, MARK), tools=[tool("f", MARK), tool("g")]))[3] > 500, (
        "read up to the first tool"
    )
    assert counts(ask(client, text(300, MARK), tools=[tool("g"), tool("f", MARK)]))[3] == 0


@pytest.mark.rule("cache-keyed")
def test_another_format_splits_the_cache_from_the_tools_on(client: Anthropic) -> None:
    form: Any = {"format": {"type": "json_schema", "schema": {"type": "object", "properties": {}}}}
    written = counts(ask(client, tools=[tool("f", MARK)]))[1]
    assert counts(ask(client, tools=[tool("f", MARK)]))[3] == written
    assert counts(ask(client, tools=[tool("f", MARK)], output_config=form))[1] == written


@pytest.mark.rule("cache-ttl")
def test_a_life_counts_from_the_start_of_the_request() -> None:
    """The reply takes 400 simulated seconds; when it is there, its own entry is gone already."""
    slow: Any = {"latency_s": 0.2, "clock_speed": 2_000}
    with Emulator(**slow) as emulator, Anthropic(api_key="k", base_url=emulator.url, max_retries=0) as client:
        for _ in range(2):
            assert counts(ask(client, text(300, MARK)))[1] == 600


@pytest.mark.rule("cache-toggles")
def test_web_search_and_citations_leave_the_tools_alone(client: Anthropic) -> None:
    tools, search = [tool("f", MARK)], {"type": "web_search_20260318", "name": "web_search"}
    only_tools = counts(ask(client, tools=tools))[1]
    ask(client, text(300, MARK), tools=tools)
    assert counts(ask(client, text(300, MARK), tools=tools))[3] == only_tools + 600
    assert counts(ask(client, text(300, MARK), tools=[*tools, search]))[3] == only_tools
    source = {"type": "text", "media_type": "text/plain", "data": "x"}
    cited: Any = [{"type": "document", "source": source, "citations": {"enabled": True}}]
    assert counts(ask(client, text(300, MARK), tools=tools, user=cited))[3] == only_tools


@pytest.mark.rule("cache-tool-choice")
def test_tool_choice_and_images_touch_messages_alone(client: Anthropic) -> None:
    user, tools = [text(300, MARK), text(1)], [tool("f")]
    both = {"user": user, "tools": tools}
    system = counts(ask(client, text(300, MARK), **both))[1] - 600
    assert counts(ask(client, text(300, MARK), **both))[3] == system + 600
    assert counts(ask(client, text(300, MARK), **both, tool_choice={"type": "none"}))[3] == system
    image = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
    assert counts(ask(client, text(300, MARK), tools=tools, user=[*user, image]))[3] == system


@pytest.mark.rule("cache-defer")
def test_a_deferred_tool_breaks_no_prefix_and_costs_nothing(client: Anthropic) -> None:
    before = counts(ask(client, text(300, MARK), tools=[tool("f")]))
    after = counts(ask(client, text(300, MARK), tools=[tool("f"), {**tool("g"), "defer_loading": True}]))
    assert after == (before[0], 0, 0, before[1])


@pytest.mark.rule("cache-automatic")
def test_the_automatic_breakpoint_is_on_the_last_block_that_can_carry_one(client: Anthropic) -> None:
    control: Any = {"type": "ephemeral"}
    assert counts(ask(client, text(300), cache_control=control)) == (0, 601, 0, 0)
    thinking = {"type": "thinking", "thinking": "x", "signature": "s"}
    history: Any = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [{"type": "text", "text": "yes"}, thinking]},
        {"role": "user", "content": "on"},
    ]
    usage = client.messages.create(
        model=MODEL, max_tokens=9, system=[text(300)], messages=history, cache_control=control
    ).usage
    assert counts(usage) == (0, 605 - 601, 0, 601), "the longer conversation reads the shorter one"
    with pytest.raises(BadRequestError, match="maximum of 4"):
        ask(client, *[text(10, MARK)] * 4, cache_control=control)


@pytest.mark.rule("cache-automatic-ttl")
def test_the_automatic_breakpoint_agrees_with_the_blocks_own(client: Anthropic) -> None:
    user = [text(300, MARK)]
    with pytest.raises(BadRequestError, match="differs"):
        ask(client, user=user, cache_control={"type": "ephemeral", "ttl": "1h"})
    assert counts(ask(client, user=user, cache_control={"type": "ephemeral"}))[1] == 600


@pytest.mark.rule("cache-tool-runs")
def test_a_run_of_tool_calls_is_one_position(client: Anthropic) -> None:
    """Twenty calls and twenty results are two positions; twenty texts are twenty."""
    uses = [{"type": "tool_use", "id": f"t{n}", "name": "f", "input": {}} for n in range(20)]
    results = [{"type": "tool_result", "tool_use_id": f"t{n}", "content": "x"} for n in range(20)]

    def read(*more: Any) -> int:
        messages: Any = [{"role": "user", "content": [text(300, None)]}, *more]
        return counts(client.messages.create(model=MODEL, max_tokens=9, messages=messages, tools=[tool("f")]).usage)[3]

    first: Any = [{"role": "user", "content": [text(300, MARK)]}]
    client.messages.create(model=MODEL, max_tokens=9, messages=first, tools=[tool("f")])
    behind = [*results[:-1], {**results[-1], **MARK}]
    assert read({"role": "assistant", "content": uses}, {"role": "user", "content": behind}) > 600
    spoken = [text(1, word=f"w{n} ") for n in range(20)]
    assert read({"role": "assistant", "content": spoken}, {"role": "user", "content": [text(1, MARK)]}) == 0


@pytest.mark.rule("cache-input-order")
def test_another_order_of_keys_in_what_a_tool_was_given_is_another_prefix(client: Anthropic) -> None:
    """Found: it was read as the same one, which in life is written again; elsewhere the order counts for nothing."""

    def read(given: dict[str, int]) -> int:
        use = {"type": "tool_use", "id": "t1", "name": "f", "input": given}
        result = {"type": "tool_result", "tool_use_id": "t1", "content": [text(300, MARK)]}
        messages: Any = [
            {"role": "user", "content": "a"}, {"role": "assistant", "content": [use]},
            {"role": "user", "content": [{**result, **MARK, "content": "x" * 9_000}]},
        ]  # fmt: skip
        return counts(client.messages.create(model=MODEL, max_tokens=9, messages=messages, tools=[tool("f")]).usage)[3]

    assert read({"a": 1, "b": 2}) == 0
    assert read({"b": 2, "a": 1}) == 0
    assert read({"a": 1, "b": 2}) > 3_000


@pytest.mark.rule("cache-unmarkable")
def test_thinking_and_empty_texts_carry_no_breakpoint(client: Anthropic) -> None:
    thinking: Any = {"type": "thinking", "thinking": "x", "signature": "s", **MARK}
    messages: Any = [{"role": "user", "content": "a"}, {"role": "assistant", "content": [thinking]}]
    with pytest.raises(BadRequestError, match="cache_control"):
        client.messages.create(model=MODEL, max_tokens=9, messages=[*messages, {"role": "user", "content": "b"}])
    with pytest.raises(BadRequestError, match="text"):
        ask(client, {"type": "text", "text": "", **MARK})


@pytest.mark.rule("cache-leader")
def test_an_entry_is_readable_once_the_response_of_its_writer_has_begun() -> None:
    """Eight calls of which none is answered before all have come write eight times; after them nobody writes."""
    calls, all_have_come = count(1), anyio.Event()

    async def answer(body: dict[str, Any]) -> str:
        if next(calls) == 8:
            all_have_come.set()
        await all_have_come.wait()
        return "yes"

    with Emulator(answer=answer) as slow, Anthropic(api_key="k", base_url=slow.url, max_retries=0) as client:
        with ThreadPoolExecutor(8) as pool:
            usages = list(pool.map(lambda _: ask(client, text(300, MARK)), range(8)))
        assert [counts(usage)[1] for usage in usages] == [600] * 8
        assert counts(ask(client, text(300, MARK)))[3] == 600


@pytest.mark.rule("cache-lag")
def test_an_entry_may_be_readable_only_a_while_later(client: Anthropic, emulator: Emulator) -> None:
    emulator.fault(cache_lag_s=2)
    ask(client, text(300, MARK))
    assert counts(ask(client, text(300, MARK)))[1] == 600
    emulator.advance(3)
    assert counts(ask(client, text(300, MARK)))[3] == 600


@pytest.mark.rule("cache-read-ttl", "cache-no-eviction")
def test_a_read_keeps_the_life_its_entry_was_written_with(client: Anthropic, emulator: Emulator) -> None:
    ask(client, text(300, HOUR))
    assert counts(ask(client, text(300, MARK)))[3] == 600
    for number in range(30):
        ask(client, text(400, MARK, word=f"w{number} "))
    emulator.advance(3000)
    assert counts(ask(client, text(300, MARK)))[3] == 600, "still an hour"


@pytest.mark.rule("prewarm")
def test_a_pre_warm_call_writes_and_says_nothing(client: Anthropic, emulator: Emulator) -> None:
    warm = client.messages.create(
        model=MODEL, max_tokens=0, system=[text(300, MARK)], messages=[{"role": "user", "content": "x"}]
    )
    assert (warm.content, warm.stop_reason, warm.usage.output_tokens) == ([], "max_tokens", 0)
    assert counts(warm.usage)[1] == 600
    assert counts(ask(client, text(300, MARK)))[3] == 600
    assert emulator.bill()["totals"]["write_5m"] == 600


@pytest.mark.rule("tools-prompt")
def test_tools_have_a_hidden_prompt(client: Anthropic) -> None:
    def tokens(**more: Any) -> int:
        return ask(client, tools=[tool("f")], **more).input_tokens

    own = client.messages.count_tokens(
        model=MODEL, messages=[{"role": "user", "content": str(tool("f"))}], tools=[tool("f")]
    ).input_tokens
    assert own > 286
    assert tokens(tool_choice={"type": "any"}) - tokens() == 406 - 286
    assert tokens(tool_choice={"type": "none"}) == tokens()
    weather = {
        "name": "get_weather",
        "description": "Get the current weather in a given location",
        "input_schema": {
            "type": "object",
            "properties": {"location": {"type": "string", "description": "The city and state, e.g. San Francisco, CA"}},
            "required": ["location"],
        },
    }
    sample = client.messages.count_tokens(
        model="claude-opus-5",
        tools=[weather],  # type: ignore[list-item]
        messages=[{"role": "user", "content": "What's the weather like in San Francisco?"}],
    )
    assert sample.input_tokens == pytest.approx(403, rel=0.03), "the page's own sample says 403"


@pytest.mark.rule("tokens-image", "tokens-pdf")
def test_images_and_pages_have_a_size(client: Anthropic) -> None:
    def tokens(kind: str, media: str, data: bytes) -> int:
        source = {"type": "base64", "media_type": media, "data": base64.b64encode(data).decode()}
        content: Any = [{"type": kind, "source": source}]
        return client.messages.count_tokens(model=MODEL, messages=[{"role": "user", "content": content}]).input_tokens

    def png(width: int, height: int) -> bytes:
        return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + width.to_bytes(4) + height.to_bytes(4)

    assert tokens("image", "image/png", png(750, 100)) == 100
    assert tokens("image", "image/png", png(15_680, 7_500)) == 1568
    assert tokens("image", "image/gif", b"GIF89a" + (75).to_bytes(2, "little") + (10).to_bytes(2, "little")) == 1
    jpeg = b"\xff\xd8\xff\xe0\0\4ab\xff\xc0\0\x11\x08" + (100).to_bytes(2) + (750).to_bytes(2)
    assert tokens("image", "image/jpeg", jpeg) == 100
    assert tokens("image", "image/webp", b"what is this") == 1600
    assert tokens("document", "application/pdf", b"%PDF /Type /Pages /Type /Page /Type/Page ") == 4000


@pytest.mark.rule("tokens-schema")
def test_a_schema_is_billed_in_front_of_the_system_prompt(client: Anthropic) -> None:
    form: Any = {"format": {"type": "json_schema", "schema": {"type": "object", "properties": {}}}}
    plain, strict = ask(client, text(300, MARK)), ask(client, text(300, MARK), output_config=form)
    schema = len('{"properties":{},"type":"object"}')
    assert counts(strict)[1] - counts(plain)[1] == -(-schema * 10 // 25)


@pytest.mark.rule("count-refuses")
def test_what_the_counter_does_not_count(client: Anthropic) -> None:
    image: Any = [{"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}]
    with pytest.raises(BadRequestError, match="fetches nothing"):
        client.messages.count_tokens(model=MODEL, messages=[{"role": "user", "content": image}])
    with pytest.raises(BadRequestError, match="server tool"):
        client.messages.count_tokens(
            model=MODEL,
            messages=[{"role": "user", "content": "x"}],
            tools=[{"type": "web_search_20260318", "name": "web_search"}],  # type: ignore[list-item]
        )


words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=40)
block_lists = st.lists(words, min_size=1, max_size=5)


@given(system=block_lists, turns=st.lists(block_lists, min_size=1, max_size=5), tools=st.integers(0, 2))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_counts_add_up_and_are_what_is_billed(
    client: Anthropic, emulator: Emulator, system: list[str], turns: list[list[str]], tools: int
) -> None:
    """With breakpoints and without, counted or billed, whole or in parts: the same tokens."""
    emulator.reset()

    def blocks(texts: list[str]) -> Any:
        return [{"type": "text", "text": words} for words in texts]

    messages: Any = [
        {"role": ("user", "assistant")[number % 2], "content": blocks(texts)} for number, texts in enumerate(turns)
    ]
    messages = messages if len(messages) % 2 else messages[:-1] or messages
    tool_list: Any = [tool(f"f{number}") for number in range(tools)]
    body: Any = {"model": MODEL, "messages": messages, "system": blocks(system), "tools": tool_list}
    counted = client.messages.count_tokens(**body).input_tokens
    plain = client.messages.create(**body, max_tokens=5).usage
    cached = client.messages.create(**body, max_tokens=5, cache_control={"type": "ephemeral"}).usage
    assert counted == plain.input_tokens == sum(counts(cached))
    assert emulator.bill()["totals"]["input"] + emulator.bill()["totals"]["write_5m"] == 2 * counted
    texts = [words for part in [system, *(turns[: len(messages)])] for words in part]
    hidden = sum(counts_of_tools(client, tool_list)) if tool_list else 0
    assert counted - hidden == sum(-(-len(words) * 10 // 25) for words in texts)


def counts_of_tools(client: Anthropic, tools: Any) -> list[int]:
    hello: Any = [{"role": "user", "content": "hi"}]
    return [client.messages.count_tokens(model=MODEL, messages=hello, tools=tools).input_tokens - 1]


@pytest.mark.rule("batch-cache-apart", "batch-cold")
def test_a_batch_reads_neither_live_entries_nor_what_it_writes_itself(client: Anthropic, url: str) -> None:
    """Observed in the field; the documents leave it open."""

    def run(count: int) -> list[int]:
        params: Any = {
            "model": MODEL,
            "max_tokens": 5,
            "system": [text(300, HOUR)],
            "messages": [{"role": "user", "content": "hi"}],
        }
        batch = client.messages.batches.create(
            requests=[{"custom_id": f"c{number}", "params": params} for number in range(count)]
        )
        ended(client, batch.id)
        results = [line.result for line in client.messages.batches.results(batch.id)]
        return [result.message.usage.cache_read_input_tokens or 0 for result in results if result.type == "succeeded"]

    ask(client, text(300, HOUR))
    assert run(3) == [0, 0, 0]
    assert run(2) == [600, 600]


def test_the_knobs_of_the_batch_cache() -> None:
    def reads(emulator: Emulator) -> tuple[int, int]:
        params: Any = {"model": MODEL, "max_tokens": 5, "system": [text(300, HOUR)], "messages": [HELLO]}
        with Anthropic(api_key="k", base_url=emulator.url, max_retries=0) as client:
            ask(client, text(300, HOUR))
            batch = client.messages.batches.create(
                requests=[{"custom_id": f"c{number}", "params": params} for number in range(40)]
            )
            ended(client, batch.id)
        entries = [entry for entry in emulator.bill()["entries"] if entry["batch_id"]]
        return sum(entry["read"] > 0 for entry in entries), sum(entry["write_1h"] > 0 for entry in entries)

    with Emulator(shared_cache=True) as shared:
        assert reads(shared) == (40, 0), "what a live call wrote"
    with Emulator(batch_self_reads=0.5) as lucky:
        read, written = reads(lucky)
        assert read + written == 40
        assert 8 < read < 32


HELLO: Any = {"role": "user", "content": "hi"}
