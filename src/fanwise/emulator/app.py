"""The routes of the API itself."""

from __future__ import annotations

from email.utils import formatdate
from typing import Any

import anyio
from aiohttp import web
from pydantic_core import from_json

from fanwise.jsonable import as_object

from .batches import BatchRegistry
from .catalog import model_info, model_infos
from .control import ControlRoutes
from .envelope import MOST_BYTES, Envelope
from .faults import Fault, Faults
from .guard import Guard
from .http import Exchange, Handler, base_url, caller_of, cut, encode, endpoint, headers, page, reply
from .limits import Limiter, pool_of
from .messages import Messages
from .problems import ApiProblem
from .recording import RecordingProxy, Replay
from .stream import send_stream

MOST_MESSAGE_BYTES = 32_000_000
_PIECE = 1 << 18


class ApiRoutes:
    """Handlers of the API's routes; one object per server."""

    def __init__(
        self,
        messages: Messages,
        batches: BatchRegistry,
        faults: Faults,
        limiter: Limiter,
        control: ControlRoutes,
        *,
        latency_s: float = 0.0,
        token: str = "",
        replay: Replay | None = None,
        recorder: RecordingProxy | None = None,
        guard: Guard | None = None,
    ) -> None:
        self.messages, self.batches, self.control = messages, batches, control
        self.faults, self.limiter = faults, limiter
        self.latency_s, self.token, self.replay, self.recorder = latency_s, token, replay, recorder
        self.clock, self.guard = messages.clock, guard or Guard()

    def app(self) -> web.Application:
        """Return the application with all routes."""
        app = web.Application(client_max_size=MOST_BYTES + 1_000_000)
        batch = "/v1/messages/batches"
        api: list[tuple[str, str, Handler]] = [
            ("POST", "/v1/messages", self.create),
            ("POST", "/v1/messages/count_tokens", self.count_tokens),
            ("POST", batch, self.batch_create),
            ("GET", batch, self.batch_list),
            ("GET", batch + "/{id}", self.batch_get),
            ("DELETE", batch + "/{id}", self.batch_delete),
            ("POST", batch + "/{id}/cancel", self.batch_cancel),
            ("GET", batch + "/{id}/results", self.batch_results),
            ("GET", "/v1/models", self.models),
            ("GET", "/v1/models/{id}", self.model),
        ]
        if self.recorder is not None:
            api = [(method, path, self.record) for method, path, _ in api]
        for method, path, handler in [*api, ("*", "/v1/{any:.*}", _unknown)]:
            app.router.add_route(method, path, endpoint(handler, self.control.note, self.guard))
        for method, path, handler in [*self.control.routes(), ("*", "/{any:.*}", _unknown)]:
            app.router.add_route(method, path, endpoint(handler, lambda exchange: None, self.guard))
        app.on_response_prepare.append(self._date)
        return app

    async def _date(self, request: web.Request, response: web.StreamResponse) -> None:
        """Date a reply by the simulated clock, where that is another than the system's."""
        if self.clock.speed != 1 or abs(self.clock.offset_s) > 1:
            response.headers["Date"] = formatdate(self.clock.now(), usegmt=True)

    async def _read(self, exchange: Exchange) -> bytes:
        raw = exchange.raw = await exchange.request.read()
        if len(raw) > MOST_MESSAGE_BYTES:
            raise ApiProblem(413, "Request exceeds the maximum size")
        return raw

    # Faults ------------------------------------------------------------------------------------

    def _fault(self, exchange: Exchange, raw: bytes = b"") -> Fault | None:
        """Return the fault that strikes a request, or None; its count goes down by one."""
        return self.faults.strike(
            path=exchange.path, model=lambda: _model_in(raw), text=lambda: raw.decode("utf-8", "replace"), item=False
        )

    async def _fail_early(self, exchange: Exchange, fault: Fault | None) -> None:
        """Delay, cut or refuse a request before it is taken, as a fault says."""
        if fault is None:
            return
        if fault.latency_s and not fault.stream:
            await anyio.sleep(fault.latency_s)
        if fault.cut:
            cut(exchange)
        if fault.status is not None and not fault.stream:
            raise fault.problem()

    # Messages ----------------------------------------------------------------------------------

    async def create(self, exchange: Exchange) -> web.StreamResponse:
        caller, raw = caller_of(exchange.request, self.token), await self._read(exchange)
        if self.replay is not None:
            recorded = self.replay.find(exchange, raw)
            if recorded is not None:
                return recorded
        fault = self._fault(exchange, raw)
        await self._fail_early(exchange, fault)
        checked = self.messages.read(raw, caller.dialect)
        body = checked.body
        name = exchange.model = body["model"]
        accepted = self.messages.accept(checked, channel="live", workspace=caller.workspace)
        fast = body.get("speed") == "fast"
        extra = self._admit(name, accepted.billing.tokens.prompt - accepted.billing.tokens.read, fast=fast)
        if self.latency_s:
            await anyio.sleep(self.latency_s)
        replied = await self.messages.reply(accepted, lambda: raw.decode("utf-8", "replace"))
        self.messages.publish(accepted)
        entry = self.messages.bill_entry(accepted, replied, exchange.id)
        if entry is not None:
            self.messages.store.charge(entry)
        if self.limiter.level is not None:
            self.limiter.draw_output(pool_of(name, fast=fast), replied.tokens.output, self.clock.now())
        if fault is not None and fault.loses_reply:
            return _lost(exchange, fault, extra)
        if body.get("stream"):
            return await send_stream(exchange, replied.message, extra, fault)
        return reply(exchange, encode(replied.message), extra)

    def _admit(self, name: str, input_tokens: int, *, fast: bool) -> dict[str, str]:
        if self.limiter.spend_pico is not None:
            self.limiter.admit_spending(self.messages.store.total, self.clock.now())
        if self.limiter.level is None:
            return {}
        return self.limiter.admit(pool_of(name, fast=fast), input_tokens, self.clock.now())

    async def count_tokens(self, exchange: Exchange) -> web.StreamResponse:
        caller, raw = caller_of(exchange.request, self.token), await self._read(exchange)
        await self._fail_early(exchange, self._fault(exchange, raw))
        self.limiter.admit_call("counts", self.clock.now())
        tokens: dict[str, Any] = {"input_tokens": self.messages.count(raw, caller.dialect)}
        if caller.dialect.beta:
            tokens["context_management"] = None
        return reply(exchange, encode(tokens))

    # Batches -----------------------------------------------------------------------------------

    async def batch_create(self, exchange: Exchange) -> web.StreamResponse:
        caller, envelope = caller_of(exchange.request, self.token), Envelope()
        async for piece in exchange.request.content.iter_chunked(_PIECE):
            envelope.feed(piece)
        requests = envelope.finish()
        fault = self.faults.strike(
            path=exchange.path, model=str, text=lambda: "".join(text for _, text in requests), item=False
        )
        if fault is not None and not fault.match:  # a match is meant for the items
            await self._fail_early(exchange, fault)
        now = self.clock.now()
        self.limiter.admit_call("batches", now)
        self.limiter.admit_spending(self.messages.store.total, now)
        self.limiter.admit_batch(self.batches.store.queued(), len(requests))
        if self.latency_s:
            await anyio.sleep(self.latency_s)
        version = caller.dialect.version + ("+beta" if caller.dialect.beta else "")
        batch_id = self.batches.create(requests, caller.workspace, version)
        if fault is not None and fault.lost:
            cut(exchange)
        return self._batch_reply(exchange, batch_id, caller.workspace)

    def _batch_reply(self, exchange: Exchange, batch_id: str, workspace: str) -> web.Response:
        batch = self.batches.get(batch_id, workspace)
        return reply(exchange, encode(self.batches.view(batch, base_url(exchange.request))))

    async def _admit_batch_call(self, exchange: Exchange) -> tuple[str, str]:
        """Let a call about batches in; return the id of the batch and the workspace."""
        caller = caller_of(exchange.request, self.token)
        await self._fail_early(exchange, self._fault(exchange))
        self.limiter.admit_call("batches", self.clock.now())
        return exchange.request.match_info.get("id", ""), caller.workspace

    async def batch_get(self, exchange: Exchange) -> web.StreamResponse:
        return self._batch_reply(exchange, *await self._admit_batch_call(exchange))

    async def batch_list(self, exchange: Exchange) -> web.StreamResponse:
        _, workspace = await self._admit_batch_call(exchange)
        batches = self.batches.store.batches(workspace)
        views = [self.batches.view(batch, base_url(exchange.request)) for batch in batches]
        return reply(exchange, encode(page(views, exchange.request)))

    async def batch_cancel(self, exchange: Exchange) -> web.StreamResponse:
        batch_id, workspace = await self._admit_batch_call(exchange)
        self.batches.cancel(batch_id, workspace)
        return self._batch_reply(exchange, batch_id, workspace)

    async def batch_delete(self, exchange: Exchange) -> web.StreamResponse:
        batch_id, workspace = await self._admit_batch_call(exchange)
        self.batches.delete(batch_id, workspace)
        return reply(exchange, encode({"id": batch_id, "type": "message_batch_deleted"}))

    async def batch_results(self, exchange: Exchange) -> web.StreamResponse:
        caller, fault = caller_of(exchange.request, self.token), self._fault(exchange)
        if fault is not None and not fault.latency_s:
            await self._fail_early(exchange, fault)
        batch = self.batches.readable(exchange.request.match_info["id"], caller.workspace)
        response = web.StreamResponse(headers={"content-type": "application/binary", **headers(exchange)})
        await response.prepare(exchange.request)
        pause_s = fault.latency_s if fault is not None else 0.0
        async for piece in self.batches.results(batch["id"], pause_s):
            if fault is not None and fault.lost:  # broken off in the middle
                cut(exchange)
            await response.write(piece)
        await response.write_eof()
        return response

    # Models ------------------------------------------------------------------------------------

    async def models(self, exchange: Exchange) -> web.StreamResponse:
        caller = caller_of(exchange.request, self.token)
        await self._fail_early(exchange, self._fault(exchange))
        return reply(exchange, encode(page(model_infos(beta=caller.dialect.beta), exchange.request)))

    async def model(self, exchange: Exchange) -> web.StreamResponse:
        caller = caller_of(exchange.request, self.token)
        await self._fail_early(exchange, self._fault(exchange))
        return reply(exchange, encode(model_info(exchange.request.match_info["id"], beta=caller.dialect.beta)))

    async def record(self, exchange: Exchange) -> web.StreamResponse:
        """Send a request on to the real API and write the exchange down."""
        assert self.recorder is not None
        return await self.recorder.forward(exchange, await exchange.request.read())


def _lost(exchange: Exchange, fault: Fault, extra: dict[str, str]) -> web.Response:
    """Cut the connection, or return what is no JSON: the message is billed, and its reply is lost."""
    if fault.lost:
        cut(exchange)
    return reply(exchange, b"{ this is no JSON", extra)


async def _unknown(exchange: Exchange) -> web.StreamResponse:
    raise ApiProblem(404, f"there is no {exchange.request.method} {exchange.path}")


def _model_in(raw: bytes) -> str:
    try:
        return str(as_object(from_json(raw)).get("model", "")) if raw else ""
    except ValueError:
        return ""
