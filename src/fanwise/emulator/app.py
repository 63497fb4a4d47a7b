"""The HTTP surface: routes, headers, error envelopes, server-sent events.

Every reply carries `request-id` and `fanwise-emulator`; the latter tells a client that what it
reads is simulated.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, cast

import anyio
from aiohttp import web

from fanwise.jsonable import as_list, as_object

from .batches import MOST_BYTES, Batches, view
from .clock import Clock, iso
from .faults import Fault, Faults
from .messages import Messages
from .problems import ApiProblem, invalid
from .store import Store
from .tables import MODELS, find

HEADER = "fanwise-emulator"
REQUEST_ID = web.RequestKey("request_id", str)
MOST_MESSAGE_BYTES = 32_000_000
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Api:
    """Handlers over the rules; one object per server."""

    def __init__(
        self, store: Store, clock: Clock, messages: Messages, batches: Batches, faults: Faults, latency_s: float
    ) -> None:
        self.store, self.clock, self.messages, self.batches, self.faults = store, clock, messages, batches, faults
        self.latency_s = latency_s

    def app(self) -> web.Application:
        """Return the application with all routes."""
        app = web.Application(client_max_size=MOST_BYTES + 1_000_000, middlewares=[_edge])
        batch = "/v1/messages/batches"
        app.add_routes(
            [
                web.post("/v1/messages", self.create),
                web.post("/v1/messages/count_tokens", self.count_tokens),
                web.post(batch, self.batch_create),
                web.get(batch, self.batch_list),
                web.get(batch + "/{id}", self.batch_get),
                web.delete(batch + "/{id}", self.batch_delete),
                web.post(batch + "/{id}/cancel", self.batch_cancel),
                web.get(batch + "/{id}/results", self.batch_results),
                web.get("/v1/models", self.models),
                web.get("/v1/models/{id}", self.model),
                web.get("/_emulator/bill", self.bill),
                web.post("/_emulator/faults", self.add_fault),
                web.delete("/_emulator/faults", self.clear_faults),
                web.post("/_emulator/clock", self.move_clock),
                web.post("/_emulator/reset", self.reset),
            ]
        )
        return app

    # Messages ----------------------------------------------------------------------------------

    async def create(self, request: web.Request) -> web.StreamResponse:
        workspace, raw = _workspace(request), await request.read()
        if len(raw) > MOST_MESSAGE_BYTES:
            raise ApiProblem(413, "Request exceeds the maximum size")
        body = _parse(raw)
        model = str(as_object(body).get("model", ""))
        fault = (
            self.faults.strike(path=request.path, model=model, text=raw.decode("utf-8", "replace"), item=False)
            if self.faults.rules
            else None
        )
        if fault is not None:
            await self._suffer(request, fault)
        self.messages.check(body)
        accepted = self.messages.accept(body, channel="live", workspace=workspace)
        if self.latency_s:
            await anyio.sleep(self.latency_s)
        message = await self.messages.reply(accepted)
        self.messages.publish(accepted)
        request_id = request[REQUEST_ID]
        self.messages.charge(accepted, message, entry_id=request_id)
        if fault is not None and fault.lost:
            _cut(request)
        if fault is not None and fault.malformed:
            return web.Response(text="{ this is no JSON", content_type="application/json")
        if as_object(body).get("stream"):
            return await _stream(request, message)
        return web.json_response(message)

    async def _bare(self, request: web.Request) -> None:
        """Let the faults of a request without a body strike."""
        fault = self.faults.strike(path=request.path, model="", text="", item=False) if self.faults.rules else None
        if fault is not None:
            await self._suffer(request, fault)

    async def _suffer(self, request: web.Request, fault: Fault) -> None:
        if fault.latency_s:
            await anyio.sleep(fault.latency_s)
        if fault.cut:
            _cut(request)
        if fault.status is not None:
            raise fault.problem()

    async def count_tokens(self, request: web.Request) -> web.Response:
        _workspace(request)
        return web.json_response({"input_tokens": self.messages.count(_parse(await request.read()))})

    # Batches -----------------------------------------------------------------------------------

    async def batch_create(self, request: web.Request) -> web.Response:
        workspace, raw = _workspace(request), await request.read()
        fault = (
            self.faults.strike(path=request.path, model="", text=raw.decode("utf-8", "replace"), item=False)
            if self.faults.rules
            else None
        )
        if fault is not None and not fault.match:
            await self._suffer(request, fault)
        if self.latency_s:
            await anyio.sleep(self.latency_s)
        batch_id = self.batches.create(_parse(raw), len(raw), workspace)
        if fault is not None and fault.lost:
            _cut(request)
        return self._batch(request, batch_id, workspace)

    def _batch(self, request: web.Request, batch_id: str, workspace: str) -> web.Response:
        return web.json_response(view(self.batches.get(batch_id, workspace), _base(request)))

    async def batch_get(self, request: web.Request) -> web.Response:
        workspace = _workspace(request)
        await self._bare(request)
        return self._batch(request, request.match_info["id"], workspace)

    async def batch_list(self, request: web.Request) -> web.Response:
        workspace = _workspace(request)
        await self._bare(request)
        found = self.batches.store.batches(workspace)
        data, more = _page([view(batch, _base(request)) for batch in found], request)
        return web.json_response(_listing(data, more))

    async def batch_cancel(self, request: web.Request) -> web.Response:
        workspace = _workspace(request)
        self.batches.cancel(request.match_info["id"], workspace)
        return self._batch(request, request.match_info["id"], workspace)

    async def batch_delete(self, request: web.Request) -> web.Response:
        self.batches.delete(request.match_info["id"], _workspace(request))
        return web.json_response({"id": request.match_info["id"], "type": "message_batch_deleted"})

    async def batch_results(self, request: web.Request) -> web.StreamResponse:
        workspace = _workspace(request)
        fault = self.faults.strike(path=request.path, model="", text="", item=False) if self.faults.rules else None
        if fault is not None and not fault.latency_s:
            await self._suffer(request, fault)
        batch = self.batches.get(request.match_info["id"], workspace)
        if batch["status"] != "ended":
            raise invalid(f"batch {batch['id']} has not ended")
        response = web.StreamResponse(headers={"content-type": "application/binary", **_headers(request)})
        await response.prepare(request)
        async for piece in self.batches.results(batch["id"], fault.latency_s if fault is not None else 0.0):
            await response.write(piece)
        await response.write_eof()
        return response

    # Models ------------------------------------------------------------------------------------

    async def models(self, request: web.Request) -> web.Response:
        _workspace(request)
        await self._bare(request)
        data, more = _page([_model(name) for name in MODELS], request)
        return web.json_response(_listing(data, more))

    async def model(self, request: web.Request) -> web.Response:
        _workspace(request)
        await self._bare(request)
        if find(request.match_info["id"]) is None:
            raise ApiProblem(404, f"model: {request.match_info['id']}")
        return web.json_response(_model(request.match_info["id"]))

    # Control -----------------------------------------------------------------------------------

    async def bill(self, request: web.Request) -> web.Response:
        """Return the totals and, unless `entries=0`, every entry; of one run with `run=ID`."""
        run = request.query.get("run")
        totals = self.store.totals(run)
        entries = list(self.store.bill(run)) if request.query.get("entries", "1") != "0" else []
        shown = [{**one, "usd": _usd(one["pico"])} for one in entries]
        priced = {**totals, "usd": _usd(totals["pico"])}
        return web.json_response({"simulated": True, "totals": priced, "entries": shown})

    async def add_fault(self, request: web.Request) -> web.Response:
        data = _parse(await request.read())
        rules = as_list(data) or [data]
        for rule in rules:
            if not isinstance(rule, dict):
                raise invalid("a fault is an object")
            self.faults.add(as_object(cast("object", rule)))
        return web.json_response({"rules": len(self.faults.rules)})

    async def clear_faults(self, request: web.Request) -> web.Response:
        self.faults.rules.clear()
        return web.json_response({"rules": 0})

    async def move_clock(self, request: web.Request) -> web.Response:
        try:
            self.clock.advance(float(_parse(await request.read())["advance_s"]))
        except (KeyError, TypeError, ValueError) as error:
            raise invalid(f"advance_s: {error}") from None
        self.store.put("clock_offset_s", str(self.clock.offset_s))
        self.batches.wake()
        return web.json_response({"now": iso(self.clock.now())})

    async def reset(self, request: web.Request) -> web.Response:
        self.store.reset()
        self.faults.rules.clear()
        return web.json_response({"reset": True})


def _usd(pico: int) -> str:
    whole, rest = divmod(pico, 10**12)
    digits = f"{rest:012d}".rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)


def _model(name: str) -> dict[str, Any]:
    known = find(name)
    assert known is not None, name
    return {
        "id": name, "type": "model", "display_name": name, "created_at": "2026-01-01T00:00:00Z", "lifecycle": "active",
        "deprecated_at": None, "retires_at": None, "line": known.line, "max_input_tokens": known.max_input,
        "max_tokens": known.max_output, "capabilities": None,
    }  # fmt: skip


def _listing(data: list[dict[str, Any]], more: bool) -> dict[str, Any]:
    ids = [one["id"] for one in data]
    return {"data": data, "has_more": more, "first_id": ids[0] if ids else None, "last_id": ids[-1] if ids else None}


def _page(data: list[dict[str, Any]], request: web.Request) -> tuple[list[dict[str, Any]], bool]:
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


def _parse(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise invalid("The request body is not valid JSON") from None


def _workspace(request: web.Request) -> str:
    """Return what stands for the workspace: a hash of the key, which is kept nowhere else."""
    key = request.headers.get("x-api-key") or request.headers.get("authorization", "").removeprefix("Bearer ").strip()
    if not key:
        raise ApiProblem(401, "x-api-key header is required")
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def _base(request: web.Request) -> str:
    return f"{request.scheme}://{request.host}"


def _headers(request: web.Request) -> dict[str, str]:
    return {"request-id": request[REQUEST_ID], "anthropic-organization-id": "org_emulator", HEADER: "simulated"}


class _ConnectionCutError(Exception):
    pass


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
    raise _ConnectionCutError


@web.middleware
async def _edge(request: web.Request, handler: Handler) -> web.StreamResponse:
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
        response.headers.update({**_headers(request), **extra})
    return response


async def _stream(request: web.Request, message: dict[str, Any]) -> web.StreamResponse:
    """Send a message as server-sent events in the documented order ("Streaming", read 2026-11-23)."""
    response = web.StreamResponse(
        headers={"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache", **_headers(request)}
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
