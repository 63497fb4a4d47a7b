"""One batch after another: filled from the queue, its intent written down, and handed to who creates it.

The intent, with its attempts, is durable before the batch is created.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import gettempdir

import anyio
from anyio.abc import TaskGroup

from fanwise.api.clock import ServerClock
from fanwise.journal.place import not_kept
from fanwise.journal.records import BatchRecord
from fanwise.units import now

from .books import Books
from .carrier import Sink
from .creating import Creator
from .filling import MOST_REQUESTS, Chosen, Filler, cut
from .flight import Flight, new_sent
from .keeping import kept
from .queue import Queue
from .retrying import Retrying
from .spool import Spool

COMMIT_EVERY = 5_000
"""Attempts that are held in memory before they are written."""
LINGER_S = 0.25
"""A batch is sent when no errand has come for so long,"""
LONGEST_LINGER_S = 20.0
"""or when its first errand has waited for so long."""


class Submitter:
    """Makes batches of what waits in the queue."""

    def __init__(
        self,
        books: Books,
        sink: Sink,
        queue: Queue,
        filler: Filler,
        flight: Flight,
        creator: Creator,
        retrying: Retrying,
        *,
        rounds: int,
        folder: Path | None,
        clock: ServerClock,
    ) -> None:
        """Set up.

        Args:
            books: Where intents are kept, and a batch reserves its worst case.
            sink: Knows whether more is about to come.
            queue: What waits.
            filler: Writes that into a body.
            flight: Knows the sizes of intents that are not certain.
            creator: Creates what is filled.
            retrying: Knows until when nothing is to be created.
            rounds: Batches that a row needs one after another.
            folder: Where large bodies are kept while they are sent.
            clock: The server's: its list tells batches by their times.
        """
        self._clock = clock
        self._books, self._sink, self._queue, self._filler = books, sink, queue, filler
        self._flight, self._creator, self._retrying = flight, creator, retrying
        self._rounds, self._folder = rounds, folder
        self._stopped = anyio.Event()
        self._most = MOST_REQUESTS
        """Requests that the next batch may have,"""
        self._cut_at = 0
        """said when so many errands had come."""
        self._bodies: list[Spool] = []
        """Bodies that are filled, or wait to be sent."""

    @property
    def is_stopped(self) -> bool:
        """Whether nothing is to be submitted any more."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """Submit nothing any more."""
        self._stopped.set()
        self._queue.close()

    async def run(self, group: TaskGroup) -> None:
        """Work until `stop` is called; batches are created in a task group."""
        while not self._stopped.is_set():
            await self._submit_next(group)

    def close(self) -> None:
        """Forget the bodies of batches whose creation was never begun."""
        for body in self._bodies:
            body.close()

    async def _submit_next(self, group: TaskGroup) -> None:
        if not self._queue:
            await self._queue.changed.wait()
            return
        await self._quiet()
        self._sink.fill_up()
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
        try:
            chosen = self._filler.fill(body, self._cut())
            body.flush()
        except OSError as error:
            self._sink.halt(not_kept(self._folder or Path(gettempdir()), error).reason)
            return
        if not chosen and self._filler.lack:
            body.close()
            self._sink.halt(self._filler.lack)
            return
        while chosen and len(chosen) in self._flight.sizes:
            self._filler.give_back(chosen.pop(), body)
        if not chosen:  # wait until the budget has room or an intent is certain, and look again
            body.close()
            with anyio.move_on_after(LINGER_S):
                await self._books.budget.freed()
            return
        record = BatchRecord(intent=intent, size=len(chosen), at=self._clock.now(), batch_id=None, state="intent")
        sent_at = now().timestamp()
        sent = self._flight.begin(record)
        for errand, attempt, outline, hold, way in _emptied(chosen):
            self._books.begin(errand, attempt, outline, hold, at=sent_at, batch=intent)
            sent[attempt] = new_sent(
                attempt=attempt, errand=errand, hold=hold, at=sent_at, prefix=outline.prefix, led=way == "lead"
            )  # fmt: skip
            if len(sent) % COMMIT_EVERY == 0:  # the intent is among the first: a part of it is proven absent later
                await kept(self._books.journal, self._sink)
        if not await kept(self._books.journal, self._sink):
            return  # it is not created
        group.start_soon(self._creator.carry_out, record, body, name=f"batch {intent}")

    def _cut(self) -> int:
        """Return how many requests the next batch may have: the same until more errands have come."""
        if self._cut_at != self._queue.came:
            self._cut_at, self._most = self._queue.came, cut(len(self._queue), self._rounds)
        return min(self._most, self._retrying.most)


def _emptied(chosen: list[Chosen]) -> Iterator[Chosen]:
    """Yield what was chosen, in order, and forget it on the way: it may be a hundred thousand."""
    chosen.reverse()
    while chosen:
        yield chosen.pop()
