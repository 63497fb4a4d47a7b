"""Message Batches: fill, write the intent down, submit; the rest is done by `creating` and `follow`.

The intent, with its attempts, is durable before the batch is created. Batches carry no
custom_ids in the list, so no two intents whose batch is not certain have the same number of
requests: after a crash a batch of that size, created since and unknown here, is adopted, polled,
and confirmed by its results. Only an intent that is proven absent past the grace is sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import anyio
from anyio.abc import TaskGroup, TaskStatus

from fanwise.api.client import Api
from fanwise.journal.records import BatchRecord
from fanwise.units import now

from .attempts import worst_case
from .books import Books
from .carrier import Sink
from .creating import Creator
from .errand import Errand
from .filling import MOST_REQUESTS, Chosen, Filler, cut
from .flight import Flight, Sent
from .follow import Follower, Polling
from .prefixes import Prefixes
from .primer import Primer
from .queue import Queue
from .results import Results
from .retry import RetryPolicy
from .retrying import Retrying
from .role import Roles
from .spool import Spool

COMMIT_EVERY = 5_000
"""Attempts that are held in memory before they are written."""
LINGER_S = 0.25
"""A batch is sent when no errand has come for so long,"""
LONGEST_LINGER_S = 20.0
"""or when its first errand has waited for so long."""


class Batches:
    """Carries out errands in Message Batches."""

    def __init__(
        self,
        api: Api,
        books: Books,
        sink: Sink,
        roles: Roles,
        *,
        policy: RetryPolicy,
        polling: Polling,
        took: Callable[[float], None],
        scale: float = 1.0,
        rounds: int = 1,
        folder: Path | None = None,
    ) -> None:
        """Set up.

        Args:
            api: The connection.
            books: Where intents and ends are kept, and a batch reserves its worst case.
            sink: Who is told how errands end.
            roles: Of the run, for what earlier sessions left in batches.
            policy: Bounds of retries.
            polling: How often batches are looked at.
            took: Told how many seconds each batch took.
            scale: Errands of the whole job for each that comes here.
            rounds: Batches that a row needs one after another.
            folder: Where large bodies are kept while they are sent.
        """
        self._books, self._sink, self._rounds, self._folder = books, sink, rounds, folder
        prefixes = Prefixes()
        self._queue = Queue(prefixes.key)
        self.primer = Primer(books.journal, prefixes, self._queue, sink.rows_in_work, scale)
        self._filler = Filler(books, sink, self._queue, self.primer)
        self._flight = Flight(books, roles)
        self._retrying = Retrying(self._queue, sink, policy)
        results = Results(books.journal, sink, self._flight, self._queue, self.primer, self._retrying)
        self._follower = Follower(api, books, sink, self._flight, results, polling, took)
        self._creator = Creator(api, books.journal, sink, self._flight, self._follower, results, self._retrying)
        self._stopped = anyio.Event()
        self._most = MOST_REQUESTS
        """Requests that the next batch may have,"""
        self._cut_at = 0
        """said when so many errands had come."""
        self._bodies: list[Spool] = []
        """Bodies that are filled, or wait to be sent."""

    # What the engine sees --------------------------------------------------------------------------

    @property
    def queued(self) -> int:
        """Errands that wait to be sent, or for their next attempt."""
        return self._queue.total + len(self._retrying.later)

    @property
    def in_flight(self) -> int:
        """Requests in batches."""
        return self._flight.count

    @property
    def open_batches(self) -> int:
        """Batches that have not been read to their end, of earlier sessions too."""
        return len(self._flight.open)

    def submit(self, errand: Errand) -> None:
        """Queue an errand for the next batch. After `stop` it is left undone."""
        self._queue.put(errand)

    def claim(self, errand: Errand) -> bool:
        """Take over an attempt that an earlier session has in a batch; returns False where there is none."""
        return self._flight.claim(errand)

    def outlives(self) -> bool:
        """Return whether every errand is in a batch whose id is known."""
        return self._flight.is_certain() and not self.queued

    def stop(self) -> None:
        """Submit nothing any more and stop polling; batches in flight go on without us."""
        self._stopped.set()
        self._queue.close()

    def leave(self, elsewhere: Callable[[Errand], None]) -> int:
        """Cancel all batches and let their errands go elsewhere as they come back; returns how many are in batches.

        A cancelled batch is read like any other: what has succeeded counts, and only what came back
        cancelled or expired goes on.
        """
        self._queue.leave(elsewhere)
        self._follower.leave()
        return self._flight.count

    def race(self) -> int:
        """Let the errands that are still in batches go elsewhere at once; returns how many may be paid twice."""
        errands = self._flight.race()
        for errand in errands:
            self._queue.put(errand)
        return len(errands)

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Work until `stop` is called; begins with what earlier sessions left in batches."""
        self._flight.load()
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._retrying.later.run, name="batches, later")
                for record in list(self._flight.open.values()):
                    group.start_soon(self._follower.follow, record, name=f"batch {record.intent}")
                task_status.started()
                while not self._stopped.is_set():
                    await self._submit_next(group)
                group.cancel_scope.cancel()
        finally:
            for body in self._bodies:  # of batches whose creation was never begun
                body.close()

    # One batch after another -----------------------------------------------------------------------

    async def _submit_next(self, group: TaskGroup) -> None:
        if not self._queue:
            await self._queue.changed.wait()
            return
        await self._quiet()
        if self._stopped.is_set() or not self._queue:
            return
        body = Spool(self._folder)
        self._bodies.append(body)
        try:
            await self._submit(body, group)
        finally:
            self._bodies = [spool for spool in self._bodies if not spool.closed]

    async def _quiet(self) -> None:
        """Wait until the queue is full or nothing has come for a moment."""
        came, since = -1, anyio.current_time()
        while len(self._queue) < MOST_REQUESTS and not self._stopped.is_set():
            if came == self._queue.came and not self._sink.works_here():
                break
            came = self._queue.came
            with anyio.move_on_after(LINGER_S):
                await self._stopped.wait()
            if anyio.current_time() - since > LONGEST_LINGER_S:
                break  # errands trickle in: those that came first have waited long enough
        with anyio.move_on_at(self._retrying.paused_until):
            await self._stopped.wait()

    async def _submit(self, body: Spool, group: TaskGroup) -> None:
        """Fill a body, make its intent and its attempts durable, and let it be created."""
        intent = self._books.journal.next_intent()
        chosen = self._filler.fill(body, self._cut())
        if not chosen and self._queue and self._books.budget.in_flight == 0:
            body.close()
            self._halt()
            return
        while chosen and len(chosen) in self._flight.sizes:
            self._filler.give_back(chosen.pop(), body)
        if not chosen:  # wait until the budget has room or an intent is certain, and look again
            body.close()
            with anyio.move_on_after(LINGER_S):
                await self._books.budget.freed()
            return
        record = BatchRecord(intent=intent, size=len(chosen), at=now().timestamp(), batch_id=None, state="intent")
        sent = self._flight.begin(record)
        for errand, attempt, outline, hold, way in _emptied(chosen):
            self._books.begin(errand, attempt, outline, hold, at=record.at, batch=intent)
            sent[attempt] = Sent(
                attempt=attempt, errand=errand, hold=hold, at=record.at, prefix=outline.prefix, led=way == "lead"
            )  # fmt: skip
            if len(sent) % COMMIT_EVERY == 0:  # the intent is among the first: a part of it is proven absent later
                await self._books.journal.commit()
        await self._books.journal.commit()
        group.start_soon(self._creator.carry_out, record, body, name=f"batch {intent}")

    def _cut(self) -> int:
        """Return how many requests the next batch may have: the same until more errands have come."""
        if self._cut_at != self._queue.came:
            self._cut_at, self._most = self._queue.came, cut(len(self._queue), self._rounds)
        return self._most

    def _halt(self) -> None:
        """Halt the run: there is no room for the errand that is next, and none will come."""
        errand = self._queue.first()
        hold = worst_case(errand.request(), errand.asks, batch=True, at=now())
        self._sink.halt(self._books.budget.lack(hold, errand.place, errand.role.model))


def _emptied(chosen: list[Chosen]) -> Iterator[Chosen]:
    """Yield what was chosen, in order, and forget it on the way: it may be a hundred thousand."""
    chosen.reverse()
    while chosen:
        yield chosen.pop()
