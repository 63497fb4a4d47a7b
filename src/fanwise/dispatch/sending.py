"""One live request: its budget reserved, the gate passed, its intent durable, sent, and its end recorded."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import anyio

from fanwise.api.client import Api
from fanwise.api.failures import Failure, RequestError
from fanwise.api.replies import Reply
from fanwise.context.parts import Prefix
from fanwise.context.request import Request
from fanwise.journal.records import EndRecord
from fanwise.units import now

from .attempts import UNSENT, billed, outline, paid, unpaid, worst_case
from .books import Books
from .budget import ROW_BUDGET, Hold
from .carrier import Sink
from .errand import Errand
from .gate import Gate
from .keeping import kept
from .proof import Proof
from .warmth import Warmth

LOOK_S = 0.5
"""How often a request that waits for the budget looks whether the run was stopped meanwhile."""


class Answered(NamedTuple):
    """A request was answered, and that is recorded."""

    attempt: int
    reply: Reply
    end: EndRecord


class Refused(NamedTuple):
    """A request has failed, and that is recorded."""

    end: EndRecord
    failure: Failure


@dataclass(slots=True, kw_only=True)
class _Passage:
    """One request's way through the gate."""

    gate: Gate
    prefixes: Sequence[Prefix]
    led: Sequence[Prefix]
    """Those that others wait for until it has written them."""
    entered: float
    """The gate's clock when it was sent."""
    is_left: bool = False

    def begin(self, usage: dict[str, Any]) -> None:
        """Let the others go on: the reply has begun, with the usage of its input."""
        cached = bool(usage.get("cache_read_input_tokens") or usage.get("cache_creation_input_tokens"))
        self.leave(warm=True, cached=cached)

    def leave(self, *, warm: bool, cached: bool) -> None:
        """Let the others go on, once."""
        if not self.is_left:
            self.is_left = True
            self.gate.leave(self.led, self.prefixes, warm=warm, cached=cached, started=self.entered)


class Sender:
    """Sends requests one at a time for each slot; used by one event loop."""

    def __init__(
        self, api: Api, books: Books, sink: Sink, *, gate: Gate, gated: bool, warmth: Warmth, stopped: anyio.Event
    ) -> None:
        """Set up.

        Args:
            api: The connection.
            books: Where it is reserved, and written down.
            sink: Who is told where there is no budget.
            gate: Knows which prefixes are being written.
            gated: False: nobody waits for a prefix to be written; to see what the gate saves.
            warmth: Takes note of prefixes that are used.
            stopped: Set when nothing is to be sent any more.
        """
        self._api, self._books, self._sink = api, books, sink
        self._gate, self._gated, self._warmth, self._stopped = gate, gated, warmth, stopped
        self._proof = Proof(sink.note)
        self.active = 0
        """Requests in flight, those whose intent is being written down among them."""

    async def send(self, errand: Errand) -> Answered | Refused | None:
        """Send the next request of an errand; returns what came of it, None where it was not sent.

        There is no await between a reply and its record, nor between that and the return.
        """
        request = errand.request()
        ttl = self._gate.ttl(request.prefixes())
        hold = worst_case(request, errand.asks, batch=False, at=now(), ttl=ttl)
        if not await self._reserve(errand, hold):
            return None
        came: Answered | Refused | None = None
        try:
            came = await self._pass(errand, request, hold)
        finally:
            self._books.budget.settle(hold, *billed(None if came is None else came.end))
        return came

    async def _reserve(self, errand: Errand, hold: Hold) -> bool:
        """Wait until the budget has room for a request; False where it has none, or the run was stopped."""
        budget = self._books.budget
        while (fit := budget.reserve(hold)) != "fits":
            if fit == "never":
                self._sink.halt(budget.lack(hold, errand.place, errand.role.model))
                return False
            if fit == "row full":
                failure = Failure(verdict="final", kind=ROW_BUDGET, message=budget.row_lack(hold))
                self._sink.failed(errand, failure)
                return False
            with anyio.move_on_after(LOOK_S):
                await budget.freed()
            if self._stopped.is_set():
                return False
        return True

    async def _pass(self, errand: Errand, request: Request, hold: Hold) -> Answered | Refused | None:
        """Take a request through the gate, write its intent down, and send it."""
        prefixes = request.prefixes()
        led = await self._gate.enter(prefixes if self._gated else (), errand.role.facts.cache_minimum)
        passage = _Passage(gate=self._gate, prefixes=prefixes, led=led, entered=self._gate.clock())
        warm = cached = False
        self.active += 1
        try:
            attempt, at = self._books.journal.next_attempt(), now()
            self._books.begin(errand, attempt, outline(request, batch=False), hold, at=at.timestamp())
            if not await kept(self._books.journal, self._sink) or self._stopped.is_set():
                self._books.end(unpaid(attempt, UNSENT, 0.0))
                return None
            came = await self._carry(errand, request, attempt, at, passage)
            if isinstance(came, Answered):
                usage = came.end.usage
                warm, cached = True, bool(usage.cache_read or usage.cache_write_5m or usage.cache_write_1h)
                self._warmth.used(errand, request, prefixes)
            return came
        finally:
            self.active -= 1
            passage.leave(warm=warm, cached=cached)

    async def _carry(
        self, errand: Errand, request: Request, attempt: int, at: datetime, passage: _Passage
    ) -> Answered | Refused:
        """Send a request whose intent is durable, and record its end."""
        role, prefixes, led = errand.role, passage.prefixes, passage.led
        streamed = bool(led) and self._api.can.stream
        previous = self._proof.previous(prefixes)
        head, rest = request.encode(
            run_id=self._books.run_id, ttl=self._gate.ttl(prefixes), row_ttl="5m", previous=previous, stream=streamed
        )
        started, passage.entered = time.monotonic(), self._gate.clock()
        try:
            reply = await self._api.send(head + rest, role.time_limit_s, passage.begin if streamed else None)
        except RequestError as error:
            failure = error.failure if previous is None else self._proof.excused(prefixes, error.failure)
            end = unpaid(attempt, failure, time.monotonic() - started)
            self._books.end(end)  # no await between the failure and its record
            return Refused(end, failure)
        end = paid(attempt, role.model, reply, at, batch=False, latency_s=time.monotonic() - started)
        self._books.end(end)  # no await between the reply and its record
        self._proof.replied(role, prefixes, led, reply, previous)
        return Answered(attempt, reply, end)
