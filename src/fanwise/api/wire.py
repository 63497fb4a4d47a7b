"""The way of a request to the server: through the SDK, or patterned on a request that the SDK built.

The SDK's own path costs more processor time than all else of a call: 0.43 ms of it, against 0.26 ms
for the same bytes through the same HTTP client (`bench/live.py`). So one Messages request of a kind goes
through the SDK, and for a while others follow its address, headers and time limits. Nothing of the
SDK is guessed: what it sends, they send.

This module loads the SDK. It is imported by the first client that is made, and by nothing at the top of a module.
"""

from __future__ import annotations

import json
import os
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from functools import cache
from ipaddress import ip_address
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import anthropic
import httpx2
from anthropic import AsyncAnthropic, DefaultAioHttpClient
from anthropic._constants import RAW_RESPONSE_HEADER

from fanwise.addresses import VARIABLE, address_problem, without_secrets
from fanwise.errors import UsageError

from .capable import has_key, is_plain
from .failures import RequestError, failure_of
from .foreign import read_json

MESSAGES = "/v1/messages"
_AUTHORITIES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_NETWORK = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", *_AUTHORITIES)
"""Variables of the environment that the HTTP client reads."""
FRESH_S = 20.0
"""How long a pattern holds: short, since credentials may be renewed meanwhile."""
NO_HEADERS: Mapping[str, str] = {}
NO_REDIRECTS: Mapping[str, bool] = {"follow_redirects": False}
"""With each request, since a client that was passed in follows them by itself; `redirects` says why none is."""


class _Pattern(NamedTuple):
    request: httpx2.Request
    headers: list[tuple[bytes, bytes]]
    """All but the length of the body."""
    until: float


