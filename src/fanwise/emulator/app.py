"""The routes of the API itself."""

from __future__ import annotations

from typing import Any

import anyio
from aiohttp import web
from pydantic_core import from_json

from fanwise.jsonable import as_object

from .batches import Batches
from .catalog import info, infos
from .control import Control
from .envelope import MOST_BYTES, Envelope
from .faults import Fault, Faults
from .http import Call, Handler, base_url, caller_of, cut, encode, endpoint, headers, listing, page, reply
from .limits import Limiter, pool_of
from .messages import Messages
from .problems import ApiProblem
from .recording import Recorder, Replay
from .stream import send_stream

MOST_MESSAGE_BYTES = 32_000_000
_PIECE = 1 << 18


class Api:
    """Handlers over the rules; one object per server."""

    def __init__(
        self,
        messages: Messages,
        batches: Batches,
        faults: Faults,
        limiter: Limiter,
        control: Control,
        *,
        latency_s: float = 0.0,
        token: str = "",
        replay: Replay | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        self.messages, self.batches, self.faults, self.limiter, self.control = (
            messages,
            batches,
            faults,
            limiter,
            control,
        )
        self.latency_s, self.token, self.replay, self.recorder = latency_s, token, replay, recorder
        self.clock = messages.clock

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
            app.router.add_route(method, path, endpoint(handler, self.control.note))
        for method, path, handler in [*self.control.routes(), ("*", "/{any:.*}", _unknown)]:
            app.router.add_route(method, path, endpoint(handler, lambda call: None))
        return app

    async def _read(self, call: Call) -> bytes:
        raw = call.raw = await call.request.read()
        if len(raw) > MOST_MESSAGE_BYTES:
            raise ApiProblem(413, "Request exceeds the maximum size")
        return raw

    # Faults ------------------------------------------------------------------------------------

    def _fault(self, call: Call, raw: bytes = b"") -> Fault | None:
        """Return the fault that strikes a request."""
        return self.faults.strike(
            path=call.path, model=lambda: _model_in(raw), text=lambda: raw.decode("utf-8", "replace"), item=False
        )

    async def _suffer(self, call: Call, fault: Fault | None) -> None:
        """Let a fault strike before the request is taken."""
        if fault is None:
            return
        if fault.latency_s and not fault.stream:
            await anyio.sleep(fault.latency_s)
        if fault.cut:
            cut(call)
        if fault.status is not None and not fault.stream:
            raise fault.problem()

    # Messages ----------------------------------------------------------------------------------

    async def create(self, call: Call) -> web.StreamResponse:
        caller, raw = caller_of(call.request, self.token), await self._read(call)
        if self.replay is not None:
            found = self.replay.find(call, raw)
            if found is not None:
                return found
        fault = self._fault(call, raw)
        await self._suffer(call, fault)
        checked = self.messages.read(raw, caller.dialect)
        body = checked.body
        name = call.model = body["model"]
        accepted = self.messages.accept(checked, channel="live", workspace=caller.workspace)
        fast = body.get("speed") == "fast"
        extra = self._admit(name, accepted.account.tokens.prompt - accepted.account.tokens.read, fast=fast)
        if self.latency_s:
            await anyio.sleep(self.latency_s)
        replied = await self.messages.reply(accepted, lambda: raw.decode("utf-8", "replace"))
        self.messages.publish(accepted)
        entry = self.messages.entry(accepted, replied, call.id)
        if entry is not None:
            self.messages.store.charge(entry)
        if self.limiter.level is not None:
            self.limiter.draw_output(pool_of(name, fast=fast), replied.tokens.output, self.clock.now())
        if fault is not None and fault.lost:
            cut(call)
        if fault is not None and fault.malformed:
            return reply(call, b"{ this is no JSON", extra)
        if body.get("stream"):
            return await send_stream(call, replied.message, extra, fault)
        return reply(call, encode(replied.message), extra)

    def _admit(self, name: str, input_tokens: int, *, fast: bool) -> dict[str, str]:
        if self.limiter.spend_pico is not None:
            self.limiter.admit_spending(self.messages.store.total, self.clock.now())
        if self.limiter.level is None:
            return {}
        return self.limiter.admit(pool_of(name, fast=fast), input_tokens, self.clock.now())

    async def count_tokens(self, call: Call) -> web.StreamResponse:
        caller, raw = caller_of(call.request, self.token), await self._read(call)
        await self._suffer(call, self._fault(call, raw))
        self.limiter.admit_call("counts", self.clock.now())
        tokens: dict[str, Any] = {"input_tokens": self.messages.count(raw, caller.dialect)}
        if caller.dialect.beta:
            tokens["context_management"] = None
        return reply(call, encode(tokens))

    # Batches -----------------------------------------------------------------------------------

    async def batch_create(self, call: Call) -> web.StreamResponse:
        caller, envelope = caller_of(call.request, self.token), Envelope()
        async for piece in call.request.content.iter_chunked(_PIECE):
            envelope.feed(piece)
        requests = envelope.finish()
        fault = self.faults.strike(
            path=call.path, model=str, text=lambda: "".join(text for _, text in requests), item=False
        )
        if fault is not None and not fault.match:  # a match is meant for the items
            await self._suffer(call, fault)
        now = self.clock.now()
        self.limiter.admit_call("batches", now)
        self.limiter.admit_spending(self.messages.store.total, now)
        self.limiter.admit_batch(self.batches.store.queued(), len(requests))
        if self.latency_s:
            await anyio.sleep(self.latency_s)
        version = caller.dialect.version + ("+beta" if caller.dialect.beta else "")
        batch_id = self.batches.create(requests, caller.workspace, version)
        if fault is not None and fault.lost:
            cut(call)
        return self._batch(call, batch_id, caller.workspace)

    def _batch(self, call: Call, batch_id: str, workspace: str) -> web.Response:
        found = self.batches.get(batch_id, workspace)
        return reply(call, encode(self.batches.view(found, base_url(call.request))))

    async def _batch_call(self, call: Call) -> tuple[str, str]:
        """Let a call about one batch in; returns its id and the workspace."""
        caller = caller_of(call.request, self.token)
        await self._suffer(call, self._fault(call))
        self.limiter.admit_call("batches", self.clock.now())
        return call.request.match_info.get("id", ""), caller.workspace

    async def batch_get(self, call: Call) -> web.StreamResponse:
        return self._batch(call, *await self._batch_call(call))

    async def batch_list(self, call: Call) -> web.StreamResponse:
        _, workspace = await self._batch_call(call)
        found = self.batches.store.batches(workspace)
        data, more = page([self.batches.view(batch, base_url(call.request)) for batch in found], call.request)
        return reply(call, encode(listing(data, more)))

    async def batch_cancel(self, call: Call) -> web.StreamResponse:
        batch_id, workspace = await self._batch_call(call)
        self.batches.cancel(batch_id, workspace)
        return self._batch(call, batch_id, workspace)

    async def batch_delete(self, call: Call) -> web.StreamResponse:
        batch_id, workspace = await self._batch_call(call)
        self.batches.delete(batch_id, workspace)
        return reply(call, encode({"id": batch_id, "type": "message_batch_deleted"}))

    async def batch_results(self, call: Call) -> web.StreamResponse:
        caller, fault = caller_of(call.request, self.token), self._fault(call)
        if fault is not None and not fault.latency_s:
            await self._suffer(call, fault)
        batch = self.batches.readable(call.request.match_info["id"], caller.workspace)
        response = web.StreamResponse(headers={"content-type": "application/binary", **headers(call)})
        await response.prepare(call.request)
        pause_s = fault.latency_s if fault is not None else 0.0
        async for piece in self.batches.results(batch["id"], pause_s):
            if fault is not None and fault.lost:  # broken off in the middle
                cut(call)
            await response.write(piece)
        await response.write_eof()
        return response

    # Models ------------------------------------------------------------------------------------

    async def models(self, call: Call) -> web.StreamResponse:
        caller = caller_of(call.request, self.token)
        await self._suffer(call, self._fault(call))
        data, more = page(infos(beta=caller.dialect.beta), call.request)
        return reply(call, encode(listing(data, more)))

    async def model(self, call: Call) -> web.StreamResponse:
        caller = caller_of(call.request, self.token)
        await self._suffer(call, self._fault(call))
        return reply(call, encode(info(call.request.match_info["id"], beta=caller.dialect.beta)))

    async def record(self, call: Call) -> web.StreamResponse:
        """Send a request on to the real API and write the exchange down."""
        assert self.recorder is not None
        return await self.recorder.forward(call, await call.request.read())


async def _unknown(call: Call) -> web.StreamResponse:
    raise ApiProblem(404, f"there is no {call.request.method} {call.path}")


def _model_in(raw: bytes) -> str:
    try:
        return str(as_object(from_json(raw)).get("model", "")) if raw else ""
    except ValueError:
        return ""
