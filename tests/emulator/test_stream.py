"""Server-sent events: their order, what stands where, and how a stream breaks."""

from __future__ import annotations

import json
from typing import Any

import anthropic
import httpx2
import pytest
from anthropic import Anthropic
from sending import BODY, HI, Send

from fanwise.emulator import Emulator

MODEL = "claude-sonnet-5"
TOOL: Any = {"name": "f", "input_schema": {"type": "object", "properties": {"a": {"type": "string"}}}}


def events(send: Send, **changes: Any) -> list[dict[str, Any]]:
    """The events of a stream, each checked against its `event:` line."""
    status, reply, _ = send("/v1/messages", {**BODY, "model": MODEL, "max_tokens": 500, "stream": True, **changes})
    assert status == 200
    parsed = []
    for frame in reply["raw"].decode().strip().split("\n\n"):
        first, second = frame.split("\n")
        data = json.loads(second.removeprefix("data: "))
        assert first == f"event: {data['type']}"
        parsed.append(data)
    return parsed


@pytest.mark.rule("sse-order")
def test_events_come_in_the_documented_order(send: Send) -> None:
    stream_events = events(send, tools=[TOOL])
    kinds = [event["type"] for event in stream_events]
    assert kinds[:2] == ["message_start", "ping"]
    assert kinds[-2:] == ["message_delta", "message_stop"]
    deltas: dict[int, list[str]] = {}
    for event in stream_events:
        if event["type"] == "content_block_delta":
            deltas.setdefault(event["index"], []).append(event["delta"]["type"])
    assert deltas[0][0] == "thinking_delta"
    assert deltas[0][-1] == "signature_delta"
    assert set(deltas[1]) == {"input_json_delta"}
    for index in deltas:
        kinds_of_block = [event["type"] for event in stream_events if event.get("index") == index]
        assert kinds_of_block[0] == "content_block_start"
        assert kinds_of_block[-1] == "content_block_stop"


@pytest.mark.rule("sse-split")
def test_the_split_is_in_the_start_and_the_output_in_the_delta(send: Send) -> None:
    system = [{"type": "text", "text": "abcd " * 600, "cache_control": {"type": "ephemeral", "ttl": "1h"}}]
    stream_events = events(send, system=system)
    start, delta = stream_events[0]["message"]["usage"], stream_events[-2]["usage"]
    assert start["cache_creation"] == {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 1200}
    assert start["service_tier"] == "standard"
    assert start["output_tokens"] <= 1 < delta["output_tokens"]
    assert "cache_creation" not in delta
    assert "service_tier" not in delta
    assert delta["cache_creation_input_tokens"] == 1200


def test_a_stream_gives_the_same_message_as_a_plain_call(client: Anthropic, emulator: Emulator) -> None:
    plain = client.messages.create(model=MODEL, max_tokens=500, messages=HI, tools=[TOOL])
    with client.messages.stream(model=MODEL, max_tokens=500, messages=HI, tools=[TOOL]) as stream:
        streamed = stream.get_final_message()
    assert [(block.type, getattr(block, "input", None)) for block in streamed.content] == [
        (block.type, getattr(block, "input", None)) for block in plain.content
    ]
    assert streamed.usage.output_tokens == plain.usage.output_tokens
    entries = emulator.bill()["entries"]
    assert len(entries) == 2
    assert entries[0]["pico"] == entries[1]["pico"]


@pytest.mark.rule("sse-error")
def test_an_error_in_the_middle_comes_as_an_event_and_is_billed(client: Anthropic, emulator: Emulator) -> None:
    emulator.fault(stream="error", count=1)
    with (
        pytest.raises(anthropic.APIStatusError) as caught,
        client.messages.stream(model=MODEL, max_tokens=500, messages=HI) as stream,
    ):
        stream.get_final_message()
    assert (caught.value.status_code, caught.value.type) == (200, "overloaded_error")
    assert emulator.bill()["totals"]["entries"] == 1


@pytest.mark.parametrize("how", ["cut", "malformed"])
def test_streams_break_in_other_ways(client: Anthropic, emulator: Emulator, how: str) -> None:
    emulator.fault(stream=how, count=1, after=4)
    broken = (anthropic.APIError, httpx2.HTTPError, ValueError)
    with pytest.raises(broken), client.messages.stream(model=MODEL, max_tokens=500, messages=HI) as stream:
        stream.get_final_message()


def test_a_stalled_stream_says_nothing_more(emulator: Emulator) -> None:
    emulator.fault(stream="stall", latency_s=30, after=2)
    with (
        Anthropic(api_key="k", base_url=emulator.url, max_retries=0, timeout=0.3) as client,
        pytest.raises((anthropic.APITimeoutError, httpx2.TimeoutException)),
        client.messages.stream(model=MODEL, max_tokens=500, messages=HI) as stream,
    ):
        stream.get_final_message()