class Wire:
    """Sends requests and returns the server's responses; whatever the SDK raises becomes a `RequestError`."""

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
        self._has_answered = False
        """Whether the server has: then the client itself lacks nothing."""

    @property
    def base_url(self) -> str:
        """The server's address."""
        return str(self._sdk.base_url)

    async def close(self) -> None:
        """Close all connections."""
        await self._sdk.close()

    async def message(self, body: bytes, timeout_s: float) -> httpx2.Response:
        """Send a Messages request and return the response, read to its end.

        Raises:
            RequestError: It failed.
        """
        try:
            pattern = self._patterns.get(timeout_s)
            if self._http is None or pattern is None or pattern.until < time.monotonic():
                return await self._message_by_sdk(body, timeout_s)
            return await self._message_by_pattern(self._http, pattern, body, timeout_s)
        except Exception as error:
            raise _request_error(error) from error

    async def stream(self, body: bytes, timeout_s: float) -> httpx2.Response:
        """Send a Messages request and return the response before its body was read; the caller closes it.

        Raises:
            RequestError: It failed.
        """
        try:
            return await self._by_sdk(MESSAGES, body, timeout_s, headers={RAW_RESPONSE_HEADER: "stream"})
        except Exception as error:
            raise _request_error(error) from error

    async def post(
        self, path: str, content: bytes | AsyncIterator[bytes], timeout_s: float, size: int | None = None
    ) -> httpx2.Response:
        """Send a JSON body; one that is given in pieces never stands in memory as a whole.

        Args:
            path: Path of the endpoint.
            content: The body.
            timeout_s: Seconds that the SDK waits.
            size: Bytes of a body in pieces.

        Raises:
            RequestError: It failed.
        """
        try:
            return await self._by_sdk(path, content, timeout_s, size)
        except Exception as error:
            raise _request_error(error) from error

    async def get(self, path: str, query: Mapping[str, object] | None, timeout_s: float) -> httpx2.Response:
        """Return what stands at a path.

        Raises:
            RequestError: It failed.
        """
        return await self._get(path, {"params": dict(query or {}), "timeout": timeout_s})

    async def download(self, path: str) -> httpx2.Response:
        """Return a large response before its body was read; the caller closes it.

        Raises:
            RequestError: It failed.
        """
        return await self._get(path, {"headers": {"Accept": "application/binary", RAW_RESPONSE_HEADER: "stream"}})

    async def _get(self, path: str, options: Mapping[str, object]) -> httpx2.Response:
        try:
            return await self._sdk.get(path, cast_to=httpx2.Response, options={**options, **NO_REDIRECTS})
        except Exception as error:
            raise _request_error(error) from error

    async def _message_by_pattern(
        self, http: httpx2.AsyncClient, pattern: _Pattern, body: bytes, timeout_s: float
    ) -> httpx2.Response:
        like = pattern.request
        request = httpx2.Request(
            "POST",
            like.url,
            headers=[*pattern.headers, (b"Content-Length", b"%d" % len(body))],
            content=body,
            extensions=like.extensions,
        )
        try:
            response = await http.send(request, follow_redirects=False)
        except httpx2.TimeoutException as error:
            raise anthropic.APITimeoutError(request=request) from error
        except httpx2.HTTPError as error:
            raise anthropic.APIConnectionError(request=request) from error
        if response.status_code == 401:  # the credentials may have been renewed: the SDK knows
            self._patterns.clear()
            return await self._message_by_sdk(body, timeout_s)
        if not response.is_success:
            raise _status_error(response)
        return response

    async def _message_by_sdk(self, body: bytes, timeout_s: float) -> httpx2.Response:
        """Send a Messages request through the SDK and keep what it was sent as, for others to follow."""
        response = await self._by_sdk(MESSAGES, body, timeout_s)
        kept = [pair for pair in response.request.headers.raw if pair[0].lower() != b"content-length"]
        self._patterns[timeout_s] = _Pattern(response.request, kept, time.monotonic() + FRESH_S)
        return response

    async def _by_sdk(
        self,
        path: str,
        content: bytes | AsyncIterator[bytes],
        timeout_s: float,
        size: int | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> httpx2.Response:
        body: dict[str, Any] = {"body": json.loads(content)} if isinstance(content, bytes) else {"content": content}
        if self._plain:
            length = len(content) if isinstance(content, bytes) else size
            headers = {**headers, "Content-Type": "application/json", "Content-Length": str(length)}
            body = {"content": content}
        options = {"timeout": timeout_s, "headers": headers, **NO_REDIRECTS}
        try:
            response = await self._sdk.post(path, cast_to=httpx2.Response, options=options, **body)
        except anthropic.APIStatusError:
            self._has_answered = True
            raise
        except (RuntimeError, ValueError, ImportError) as error:
            if self._has_answered or isinstance(error, RecursionError):
                raise
            # What a client for a platform lacks, or a key that no header can hold.
            raise anthropic.AnthropicError(f"{type(error).__name__}: {error}") from error
        self._has_answered = True
        return response


def connect(base_url: str | None, api_key: str | None, connections: int) -> Wire:
    """Return a wire over a client of the SDK that is made here; retries are off.

    Args:
        base_url: Another server than the SDK's own choice.
        api_key: None: the SDK resolves credentials.
        connections: Most connections at a time.

    Raises:
        UsageError: The SDK refuses its configuration.
    """
    limits = httpx2.Limits(max_connections=connections + 8, max_keepalive_connections=connections + 8)
    address = base_url or os.environ.get(VARIABLE) or ""
    _check_address(address)
    try:
        is_away = not _is_loopback(address)
        tls = _tls(is_away, *(os.environ.get(name) for name in _AUTHORITIES))
        http = DefaultAioHttpClient(limits=limits, trust_env=is_away, verify=tls)
        sdk = AsyncAnthropic(base_url=base_url, api_key=api_key, max_retries=0, http_client=http, open_telemetry=False)
    except (anthropic.AnthropicError, httpx2.InvalidURL, ValueError, ImportError, OSError) as error:
        named = [name for name in _NETWORK if os.environ.get(name) or os.environ.get(name.lower())]
        hint = f"; look at {', '.join(named)}" if named else ""
        raise UsageError(f"the SDK cannot be set up: {' '.join(str(error).split())}{hint}") from None
    if not has_key(sdk):
        how = "set ANTHROPIC_API_KEY or ANTHROPIC_AUTH_TOKEN; an emulator takes any text"
        raise UsageError(f"no key is set for {without_secrets(str(sdk.base_url))}: {how}")
    return Wire(sdk, http)


@cache
def _tls(is_away: bool, *authorities: str | None) -> ssl.SSLContext:
    """Return the HTTP client's own settings of TLS, once for all clients: to read the authorities takes 30 ms.

    Args:
        is_away: Whether the server is on another machine, so that the environment may name authorities.
        authorities: Those that it names, by which the settings are kept.
    """
    return httpx2.create_ssl_context(trust_env=is_away)


def _check_address(address: str) -> None:
    """Refuse what is no address of a server of the API.

    Raises:
        UsageError: It is none, or has what the SDK adds itself, a password or a query.
    """
    if not address:
        return
    problem = address_problem(address)
    if problem:
        raise UsageError(f"the base URL {problem}")


def _is_loopback(address: str) -> bool:
    """Return whether a server is on this machine, where no proxy of the environment has anything to do."""
    host = urlsplit(address).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _request_error(error: Exception) -> RequestError:
    """Return what any exception of the SDK or of its HTTP client means; some errors of aiohttp pass both."""
    return RequestError(failure_of(error))


def _status_error(response: httpx2.Response) -> anthropic.APIStatusError:
    try:
        body: object = read_json(response.content)
    except ValueError:
        body = response.text
    return anthropic.APIStatusError(f"Error code: {response.status_code}", response=response, body=body)
