"""What a failed request means: the one place where it is decided.

Facts: pages "Errors" and "Rate limits" of platform.claude.com, SDK 2.12.0 `_exceptions.py` and
`_base_client.py`, read 2026-11-23.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from .ratelimits import RateHeaders, rate_headers

if TYPE_CHECKING:
    import anthropic

Verdict = Literal["retry", "final", "terminal", "lost"]
"""`retry`: not taken, ask again. `final`: this request will never do. `terminal`: no request will.
`lost`: it may have been taken and billed; ask again, and say so."""

_TERMINAL_CODES = {"enforced_spend_limit_reached", "contract_spend_limit_reached"}


@dataclass(frozen=True, slots=True, kw_only=True)
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
    import anthropic  # here: what raised the error has loaded it

    if isinstance(error, anthropic.APIStatusError):
        return _status(error)
    if isinstance(error, anthropic.APITimeoutError):
        if _never_connected(error):
            return Failure(verdict="retry", kind="connection_error", message="no connection in time")
        text = "no reply in time; the request may have been billed"
        return Failure(verdict="lost", kind="timeout", message=text)
    if isinstance(error, anthropic.APIConnectionError):
        if _never_connected(error):
            return Failure(verdict="retry", kind="connection_error", message=f"no connection: {_reason(error)}")
        text = f"the connection broke: {_reason(error)}; the request may have been billed"
        return Failure(verdict="lost", kind="connection_lost", message=text)
    return Failure(verdict="terminal", kind="client_error", message=str(error) or type(error).__name__)


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
    message = error.api_message or error.message
    status, verdict = error.status_code, _verdict(error.status_code, error.error_code, message)
    return Failure(
        verdict=verdict,
        kind=error.type or f"http_{status}",
        message=message,
        status=status,
        retry_after_s=_retry_after(error) if verdict == "retry" else None,
        request_id=error.request_id or "",
        limits=rate_headers(error.response.headers) if status == 429 and verdict == "retry" else None,
    )


def _verdict(status: int, code: str | None, message: str) -> Verdict:
    """Return what a status means for the request."""
    if status == 200:  # an error event inside of a stream, after the request was taken
        return "lost"
    if status in (401, 402, 403) or code in _TERMINAL_CODES or (status == 400 and "spend limit" in message.lower()):
        return "terminal"
    if status in (408, 409, 429) or status >= 500:
        # 500 and 504 leave open whether tokens were billed; the pages name no charge for errors.
        return "retry"
    return "final"


def _retry_after(error: anthropic.APIStatusError) -> float | None:
    headers = error.response.headers
    try:
        if "retry-after-ms" in headers:
            return max(float(headers["retry-after-ms"]) / 1000, 0.0)
        return max(float(headers["retry-after"]), 0.0) if "retry-after" in headers else None
    except ValueError:
        return None
