"""What a failed request means: the one place where it is decided.

Facts: pages "Errors" and "Rate limits" of platform.claude.com, SDK 2.12.0 `_exceptions.py` and
`_base_client.py`, read 2026-11-23.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Literal

from fanwise.foreign import reason
from fanwise.jsonable import as_object

from .foreign import words
from .lines import BrokenBodyError
from .origin import is_of_network, root_of
from .ratelimits import RateHeaders, rate_headers
from .redirects import REDIRECTED, redirect_words
from .refused import BAD_REQUEST, NO_REVIEW, is_account

if TYPE_CHECKING:
    import anthropic

Verdict = Literal["retry", "final", "terminal", "lost", "broken"]
"""`retry`: not taken, ask again. `final`: this request will never do. `terminal`: no request will.
`lost`: it may have been taken and billed; ask again, and say so. `broken`: likewise, but what has failed is this
process and no server: the same again fails again, and no waiting helps."""

MALFORMED = "malformed_reply"
"""Kind of a reply of an odd shape: nothing can be made of it."""
BROKEN = "internal_error"
"""Kind of a failure of this process while a request was on its way."""
_OF_US = (
    "no server has failed but this process, while the request was on its way: a bug of fanwise, or what it runs on was "
    "taken from it, such as by sys.setrecursionlimit; the request may have been billed"
)
_NEVER = frozenset({"invalid_request_error", "not_found_error", "request_too_large"})
"""Types of errors after which the same request fails again, where no status says it."""


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
    code: str = ""
    """`error.details.error_code`, where there is one."""

    @property
    def not_by_batch(self) -> bool:
        """Whether the workspace takes no batches, while live calls will do."""
        return self.code == NO_REVIEW

    @property
    def is_hopeless(self) -> bool:
        """Whether asking again brings nothing, whatever is asked for."""
        return self.verdict in ("terminal", "broken")

    @property
    def is_unsure(self) -> bool:
        """Whether the request may have been taken and billed."""
        return self.verdict in ("lost", "broken")

    @property
    def is_redirect(self) -> bool:
        """Whether the server names another address: that is the fault of no request."""
        return self.kind == REDIRECTED

    @property
    def is_away(self) -> bool:
        """Whether nobody answers who could: there is no connection, or the server fails by itself."""
        lost = self.verdict == "lost" and self.kind == "connection_lost"
        return lost or (self.verdict == "retry" and (self.kind == "connection_error" or (self.status or 0) >= 500))

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


def failure_of(error: Exception) -> Failure:
    """Return what any exception means that came out of a call, of the SDK or not."""
    import anthropic  # here: whoever calls has loaded it

    if not is_of_network(error):
        root = root_of(error)
        return Failure(verdict="broken", kind=BROKEN, message=f"{reason(root)}; {_OF_US}")
    return translate(error) if isinstance(error, anthropic.AnthropicError) else _unforeseen(error)


@contextmanager
def requesting() -> Generator[None]:
    """Raise as a `RequestError` whatever breaks in a call: of the SDK, or of what is made here of what came."""
    try:
        yield
    except (RequestError, BrokenBodyError):
        raise
    except Exception as error:
        raise RequestError(failure_of(error)) from error


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
    words_of_system = error.strerror if isinstance(error, OSError) and isinstance(error.errno, int) else None
    return f"{type(error).__name__}: {words_of_system}" if words_of_system else type(error).__name__


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


def _unforeseen(error: Exception) -> Failure:
    """Return what an error means that neither the SDK nor its HTTP client has a name for."""
    text = f"the connection broke: {type(error).__name__}; the request may have been billed"
    return Failure(verdict="lost", kind="connection_lost", message=text)


def failure_in_reply(error: Mapping[str, Any], request_id: str) -> Failure:
    """Return what an error means that came in the place of a message, behind status 200.

    The request may have been taken and billed, unless the error says that this one, or none, will ever do.
    """
    kind, message = words(error.get("type"), "api_error"), words(error.get("message"), "an error behind status 200")
    verdict = _by_type(200, error, kind, message, otherwise="lost")
    return Failure(verdict=verdict, kind=kind, message=message, status=200, request_id=request_id)


def item_failure(result: Mapping[str, Any]) -> Failure:
    """Return what the error of a batch's item means."""
    error = as_object(result.get("error"))
    kind, message = words(error.get("type"), "api_error"), words(error.get("message"))
    verdict = _by_type(None, error, kind, message, otherwise="retry")
    status = BAD_REQUEST if verdict == "final" and kind == "invalid_request_error" else None
    request_id = words(result.get("request_id"))
    return Failure(verdict=verdict, kind=kind, message=message, status=status, request_id=request_id)


def _by_type(status: int | None, error: Mapping[str, Any], kind: str, message: str, *, otherwise: Verdict) -> Verdict:
    """Return what an error means that came without a status of its own."""
    if is_account(status, kind, _code(error), message):
        return "terminal"
    return "final" if kind in _NEVER else otherwise


def _code(error: Mapping[str, Any]) -> str:
    return words(as_object(error.get("details")).get("error_code"))


def _status(error: anthropic.APIStatusError) -> Failure:
    stated, status = as_object(as_object(error.body).get("error")), error.status_code
    kind, code = words(stated.get("type"), f"http_{status}"), _code(stated)
    message = words(stated.get("message")) or words(error.message, f"HTTP status {status}")
    if elsewhere := redirect_words(error.response):
        kind, message = REDIRECTED, words(elsewhere)
    verdict = _verdict(status, kind, code, message)
    return Failure(
        verdict=verdict,
        kind=kind,
        message=message,
        status=status,
        retry_after_s=_retry_after(error) if verdict == "retry" else None,
        request_id=words(error.request_id),
        limits=rate_headers(error.response.headers) if status == 429 and verdict == "retry" else None,
        code=code,
    )


def _verdict(status: int, kind: str, code: str, message: str) -> Verdict:
    """Return what a status means for the request."""
    if is_account(status, kind, code, message):
        return "terminal"
    if status < 300:  # an error event inside of a stream, after the request was taken
        return "lost"
    if status in (408, 409, 429) or status >= 500:
        # 500 and 504 leave open whether tokens were billed; the pages name no charge for errors.
        return "retry"
    return "final"


def _retry_after(error: anthropic.APIStatusError) -> float | None:
    """Return after how many seconds to come again; None where the server says nothing that is understood."""
    headers = error.response.headers
    milliseconds, text = _number(headers.get("retry-after-ms", "")), headers.get("retry-after", "")
    seconds = _number(text) if milliseconds is None else milliseconds / 1000
    if seconds is None:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
    return max(seconds, 0.0)


def _number(text: str) -> float | None:
    """Return a finite number, or None."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
