"""Live calls: slots that adapt, own retries, the gate, the budget."""

from __future__ import annotations

import math
import time
from typing import Any

import anyio
from anyio.abc import TaskGroup
from anyio.streams.memory import MemoryObjectReceiveStream

from fanwise.api.client import Api, encode_body
from fanwise.api.failures import Failure, RequestError
from fanwise.api.ratelimits import rate_headers
from fanwise.context.repeats import Repeats
from fanwise.context.request import Request
from fanwise.journal.port import Journal
from fanwise.journal.records import EndRecord
from fanwise.units import now

from .budget import Budget, Hold
from .call import Call, Sink, intent, outline, paid, taken, unpaid, warming, worst_case
from .gate import Gate
from .pace import Pace
from .proof import Proof
from .retry import RetryPolicy
from .warmth import LOOK_S, Warm, Warmth

OVERLOADED = 529
_STOPPED = Failure(verdict="retry", kind="stopped", message="the run was stopped before it was sent")


class Live:
    """Carries out calls one request at a time per slot."""

    def __init__(
        self,
        api: Api,
        journal: Journal,
        budget: Budget,
        sink: Sink,
        repeats: Repeats,
        *,
        run_id: str,
        slots: int,
        policy: RetryPolicy,
        gated: bool = True,
        gate: Gate | None = None,
    ) -> None:
        self.api, self.journal, self.budget, self.sink, self.repeats = api, journal, budget, sink, repeats
        self.gated = gated
        """False: nobody waits for a prefix to be written; to see what the gate saves."""
        self.run_id, self.slots, self.policy = run_id, slots, policy
        self.gate, self.proof = gate or Gate(), Proof(sink.note)
        self.warmth = Warmth(self.gate)
        self.active = 0
        """Requests in flight."""
        self.waiting = 0
        """Calls that wait for a slot or for their next attempt."""
        self._send, self._receive = anyio.create_memory_object_stream[Call](math.inf)
        self.paces: dict[str, Pace] = {}
        """The pace of each pool of models."""
        self._waking: set[str] = set()
        self.latency_s: float | None = None
        """Mean of the replies, the newest counting most; None before the first."""
        self._stopping = False
        self._stopped = anyio.Event()
        self._group: TaskGroup | None = None

    def submit(self, call: Call) -> None:
        """Queue a call; the engine's window bounds the queue. After `stop` it is left undone."""
        if self._stopping:
            return
        call.channel = "live"
        self.waiting += 1
        name = call.role.pool
        if name not in self.paces:
            self.paces[name] = Pace(self.slots)
        self.paces[name].parked.append(call)
        self._pump(name)

    def _pump(self, name: str) -> None:
        """Hand calls of a pool to the slots as far as its pace allows; else look again when it does."""
        pace = self.paces[name]
        while pace.parked and not self._stopping:
            wait_s = pace.wait_s()
            if wait_s == 0:
                pace.take()
                self._send.send_nowait(pace.parked.popleft())
                continue
            if math.isfinite(wait_s) and name not in self._waking and self._group is not None:
                self._waking.add(name)
                self._group.start_soon(self._wake, name, wait_s)
            return

    async def _wake(self, name: str, wait_s: float) -> None:
        with anyio.move_on_after(wait_s):
            await self._stopped.wait()
        self._waking.discard(name)
        self._pump(name)

    def stop(self) -> None:
        """Start nothing any more; what is in flight goes on to its end."""
        if not self._stopping:
            self._stopping = True
            self._stopped.set()
            self._send.close()

    async def run(self) -> None:
        """Work until `stop` was called and the requests in flight have ended."""
        async with anyio.create_task_group() as group:
            self._group = group
            for number in range(self.slots):
                group.start_soon(self._work, self._receive.clone(), name=f"live slot {number}")
            self._receive.close()
            await self._keep_warm()

    async def _work(self, calls: MemoryObjectReceiveStream[Call]) -> None:
        async with calls:
            async for call in calls:
                self.waiting -= 1
                if self._stopping:
                    return
                name = call.role.pool
                try:
                    await self._attempt(call)
                finally:
                    self.paces[name].leave()
                    self._pump(name)

    async def _attempt(self, call: Call) -> None:
        request = call.request()
        hold = worst_case(request, call.row, batch=False, at=now(), ttl=self.gate.ttl(request.prefixes()))
        while (fit := self.budget.reserve(hold)) != "fits":
            if fit == "never":
                self.sink.halt(self.budget.lack(hold, f"task {call.label!r} of row {call.row}", call.role.model))
                return
            if fit == "row full":
                self.sink.failed(call, Failure(verdict="final", kind="row_budget", message=self.budget.row_lack(hold)))
                return
            with anyio.move_on_after(0.5):  # and look again: the run may have been stopped meanwhile
                await self.budget.freed()
            if self._stopping:
                return
        end: EndRecord | None = None
        try:
            end = await self._gated(call, request, hold)
        finally:
            self.budget.settle(hold, *taken(end))

    async def _gated(self, call: Call, request: Request, hold: Hold) -> EndRecord | None:
        """Send one attempt behind the gate; returns its end, or None where nothing was sent."""
        prefixes = request.prefixes()
        minimum = call.role.facts.cache_minimum
        led = await self.gate.enter(prefixes if self.gated else (), minimum)
        warm = cached = begun = False
        streamed = bool(led) and self.api.can.stream
        entered = self.gate.clock()

        def begin(usage: dict[str, Any]) -> None:
            nonlocal begun
            begun = True
            some = bool(usage.get("cache_read_input_tokens") or usage.get("cache_creation_input_tokens"))
            self.gate.leave(led, prefixes, warm=True, cached=some, started=entered)

        try:
            call.number, call.tries = call.number + 1, call.tries + 1
            attempt, sent = self.journal.next_attempt(), now()
            again = self.repeats.count(call.row, call.role.cache, request.common, request.own)
            self.journal.add_attempt(
                *intent(call, outline(request, batch=False), attempt, hold, again, sent.timestamp())
            )
            await self.journal.commit()
            if self._stopping:
                self.journal.add_end(unpaid(attempt, _STOPPED, 0.0))
                return None
            self.active += 1
            previous = self.proof.previous(prefixes)
            head, rest = request.encode(
                run_id=self.run_id, ttl=self.gate.ttl(prefixes), row_ttl="5m", previous=previous, stream=streamed
            )
            started, entered = time.monotonic(), self.gate.clock()
            try:
                reply = await self.api.send(head + rest, call.role.time_limit_s, begin if streamed else None)
            except RequestError as error:
                failure = error.failure if previous is None else self.proof.excused(prefixes, error.failure)
                end = unpaid(attempt, failure, time.monotonic() - started)
                self.journal.add_end(end)  # no await between the failure and its record
                self._failed(call, failure)
                return end
            finally:
                self.active -= 1
            end = paid(attempt, call.role.model, reply, sent, batch=False, latency_s=time.monotonic() - started)
            self.journal.add_end(end)  # no await between the reply and its record
            warm, usage = True, end.usage
            cached = bool(usage.cache_read or usage.cache_write_5m or usage.cache_write_1h)
            pace = self.paces[call.role.pool]
            pace.answered(usage)
            self.latency_s = end.latency_s if self.latency_s is None else 0.9 * self.latency_s + 0.1 * end.latency_s
            if reply.headers is not None and pace.wants_headers():
                pace.told(rate_headers(reply.headers))
            self.proof.saw(call.role.agent, prefixes, led, minimum, reply, previous)
            self.warmth.used(call, request, prefixes)
            call.attempt = attempt
            repair = self.sink.replied(call, reply)
            if repair is not None:
                call.repair, call.why = repair, "repair" if repair else "longer"
                self.submit(call)
            return end
        finally:
            if not begun:
                self.gate.leave(led, prefixes, warm=warm, cached=cached, started=entered)

    async def _keep_warm(self) -> None:
        """Read prefixes again that are about to go and will be needed, until the end."""
        while not self._stopping:
            with anyio.move_on_after(LOOK_S):
                await self._stopped.wait()
            if not self._stopping and self.sink.expects_more():
                for one in self.warmth.due():
                    await self._warm(one)

    async def _warm(self, one: Warm) -> None:
        call, ttl = warming(one.call, one.prefix.key), self.gate.ttl((one.prefix,))
        hold = worst_case(one.request, 0, batch=False, at=now(), ttl=ttl)
        if self.budget.reserve(hold) != "fits":
            return
        end: EndRecord | None = None
        try:
            attempt, sent, started = self.journal.next_attempt(), now(), time.monotonic()
            entered = self.gate.clock()
            again = self.repeats.count(0, call.role.cache, one.request.common)
            self.journal.add_attempt(
                *intent(call, outline(one.request, batch=False), attempt, hold, again, sent.timestamp())
            )
            await self.journal.commit()
            try:
                body = encode_body(one.request.warming(run_id=self.run_id, ttl=ttl))
                reply = await self.api.send(body, call.role.time_limit_s)
            except RequestError as error:
                end = unpaid(attempt, error.failure, time.monotonic() - started)
            else:
                end = paid(attempt, call.role.model, reply, sent, batch=False, latency_s=time.monotonic() - started)
                self.gate.leave((), [one.prefix], warm=True, started=entered)
            self.journal.add_end(end)
        finally:
            self.budget.settle(hold, *taken(end))

    def _failed(self, call: Call, failure: Failure) -> None:
        if failure.verdict == "terminal":
            self.sink.halt(f"{failure.kind}: {failure.message}")
            return
        wait_s = self.policy.wait_s(failure, call.tries)
        if wait_s is None:
            self.sink.failed(call, failure)
            return
        pace = self.paces[call.role.pool]
        pace.told(failure.limits)
        if not pace.retries():  # a storm: wait as long as ever, so that it is not fed
            wait_s = max(wait_s, self.policy.longest_s)
        if failure.too_much:  # not the call's fault: everyone of this pool waits, at an overload all do
            for one in self.paces.values() if failure.status == OVERLOADED else (pace,):
                one.refuse(wait_s)
        call.why = "retry"
        self._later(call, wait_s)

    def _later(self, call: Call, wait_s: float) -> None:
        """Queue a call after a while; the slot is free meanwhile."""
        assert self._group is not None
        self.waiting += 1
        self._group.start_soon(self._wait, call, wait_s)

    async def _wait(self, call: Call, wait_s: float) -> None:
        with anyio.move_on_after(wait_s):
            await self._stopped.wait()
        self.waiting -= 1
        self.submit(call)
