"""What every route shares: ids, envelopes, workspaces, pages.

Every reply carries `request-id` and `fanwise-emulator`; the latter tells a client that what it
reads is simulated.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

from aiohttp import web

from .problems import ApiProblem, invalid

HEADER = "fanwise-emulator"
REQUEST_ID = web.RequestKey("request_id", str)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def listing(data: list[dict[str, Any]], more: bool) -> dict[str, Any]:
    """Return a page in the API's form."""
    ids = [one["id"] for one in data]
    return {"data": data, "has_more": more, "first_id": ids[0] if ids else None, "last_id": ids[-1] if ids else None}


def page(data: list[dict[str, Any]], request: web.Request) -> tuple[list[dict[str, Any]], bool]:
    """Return the asked part of a list, and whether there is more behind it."""
    try:
        limit = int(request.query.get("limit", "20"))
    except ValueError:
        limit = 0
    if not 1 <= limit <= 1000:
        raise invalid("limit: Input should be between 1 and 1000")
    ids = [one["id"] for one in data]
    after, before = request.query.get("after_id"), request.query.get("before_id")
    if after in ids:
        data = data[ids.index(after) + 1 :]
    if before in ids:
        data = data[max(ids.index(before) - limit, 0) : ids.index(before)]
    return data[:limit], len(data) > limit


def parse(raw: bytes) -> Any:
    """Return a JSON body."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise invalid("The request body is not valid JSON") from None


def workspace_of(request: web.Request) -> str:
    """Return what stands for the workspace: a hash of the key, which is kept nowhere else."""
    key = request.headers.get("x-api-key") or request.headers.get("authorization", "").removeprefix("Bearer ").strip()
    if not key:
        raise ApiProblem(401, "x-api-key header is required")
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def base_url(request: web.Request) -> str:
    """Return the address under which the client sees this server."""
    return f"{request.scheme}://{request.host}"


def headers(request: web.Request) -> dict[str, str]:
    """Return the headers of every reply."""
    return {"request-id": request[REQUEST_ID], "anthropic-organization-id": "org_emulator", HEADER: "simulated"}


class _ConnectionCutError(Exception):
    pass


def cut(request: web.Request) -> NoReturn:
    """Break the connection without a word."""
    if request.transport is not None:
        request.transport.abort()
    raise _ConnectionCutError


@web.middleware
async def edge(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give every request an id and turn every error into the documented envelope."""
    request_id = request[REQUEST_ID] = f"req_{secrets.token_hex(12)}"
    extra: dict[str, str] = {}
    try:
        response = await handler(request)
    except ApiProblem as problem:
        if problem.retry_after is not None:
            extra["retry-after"] = f"{problem.retry_after:g}"
        response = web.json_response(problem.envelope(request_id), status=problem.status)
    except web.HTTPException as error:
        status = error.status if error.status in (404, 413) else 404 if error.status == 405 else 400
        response = web.json_response(
            ApiProblem(status, error.reason or "Not found").envelope(request_id), status=status
        )
    except _ConnectionCutError:
        return web.Response()  # goes nowhere: the transport is gone
    if not response.prepared:
        response.headers.update({**headers(request), **extra})
    return response
