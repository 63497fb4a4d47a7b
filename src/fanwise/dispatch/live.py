"""Live calls: slots that adapt, own retries, prefixes that are kept warm."""

from __future__ import annotations

import math

import anyio
from anyio.abc import TaskStatus
from anyio.streams.memory import MemoryObjectReceiveStream

from fanwise.api.client import Api
from fanwise.api.failures import Failure

from .books import Books
from .carrier import Sink
from .errand import Ask, Errand
from .gate import Gate
from .outage import Outage
from .pools import Pools
from .retry import RetryPolicy
from .sending import Answered, Sender
from .timer import Timer
from .warmth import Warmer, Warmth


class Live:
    """Carries out errands one request at a time per slot."""

    def __init__(
        self,
        api: Api,
        books: Books,
        sink: Sink,
        *,
        slots: int,
        policy: RetryPolicy,
        gated: bool = True,
        gate: Gate | None = None,
    ) -> None:
        """Set up.

        Args:
            api: The connection.
            books: Where intents and ends are kept, and a request reserves its worst case.
            sink: Who is told how errands end.
            slots: Requests in flight at most.
            policy: Bounds of retries.
            gated: False: nobody waits for a prefix to be written; to see what the gate saves.
            gate: Knows which prefixes are warm; None: one that begins with none.
        """
        self._sink, self._policy, self.slots = sink, policy, slots
        self._stopped = anyio.Event()
        gate = gate or Gate()
        warmth = Warmth(gate)
        self._sender = Sender(api, books, sink, gate=gate, gated=gated, warmth=warmth, stopped=self._stopped)
        self._warmer = Warmer(api, books, sink, gate, warmth, self._stopped)
        self._turns, self._receive = anyio.create_memory_object_stream[Errand](math.inf)
        self._pools = Pools(slots, policy, self._turns.send_nowait)
        self._later: Timer[Errand] = Timer(self.submit)
        """Errands that wait for their next attempt."""
        self._outage = Outage(sink, policy, self.submit)
        self._queued = 0
        """Errands that wait for a slot."""
        self.latency_s: float | None = None
        """Mean of the replies, the newest counting most; None before the first."""

    # What the engine sees --------------------------------------------------------------------------

    @property
    def queued(self) -> int:
        """Errands that wait for a slot or for their next attempt."""
        return self._queued + len(self._later) + len(self._outage)

    @property
    def in_flight(self) -> int:
        """Requests that are under way."""
        return self._sender.active

    @property
    def open_batches(self) -> int:
        """None: nothing here is a batch."""
        return 0

    def submit(self, errand: Errand) -> None:
        """Queue an errand; the engine's window bounds the queue. After `stop` it is left undone."""
        if not self._stopped.is_set():
            self._queued += 1
            self._pools.submit(errand)

    def claim(self, errand: Errand) -> bool:
        """Return False: what an earlier session had under way live is lost with it."""
        return False

    def part_of(self, ask: Ask) -> Errand | None:
        """Return None, likewise."""
        return None

    def is_idle(self) -> bool:
        """Return whether nothing is sent, nor about to be, nor waits for a time: who waits for others waits in vain."""
        about_to_be = self._turns.statistics().current_buffer_used
        timers = len(self._later) + len(self._pools.wakes) + len(self._outage.probes)
        return not (self.in_flight or about_to_be or timers or self._warmer.is_reading)

    def outlives(self) -> bool:
        """Return whether there is nothing here: what goes live ends with this process."""
        return not (self.queued or self.in_flight)

    def stop(self) -> None:
        """Start nothing any more; what is in flight goes on to its end."""
        if not self._stopped.is_set():
            self._stopped.set()
            self._pools.close()
            self._turns.close()

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Work until `stop` was called and the requests in flight have ended."""
        async with anyio.create_task_group() as group, anyio.create_task_group() as timers:
            timers.start_soon(self._later.run, name="live, later")
            timers.start_soon(self._pools.wakes.run, name="live, paces")
            timers.start_soon(self._outage.probes.run, name="live, probes")
            for number in range(self.slots):
                group.start_soon(self._work, self._receive.clone(), name=f"live slot {number}")
            self._receive.close()
            task_status.started()
            await self._warmer.run()
            timers.cancel_scope.cancel()

    # One errand after another ----------------------------------------------------------------------

    async def _work(self, errands: MemoryObjectReceiveStream[Errand]) -> None:
        async with errands:
            async for errand in errands:
                self._queued -= 1
                if self._stopped.is_set():
                    return
                try:
                    if not self._outage.holds(errand):
                        await self._carry_out(errand)
                finally:
                    self._pools.leave(errand.role)

    async def _carry_out(self, errand: Errand) -> None:
        came = await self._sender.send(errand)  # no await between a reply and what the engine makes of it
        if came is None:
            self._outage.unsent(errand)
            return
        if not isinstance(came, Answered):
            self._failed(errand, came.failure)
            return
        end = came.end
        self._outage.answered()
        self._pools.replied(errand.role, came.reply, end.usage)
        self.latency_s = end.latency_s if self.latency_s is None else 0.9 * self.latency_s + 0.1 * end.latency_s
        if self._sink.replied(errand, came.attempt, came.reply):
            self.submit(errand)

    def _failed(self, errand: Errand, failure: Failure) -> None:
        if failure.verdict == "terminal":
            self._sink.halt(f"{failure.kind}: {failure.message}")
            return
        if too_long := self._policy.too_long(failure):
            self._sink.halt(too_long)
            return
        if failure.verdict == "broken":  # by which nothing is known of who answers
            self._outage.unsent(errand)
        elif self._outage.failed(errand, failure):
            return
        wait_s = self._policy.wait_s(failure, errand.tries)
        if wait_s is None:
            self._sink.failed(errand, failure)
        else:  # the slot is free meanwhile
            errand.retry()
            self._later.put(errand, self._pools.failed(errand.role, failure, wait_s))
