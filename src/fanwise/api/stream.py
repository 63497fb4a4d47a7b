"""A streamed message put together again; tells when it begins, since a cache entry is readable from then on.

Events: page "Streaming messages" of platform.claude.com, read 2026-11-23.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from fanwise.jsonable import as_object

from .failures import MALFORMED, Failure, RequestError
from .foreign import read_json, words

Begun = Callable[[dict[str, Any]], None]
"""Told of the usage with which a message begins: what was read and written is known by then."""


async def read_stream(lines: AsyncIterator[bytes], begun: Begun, request_id: str) -> dict[str, Any]:
    """Return the message of a stream as if it had come whole.

    Args:
        lines: The lines of the body.
        begun: Called once, at the first event.
        request_id: For failures.

    Raises:
        RequestError: The stream broke off or said that something went wrong; what came was billed.
    """
    message: dict[str, Any] = {}
    blocks: dict[int, _Block] = {}
    async for line in lines:
        if not line.startswith(b"data:"):
            continue
        event = _event(line.removeprefix(b"data:"), request_id)
        kind = event.get("type")
        if kind == "message_start":
            message = as_object(event.get("message"))
            begun(as_object(message.get("usage")))
        elif kind == "content_block_start":
            blocks[_index(event)] = _Block(as_object(event.get("content_block")))
        elif kind == "content_block_delta":
            blocks.setdefault(_index(event), _Block({"type": "text"})).add(as_object(event.get("delta")))
        elif kind == "message_delta":
            message |= _present(as_object(event.get("delta")))
            # Counts of the end are cumulative and replace those of the start.
            message["usage"] = as_object(message.get("usage")) | _present(as_object(event.get("usage")))
        elif kind == "message_stop":
            parts = [blocks[index].content(request_id) for index in sorted(blocks)]
            return message | {"content": parts or message.get("content")}
        elif kind == "error":
            raise _broken_off(as_object(event.get("error")), request_id)
    raise _lost("stream_cut", "the stream ended before the message did; what came was billed", request_id)


def _index(event: dict[str, Any]) -> int:
    """Return the number of the block that an event is about."""
    index = event.get("index")
    return index if isinstance(index, int) else 0


def _present(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that are not null."""
    return {name: value for name, value in fields.items() if value is not None}


def _broken_off(error: dict[str, Any], request_id: str) -> RequestError:
    """Return what an error event means."""
    message = words(error.get("message"), "the stream ended in an error")
    return _lost(words(error.get("type"), "api_error"), message, request_id)


def _lost(kind: str, message: str, request_id: str) -> RequestError:
    return RequestError(Failure(verdict="lost", kind=kind, message=message, status=200, request_id=request_id))


_DELTAS = {
    "text_delta": ("text", "text"), "thinking_delta": ("thinking", "thinking"),
    "signature_delta": ("signature", "signature"), "input_json_delta": ("partial_json", "input"),
}  # fmt: skip
"""By type: the field that a delta has, and the one of the block that it goes on with."""


class _Block:
    """A content block on its way."""

    def __init__(self, start: dict[str, Any]) -> None:
        self._start = start
        self._more: dict[str, list[str]] = {}

    def add(self, delta: dict[str, Any]) -> None:
        source, target = _DELTAS.get(str(delta.get("type")), ("", ""))
        if target:
            self._more.setdefault(target, []).append(str(delta.get(source) or ""))

    def content(self, request_id: str) -> dict[str, Any]:
        block = dict(self._start)
        for name, texts in self._more.items():
            text = _paired("".join(texts))
            block[name] = (_event(text, request_id) if text else {}) if name == "input" else text
        return block


def _paired(text: str) -> str:
    """Return a text in which two halves of a character that came in two events are one."""
    return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _event(text: str | bytes, request_id: str) -> dict[str, Any]:
    try:
        return as_object(read_json(text))
    except ValueError:
        words = "an event of the stream is not JSON; the request may have been billed"
        raise _lost(MALFORMED, words, request_id) from None
