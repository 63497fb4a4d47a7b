"""The way of a Messages request to the server: thin, and patterned on a request that the SDK built.

The SDK's own path costs more processor time than all else of a call: 0.43 ms of it, against 0.26 ms
for the same bytes through the same HTTP client (`bench/live.py`). So one request of a kind goes
through the SDK, and for a while others follow its address, headers and time limits. Nothing of the
SDK is guessed: what it sends, they send.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import anthropic
import httpx2
from anthropic._constants import RAW_RESPONSE_HEADER

from .capable import is_plain

MESSAGES = "/v1/messages"
FRESH_S = 20.0
"""How long a pattern holds: short, since credentials may be renewed meanwhile."""


class _Pattern(NamedTuple):
    request: httpx2.Request
    headers: list[tuple[bytes, bytes]]
    """All but the length of the body."""
    until: float


class Wire:
    """Posts bodies of Messages requests."""

    def __init__(self, sdk: Any, http: httpx2.AsyncClient | None) -> None:
        """Set up.

        Args:
            sdk: The SDK's client.
            http: The HTTP client that it was given; None where all is to go through the SDK: it may sign
                requests, or change them on their way.
        """
        self._sdk, self._http = sdk, http
        self._plain = is_plain(sdk)
        """Whether bodies are sent as bytes; the clients of other platforms look into them."""
        self._patterns: dict[float, _Pattern] = {}

    async def post(self, body: bytes, timeout_s: float) -> httpx2.Response:
        """Send a body and return the reply, read to its end.

        Raises:
            AnthropicError: As the SDK raises it.
        """
        pattern = self._patterns.get(timeout_s)
        if self._http is None or pattern is None or pattern.until < time.monotonic():
            return await self._pattern(body, timeout_s)
        like = pattern.request
        request = httpx2.Request(
            "POST",
            like.url,
            headers=[*pattern.headers, (b"Content-Length", b"%d" % len(body))],
            content=body,
            extensions=like.extensions,
        )
        try:
            response = await self._http.send(request)
        except httpx2.TimeoutException as error:
            raise anthropic.APITimeoutError(request=request) from error
        except httpx2.HTTPError as error:
            raise anthropic.APIConnectionError(request=request) from error
        if response.status_code == 401:  # the credentials may have been renewed: the SDK knows
            self._patterns.clear()
            return await self._pattern(body, timeout_s)
        if not response.is_success:
            raise _status_error(response)
        return response

    async def by_sdk(
        self,
        path: str,
        content: bytes | AsyncIterator[bytes],
        timeout_s: float,
        size: int | None = None,
        *,
        stream: bool = False,
    ) -> httpx2.Response:
        """Send a JSON body through the SDK; one that is given in pieces never stands in memory as a whole.

        Raises:
            AnthropicError: As the SDK raises it, or where it cannot be set up.
        """
        headers: dict[str, str] = {RAW_RESPONSE_HEADER: "stream"} if stream else {}
        given: dict[str, Any] = {"body": json.loads(content)} if isinstance(content, bytes) else {"content": content}
        if self._plain:
            length = len(content) if isinstance(content, bytes) else size
            headers |= {"Content-Type": "application/json", "Content-Length": str(length)}
            given = {"content": content}
        options = {"timeout": timeout_s, "headers": headers}
        try:
            return await self._sdk.post(path, cast_to=httpx2.Response, options=options, **given)
        except (RuntimeError, ValueError, ImportError) as error:  # what a client for a platform lacks
            raise anthropic.AnthropicError(f"{type(error).__name__}: {error}") from error

    async def _pattern(self, body: bytes, timeout_s: float) -> httpx2.Response:
        response = await self.by_sdk(MESSAGES, body, timeout_s)
        kept = [pair for pair in response.request.headers.raw if pair[0].lower() != b"content-length"]
        self._patterns[timeout_s] = _Pattern(response.request, kept, time.monotonic() + FRESH_S)
        return response


def _status_error(response: httpx2.Response) -> anthropic.APIStatusError:
    try:
        body: object = response.json()
    except ValueError:
        body = response.text
    return anthropic.APIStatusError(f"Error code: {response.status_code}", response=response, body=body)


def header(response: httpx2.Response, name: bytes) -> str:
    """Return a header, or an empty text; `response.headers` would decode all of them first."""
    for key, value in response.headers.raw:
        if key.lower() == name:
            return value.decode("latin-1")
    return ""
