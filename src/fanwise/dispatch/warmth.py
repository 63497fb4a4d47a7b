"""Keeping a prefix warm between waves: a read of it, where that is cheaper than writing it again.

A read renews an entry for nothing but its own price. What is spent on a gap is bounded by what a
rewrite would cost more than a read, so that it is never more than twice the least, however long
the gap turns out to be.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import anyio

from fanwise.api.client import Api, encode_body
from fanwise.api.failures import RequestError
from fanwise.context.parts import Prefix, Ttl
from fanwise.context.request import Request
from fanwise.journal.records import EndRecord
from fanwise.pricing.rates import known_rates
from fanwise.units import now

from .attempts import UNSENT, billed, outline, paid, unpaid, worst_case
from .books import Books
from .budget import Hold
from .carrier import Sink
from .errand import Errand, never_composed
from .gate import MARGIN_S, Gate
from .keeping import kept
from .role import Role

AHEAD_S = 30.0
"""A prefix is read again when it has so long to live, the gate's margin left out."""
LOOK_S = 5.0
"""How often it is looked."""


@dataclass(slots=True, kw_only=True)
class Warm:
    """The longest prefix that rows share of one role's requests."""

    prefix: Prefix
    role: Role
    """Whose request it was that used it last."""
    request: Request
    reads: int = 0
    """Reads that kept it warm since its last use."""


class Warmth:
    """What is worth keeping warm; used by one event loop."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._kept: dict[str, Warm] = {}

    def used(self, errand: Errand, request: Request, prefixes: tuple[Prefix, ...]) -> None:
        """Take note of a request that was answered."""
        shared = next((prefix for prefix in reversed(prefixes) if prefix.job), None)
        if shared is not None:
            self._kept[shared.key] = Warm(prefix=shared, role=errand.role, request=request)

    def due(self) -> list[Warm]:
        """Return the prefixes that are about to go and are worth a read."""
        due: list[Warm] = []
        for key, warm in list(self._kept.items()):
            left_s = self._gate.warm_until(key) + MARGIN_S - self._gate.clock()
            if left_s <= MARGIN_S or warm.reads >= worthwhile(warm.role.model):
                del self._kept[key]  # too late, or expensive enough: it is written again when it is needed
            elif left_s < AHEAD_S + MARGIN_S:
                warm.reads += 1
                due.append(warm)
        return due


class Warmer:
    """Reads prefixes again that are about to go and will be needed."""

    def __init__(self, api: Api, books: Books, sink: Sink, gate: Gate, warmth: Warmth, stopped: anyio.Event) -> None:
        self._api, self._books, self._sink = api, books, sink
        self._gate, self._warmth, self._stopped = gate, warmth, stopped
        self.is_reading = False
        """Whether a read is under way: others may wait for what it has reserved."""

    async def run(self) -> None:
        """Work until the run is stopped."""
        while not self._stopped.is_set():
            with anyio.move_on_after(LOOK_S):
                await self._stopped.wait()
            if not self._stopped.is_set() and self._sink.expects_more():
                for warm in self._warmth.due():
                    await self._read(warm)

    async def _read(self, warm: Warm) -> None:
        books, ttl = self._books, self._gate.ttl((warm.prefix,))
        hold = worst_case(warm.request, (), batch=False, at=now(), ttl=ttl)
        if books.budget.reserve(hold) != "fits":
            return
        end: EndRecord | None = None
        self.is_reading = True
        try:
            end = await self._send(warm, hold, ttl)
        finally:
            self.is_reading = False
            books.budget.settle(hold, *billed(end))

    async def _send(self, warm: Warm, hold: Hold, ttl: Ttl) -> EndRecord:
        """Read a prefix once; returns the end, which is recorded with no await after the reply."""
        books, role = self._books, warm.role
        errand = Errand(role=role, asks=(), compose=never_composed, why="warm")
        attempt, at, started, entered = books.journal.next_attempt(), now(), time.monotonic(), self._gate.clock()
        sent = outline(warm.request, batch=False)._replace(own=(), blocks="")
        books.begin(errand, attempt, sent, hold, at=at.timestamp())
        if not await kept(books.journal, self._sink) or self._stopped.is_set():
            end = unpaid(attempt, UNSENT, 0.0)
            books.end(end)
            return end
        try:
            body = encode_body(warm.request.warming(run_id=books.run_id, ttl=ttl))
            reply = await self._api.send(body, role.time_limit_s)
        except RequestError as error:
            end = unpaid(attempt, error.failure, time.monotonic() - started)
        else:
            end = paid(attempt, role.model, reply, at, batch=False, latency_s=time.monotonic() - started)
            self._gate.leave((), [warm.prefix], warm=True, started=entered)
        books.end(end)
        return end


def worthwhile(model: str) -> int:
    """Return how many reads cost no more than a rewrite costs beyond one; 0 where no price is known."""
    rate = known_rates(model, now())
    return 0 if rate is None else (rate.write_5m - rate.read) // rate.read
