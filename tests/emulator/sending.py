"""Plain HTTP for what the SDK would not send, and the bodies that tests begin with."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from anthropic import Anthropic

Send = Callable[..., tuple[int, dict[str, Any], dict[str, str]]]
HEADERS = {"x-api-key": "k", "anthropic-version": "2026-10-21", "content-type": "application/json"}
MODEL = "claude-haiku-5-5"
HI: Any = [{"role": "user", "content": "hi"}]
BODY: dict[str, Any] = {"model": MODEL, "max_tokens": 5, "messages": HI}
VERSIONS = ("2026-10-21", "2023-06-01")
DOCUMENT = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x"}}
TEXT = {"type": "text", "text": "x"}


def version(name: str) -> dict[str, str]:
    return {**HEADERS, "anthropic-version": name}


def turns(*contents: Any) -> list[dict[str, Any]]:
    return [{"role": ("user", "assistant")[n % 2], "content": content} for n, content in enumerate(contents)]


def refused(send: Send, text: str, headers: dict[str, str] | None = None, **changes: Any) -> None:
    """The body with the changes is refused by 400 with a text."""
    body = {name: value for name, value in {**BODY, **changes}.items() if value is not ...}
    status, reply, _ = send("/v1/messages", body, headers=headers)
    assert (status, reply.get("error", {}).get("type")) == (400, "invalid_request_error"), reply
    assert text in reply["error"]["message"]


def answered(send: Send, headers: dict[str, str] | None = None, **changes: Any) -> dict[str, Any]:
    status, reply, _ = send("/v1/messages", {**BODY, **changes}, headers=headers)
    assert status == 200, reply
    return reply


def send_to(
    url: str, path: str, body: object = None, *, headers: dict[str, str] | None = None, method: str | None = None
) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Send one request; returns status, JSON body and headers, whatever the status."""
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, HEADERS if headers is None else headers, method=method)
    try:
        reply = urllib.request.urlopen(request, timeout=20)
    except urllib.error.HTTPError as error:
        reply = error
    with reply:
        raw = reply.read()
        kind = reply.headers.get("content-type", "")
        return reply.status, _parsed(raw) if "json" in kind else {"raw": raw}, dict(reply.headers)


def ended(client: Anthropic, batch_id: str) -> Any:
    """Ask until a batch has ended; the server gives no event to wait for."""
    for _ in range(4000):
        batch = client.messages.batches.retrieve(batch_id)
        if batch.processing_status == "ended":
            return batch
        time.sleep(0.005)
    raise AssertionError("the batch did not end")


def _parsed(raw: Any) -> Any:
    """Return a body as JSON; one that a fault has garbled as it came."""
    try:
        return json.loads(raw)
    except ValueError:
        return {"raw": raw}
