"""A message as server-sent events."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from fanwise.jsonable import as_object

from .http import headers


async def send_stream(request: web.Request, message: dict[str, Any]) -> web.StreamResponse:
    """Send a message as server-sent events in the documented order ("Streaming", read 2026-11-23)."""
    response = web.StreamResponse(
        headers={"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache", **headers(request)}
    )
    await response.prepare(request)

    async def send(kind: str, **data: Any) -> None:
        await response.write(f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n".encode())

    usage = as_object(message["usage"])
    start: dict[str, Any] = {
        **message,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {**usage, "output_tokens": 1},
    }
    await send("message_start", message=start)
    await send("ping")
    for index, block in enumerate(message["content"]):
        await send("content_block_start", index=index, content_block={**block, "text": ""})
        text = block["text"]
        for at in range(0, len(text), 64):
            await send("content_block_delta", index=index, delta={"type": "text_delta", "text": text[at : at + 64]})
        await send("content_block_stop", index=index)
    delta = {"stop_reason": message["stop_reason"], "stop_sequence": message["stop_sequence"]}
    await send("message_delta", delta=delta, usage={"output_tokens": usage["output_tokens"]})
    await send("message_stop")
    await response.write_eof()
    return response
