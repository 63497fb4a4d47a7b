"""The routes of the API itself."""

from __future__ import annotations

from typing import Any

import anyio
from aiohttp import web

from fanwise.jsonable import as_object

from .batches import MOST_BYTES, Batches, view
from .control import Control
from .faults import Fault, Faults
from .http import REQUEST_ID, base_url, cut, edge, headers, listing, page, parse, workspace_of
from .messages import Messages
from .problems import ApiProblem, invalid
from .stream import send_stream
from .tables import MODELS, find

MOST_MESSAGE_BYTES = 32_000_000


class Api:
    """Handlers over the rules; one object per server."""

    def __init__(
        self, messages: Messages, batches: Batches, faults: Faults, control: Control, latency_s: float
    ) -> None:
        self.messages, self.batches, self.faults, self.control = messages, batches, faults, control
        self.latency_s = latency_s

    def app(self) -> web.Application:
        """Return the application with all routes."""
        app = web.Application(client_max_size=MOST_BYTES + 1_000_000, middlewares=[edge])
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
                *self.control.routes(),
            ]
        )
        return app

    # Messages ----------------------------------------------------------------------------------

    async def create(self, request: web.Request) -> web.StreamResponse:
        workspace, raw = workspace_of(request), await request.read()
        if len(raw) > MOST_MESSAGE_BYTES:
            raise ApiProblem(413, "Request exceeds the maximum size")
        body = parse(raw)
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
            cut(request)
        if fault is not None and fault.malformed:
            return web.Response(text="{ this is no JSON", content_type="application/json")
        if as_object(body).get("stream"):
            return await send_stream(request, message)
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
            cut(request)
        if fault.status is not None:
            raise fault.problem()

    async def count_tokens(self, request: web.Request) -> web.Response:
        workspace_of(request)
        return web.json_response({"input_tokens": self.messages.count(parse(await request.read()))})

    # Batches -----------------------------------------------------------------------------------

    async def batch_create(self, request: web.Request) -> web.Response:
        workspace, raw = workspace_of(request), await request.read()
        fault = (
            self.faults.strike(path=request.path, model="", text=raw.decode("utf-8", "replace"), item=False)
            if self.faults.rules
            else None
        )
        if fault is not None and not fault.match:
            await self._suffer(request, fault)
        if self.latency_s:
            await anyio.sleep(self.latency_s)
        batch_id = self.batches.create(parse(raw), len(raw), workspace)
        if fault is not None and fault.lost:
            cut(request)
        return self._batch(request, batch_id, workspace)

    def _batch(self, request: web.Request, batch_id: str, workspace: str) -> web.Response:
        return web.json_response(view(self.batches.get(batch_id, workspace), base_url(request)))

    async def batch_get(self, request: web.Request) -> web.Response:
        workspace = workspace_of(request)
        await self._bare(request)
        return self._batch(request, request.match_info["id"], workspace)

    async def batch_list(self, request: web.Request) -> web.Response:
        workspace = workspace_of(request)
        await self._bare(request)
        found = self.batches.store.batches(workspace)
        data, more = page([view(batch, base_url(request)) for batch in found], request)
        return web.json_response(listing(data, more))

    async def batch_cancel(self, request: web.Request) -> web.Response:
        workspace = workspace_of(request)
        self.batches.cancel(request.match_info["id"], workspace)
        return self._batch(request, request.match_info["id"], workspace)

    async def batch_delete(self, request: web.Request) -> web.Response:
        self.batches.delete(request.match_info["id"], workspace_of(request))
        return web.json_response({"id": request.match_info["id"], "type": "message_batch_deleted"})

    async def batch_results(self, request: web.Request) -> web.StreamResponse:
        workspace = workspace_of(request)
        fault = self.faults.strike(path=request.path, model="", text="", item=False) if self.faults.rules else None
        if fault is not None and not fault.latency_s:
            await self._suffer(request, fault)
        batch = self.batches.get(request.match_info["id"], workspace)
        if batch["status"] != "ended":
            raise invalid(f"batch {batch['id']} has not ended")
        response = web.StreamResponse(headers={"content-type": "application/binary", **headers(request)})
        await response.prepare(request)
        async for piece in self.batches.results(batch["id"], fault.latency_s if fault is not None else 0.0):
            await response.write(piece)
        await response.write_eof()
        return response

    # Models ------------------------------------------------------------------------------------

    async def models(self, request: web.Request) -> web.Response:
        workspace_of(request)
        await self._bare(request)
        data, more = page([_model(name) for name in MODELS], request)
        return web.json_response(listing(data, more))

    async def model(self, request: web.Request) -> web.Response:
        workspace_of(request)
        await self._bare(request)
        if find(request.match_info["id"]) is None:
            raise ApiProblem(404, f"model: {request.match_info['id']}")
        return web.json_response(_model(request.match_info["id"]))


def _model(name: str) -> dict[str, Any]:
    known = find(name)
    assert known is not None, name
    return {
        "id": name, "type": "model", "display_name": name, "created_at": "2026-01-01T00:00:00Z", "lifecycle": "active",
        "deprecated_at": None, "retires_at": None, "line": known.line, "max_input_tokens": known.max_input,
        "max_tokens": known.max_output, "capabilities": None,
    }  # fmt: skip
