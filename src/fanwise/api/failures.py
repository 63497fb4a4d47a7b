"""What a failed request means: the one place where it is decided.

Facts: pages "Errors" and "Rate limits" of platform.claude.com, SDK 2.12.0 `_exceptions.py` and
`_base_client.py`, read 2026-11-23.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import anthropic

from .ratelimits import RateHeaders, rate_headers

Verdict = Literal["retry", "final", "terminal", "lost"]
"""`retry`: not taken, ask again. `final`: this request will never do. `terminal`: no request will.
`lost`: it may have been taken and billed; ask again, and say so."""

_TERMINAL_CODES = {"enforced_spend_limit_reached", "contract_spend_limit_reached"}


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed request."""

    verdict: Verdict
    kind: str
    """The API's error type, or ours for a failure of the connection."""
    message: str
    status: int | None = None
    retry_after_s: float | None = None
    request_id: str = ""
    limits: RateHeaders | None = None
    """What the reply's headers say of rate limits."""

    @property
    def too_much(self) -> bool:
        """Whether it says that fewer requests are to come: a rate limit, or an overload."""
        return self.verdict == "retry" and self.status in (429, 529)


class RequestError(Exception):
    """A request failed; `failure` says how."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure)
        self.failure = failure

    def __str__(self) -> str:
        return f"{self.failure.kind}: {self.failure.message}"


def translate(error: anthropic.AnthropicError) -> Failure:
    """Return what an SDK error means."""
    if isinstance(error, anthropic.APIStatusError):
        return _status(error)
    if isinstance(error, anthropic.APITimeoutError):
        if _never_connected(error):
            return Failure("retry", "connection_error", "no connection in time")
        return Failure("lost", "timeout", "no reply in time; the request may have been billed")
    if isinstance(error, anthropic.APIConnectionError):
        if _never_connected(error):
            return Failure("retry", "connection_error", f"no connection: {_reason(error)}")
        return Failure(
            "lost", "connection_lost", f"the connection broke: {_reason(error)}; the request may have been billed"
        )
    return Failure("terminal", "client_error", str(error) or type(error).__name__)


def _reason(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return type(error).__name__


_NO_CONNECTION = {
    "ClientConnectorError", "ClientConnectorDNSError", "ClientConnectorSSLError", "ClientConnectorCertificateError",
    "ConnectionTimeoutError", "ConnectionRefusedError", "gaierror", "ConnectTimeout", "PoolTimeout",
}  # fmt: skip
"""Causes which show that a request never left.

`httpx2.ConnectError` is not among them: the SDK's aiohttp transport gives that name to every
broken connection, also to one that broke after the request was taken (SDK 2.12.0
`_vendor/httpx_aiohttp/transport.py`). Below it stands the cause that can be believed.
"""


def _never_connected(error: BaseException) -> bool:
    cause = error.__cause__
    while cause is not None:
        kind = type(cause)
        if kind.__name__ in _NO_CONNECTION or (
            kind.__name__ == "ConnectError" and kind.__module__.startswith("httpcore")
        ):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def _status(error: anthropic.APIStatusError) -> Failure:
    status, kind = error.status_code, error.type or f"http_{error.status_code}"
    message = error.api_message or error.message
    request_id = error.request_id or ""
    if status == 200:  # an error event inside of a stream, after the request was taken
        return Failure("lost", kind, message, status, None, request_id)
    if (
        status in (401, 402, 403)
        or error.error_code in _TERMINAL_CODES
        or (status == 400 and "spend limit" in message.lower())
    ):
        return Failure("terminal", kind, message, status, None, request_id)
    if status in (408, 409, 429) or status >= 500:
        # 500 and 504 leave open whether tokens were billed; the pages name no charge for errors.
        limits = rate_headers(error.response.headers) if status == 429 else None
        return Failure("retry", kind, message, status, _retry_after(error), request_id, limits)
    return Failure("final", kind, message, status, None, request_id)


def _retry_after(error: anthropic.APIStatusError) -> float | None:
    headers = error.response.headers
    try:
        if "retry-after-ms" in headers:
            return max(float(headers["retry-after-ms"]) / 1000, 0.0)
        return max(float(headers["retry-after"]), 0.0) if "retry-after" in headers else None
    except ValueError:
        return None
