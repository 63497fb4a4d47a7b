"""A message as server-sent events, in the documented order, and the ways in which a stream breaks.

Source: page "Streaming", read 2026-11-23. The 5m/1h split, service_tier, speed and geo stand in
`message_start` alone; `message_delta` carries the cumulative output.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import anyio
from aiohttp import web

from .faults import Fault
from .http import Exchange, cut, headers
from .problems import ApiProblem

PIECE = 64
"""Characters of one delta."""


async def send_stream(
    exchange: Exchange, message: dict[str, Any], extra: dict[str, str], fault: Fault | None
) -> web.StreamResponse:
    """Send a message as events; a fault may break it in the middle."""
    common = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache", **headers(exchange)}
    response = web.StreamResponse(headers={**common, **extra})
    await response.prepare(exchange.request)
    breaks_at = fault.after if fault is not None and fault.stream else None
    for number, event in enumerate(events(message)):
        if fault is not None and number == breaks_at:
            await _break(exchange, response, fault)
            break
        await response.write(_frame(event))
    await response.write_eof()
    return response


async def _break(exchange: Exchange, response: web.StreamResponse, fault: Fault) -> None:
    """Break a stream in the way that a fault says."""
    if fault.stream == "cut":
        cut(exchange)
    if fault.stream == "malformed":
        await response.write(b"event: content_block_delta\ndata: {this is no JSON\n\n")
    if fault.stream == "stall":
        await anyio.sleep(fault.latency_s or 3600)
    if fault.stream == "error":
        problem = ApiProblem(fault.status or 529, "simulated error in the middle of a stream")
        await response.write(_frame({"type": "error", "error": problem.error()}))


def _frame(event: dict[str, Any]) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n".encode("utf-8", "replace")


def events(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the events of a message."""
    usage = message["usage"]
    first = {**usage, "output_tokens": min(usage["output_tokens"], 1)}
    start: dict[str, Any] = {
        **message,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "stop_details": None,
        "usage": first,
    }
    yield {"type": "message_start", "message": start}
    yield {"type": "ping"}
    for index, block in enumerate(message["content"]):
        yield {"type": "content_block_start", "index": index, "content_block": _empty(block)}
        for delta in _deltas(block):
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    end = {name: message[name] for name in ("stop_reason", "stop_sequence", "stop_details")}
    counts = {
        name: usage[name]
        for name in (
            "input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens",
            "output_tokens_details", "server_tool_use",
        )
    }  # fmt: skip
    yield {"type": "message_delta", "delta": end, "usage": counts}
    yield {"type": "message_stop"}


def _empty(block: dict[str, Any]) -> dict[str, Any]:
    cleared: dict[str, dict[str, Any]] = {
        "text": {"text": ""},
        "thinking": {"thinking": "", "signature": ""},
        "tool_use": {"input": {}},
    }
    return {**block, **cleared[block["type"]]}


def _deltas(block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    kind = block["type"]
    if kind == "text":
        yield from ({"type": "text_delta", "text": piece} for piece in _pieces(block["text"]))
    elif kind == "thinking":
        yield from ({"type": "thinking_delta", "thinking": piece} for piece in _pieces(block["thinking"]))
        yield {"type": "signature_delta", "signature": block["signature"]}
    else:
        text = json.dumps(block["input"], ensure_ascii=False)
        yield from ({"type": "input_json_delta", "partial_json": piece} for piece in _pieces(text))


def _pieces(text: str) -> Iterator[str]:
    for at in range(0, len(text), PIECE):
        yield text[at : at + PIECE]
