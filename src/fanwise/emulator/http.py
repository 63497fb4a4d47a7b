"""What every route shares: ids, envelopes, who calls, pages.

Every reply carries `request-id` and `fanwise-emulator`; the latter tells a client that what it
reads is simulated.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn

from aiohttp import web
from pydantic_core import from_json, to_json

from .body import FIRST, LATEST, VERSIONS, Dialect
from .ids import fresh
from .problems import ApiProblem, invalid

HEADER = "fanwise-emulator"
_log = logging.getLogger("fanwise.emulator")


@dataclass(slots=True)
class Call:
    """One request on its way through a handler."""

    request: web.Request
    id: str
    """Sent back as `request-id`."""
    model: str = ""
    raw: bytes = b""
    """Its body, where a handler has read it as a whole."""
    status: int = 0

    @property
    def path(self) -> str:
        """Path of the URL."""
        return self.request.path


Handler = Callable[[Call], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and by which rules."""

    workspace: str
    dialect: Dialect


def listing(data: list[dict[str, Any]], more: bool) -> dict[str, Any]:
    """Return a page in the API's form."""
    ids = [one["id"] for one in data]
    return {"data": data, "has_more": more, "first_id": ids[0] if ids else None, "last_id": ids[-1] if ids else None}


def page(data: list[dict[str, Any]], request: web.Request) -> tuple[list[dict[str, Any]], bool]:
    """Return the asked part of a list, and whether there is more in the asked direction."""
    try:
        limit = int(request.query.get("limit", "20"))
    except ValueError:
        limit = 0
    if not 1 <= limit <= 1000:
        raise invalid("limit: Input should be between 1 and 1000")
    ids = [one["id"] for one in data]
    after, before = request.query.get("after_id"), request.query.get("before_id")
    for name, given in (("after_id", after), ("before_id", before)):
        if given is not None and given not in ids:
            raise invalid(f"{name}: there is nothing with id {given!r}")
    start = ids.index(after) + 1 if after is not None else 0
    end = ids.index(before) if before is not None else len(ids)
    if before is not None and after is None:  # the page right in front of it
        return data[max(end - limit, 0) : end], end > limit
    return data[start:end][:limit], end - start > limit


def parse(raw: bytes) -> Any:
    """Return a JSON body."""
    try:
        return from_json(raw)
    except ValueError:
        raise invalid("The request body is not valid JSON") from None


def caller_of(request: web.Request, token: str = "") -> Caller:
    """Return who calls: a hash of the key, which is kept nowhere else, and of the workspace asked for.

    `x-api-key` wins where both forms are sent.

    Raises:
        ApiProblem: There is no key (401), or the version is missing or unknown (400).
    """
    given = request.headers
    key = given.get("x-api-key") or given.get("authorization", "").removeprefix("Bearer ").strip()
    if not key:
        raise ApiProblem(401, "x-api-key header is required")
    if token and not hmac.compare_digest(key.encode(), token.encode()):
        raise ApiProblem(401, "invalid x-api-key")
    version = given.get("anthropic-version")
    if version is None:
        raise invalid("anthropic-version: header is required")
    if version not in VERSIONS:
        raise invalid(f"anthropic-version: {version!r} is not a valid version; {LATEST} and {FIRST} are")
    beta = bool(request.query_string) and request.query.get("beta") == "true"
    return _caller(key, given.get("anthropic-workspace-id", ""), version, given.get("anthropic-beta", ""), beta)


@lru_cache(maxsize=1024)
def _caller(key: str, workspace: str, version: str, betas: str, beta: bool) -> Caller:
    named = frozenset(one.strip() for one in betas.split(",") if one.strip())
    scope = hashlib.sha256(f"{key}\0{workspace}".encode()).hexdigest()[:16]
    return Caller(scope, Dialect(version, named, beta or bool(named)))


def base_url(request: web.Request) -> str:
    """Return the address under which the client sees this server."""
    return f"{request.scheme}://{request.host}"


def headers(call: Call) -> dict[str, str]:
    """Return the headers of every reply."""
    return {"request-id": call.id, "anthropic-organization-id": "org_emulator", HEADER: "simulated"}


class _ConnectionCutError(Exception):
    pass


def cut(call: Call) -> NoReturn:
    """Break the connection without a word."""
    if call.request.transport is not None:
        call.request.transport.abort()
    raise _ConnectionCutError


def encode(data: object) -> bytes:
    """Return JSON in UTF-8; half a surrogate pair, which a stand-in may have made, is escaped."""
    try:
        return to_json(data)
    except ValueError:
        return json.dumps(data).encode()


def reply(call: Call, body: bytes, extra: dict[str, str] | None = None, status: int = 200) -> web.Response:
    """Return a JSON reply with the headers of every reply."""
    found = {"content-type": "application/json", **headers(call)}
    return web.Response(body=body, status=status, headers={**found, **extra} if extra else found)


def endpoint(handler: Handler, note: Callable[[Call], None]) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Give every request of a route an id, and turn every error into the documented envelope.

    A wrapper and not a middleware: those cost a fifth of the time of a plain message.

    Args:
        handler: Answers a call.
        note: Told of every call when it was answered.
    """

    async def run(request: web.Request) -> web.StreamResponse:
        call = Call(request, fresh("req"))
        try:
            response = await handler(call)
        except ApiProblem as problem:
            response = _refusal(call, problem)
        except web.HTTPException as error:
            response = _refusal(call, ApiProblem(413 if error.status == 413 else 400, error.reason or "Bad request"))
        except _ConnectionCutError:
            note(call)
            return web.Response()  # goes nowhere: the transport is gone
        except Exception:
            _log.exception("a request to the emulator failed")
            response = _refusal(call, ApiProblem(500, "Internal server error"))
        call.status = response.status
        note(call)
        return response

    return run


def _refusal(call: Call, problem: ApiProblem) -> web.Response:
    extra = dict(problem.headers)
    if problem.retry_after is not None:
        extra["retry-after"] = f"{problem.retry_after:g}"
    return reply(call, encode(problem.envelope(call.id)), extra, problem.status)
