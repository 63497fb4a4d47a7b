"""Message Batches: fill and write the intent down (`submitting`), create (`creating`), bring to the end (`follow`).

The intent, with its attempts, is durable before the batch is created. Batches carry no
custom_ids in the list, so no two intents whose batch is not certain have the same number of
requests: after a crash a batch of that size, created since and unknown here, is adopted, polled,
and confirmed by its results. Only an intent that is proven absent past the grace is sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import anyio
from anyio.abc import TaskStatus

from fanwise.api.client import Api

from .books import Books
from .carrier import Sink
from .creating import Creator
from .errand import Ask, Errand
from .filling import Filler
from .flight import Flight
from .follow import Follower
from .jobpart import WHOLE, JobPart
from .polling import Poller, Polling
from .prefixes import Prefixes
from .primer import Primer
from .queue import Queue
from .results import Results
from .retry import RetryPolicy
from .retrying import Retrying
from .role import Roles
from .submitting import Submitter


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
        ended: Callable[[float], None],
        elsewhere: Callable[[Errand], None] | None = None,
        part: JobPart = WHOLE,
        sharers: Mapping[str, float] | None = None,
        rounds: int = 1,
        folder: Path | None = None,
        to_live: Callable[[], object] | None = None,
    ) -> None:
        """Set up.

        Args:
            api: The connection.
            books: Where intents and ends are kept, and a batch reserves its worst case.
            sink: Who is told how errands end.
            roles: Of the run, for what earlier sessions left in batches.
            policy: Bounds of retries.
            polling: How often batches are looked at.
            ended: Takes the seconds that each batch took.
            elsewhere: Takes what comes back undone from batches of earlier sessions, where no more are to be
                made; None: it goes into the next.
            part: Of the job, that comes here.
            sharers: Nodes of the run whose requests begin with a prefix, by its key.
            rounds: Batches that a row needs one after another.
            folder: Where large bodies are kept while they are sent.
            to_live: Leaves batches for live calls, where none is taken; None: these were not agreed to.
        """
        prefixes = Prefixes()
        self._queue = Queue(prefixes.key, elsewhere)
        self.primer = Primer(books.journal, prefixes, self._queue, sink.rows_in_work, part, sharers)
        filler = Filler(books, sink, self._queue, self.primer)
        self._flight = Flight(books, roles)
        self._retrying = Retrying(self._queue, sink, policy)
        results = Results(books.journal, sink, self._flight, self._queue, self.primer, self._retrying)
        self._poller = Poller(api, sink, polling, policy)
        self._follower = Follower(api, books, sink, self._flight, results, self._poller, polling, ended)
        creator = Creator(
            api, books.journal, sink, self._flight, self._follower, results, self._retrying, to_live,
            is_stopped=lambda: self._submitter.is_stopped,
        )  # fmt: skip
        self._submitter = Submitter(
            books,
            sink,
            self._queue,
            filler,
            self._flight,
            creator,
            self._retrying,
            rounds=rounds,
            folder=folder,
            clock=api.clock,
        )

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
        """Batches that are waited for and have not been read to their end, of earlier sessions too."""
        return self._flight.awaited(with_unsure=not self._poller.pays_twice)

    def submit(self, errand: Errand) -> None:
        """Queue an errand for the next batch. After `stop` it is left undone."""
        self._queue.put(errand)

    def claim(self, errand: Errand) -> bool:
        """Take over an attempt that an earlier session has in a batch; returns False where there is none."""
        return self._flight.claim(errand)

    def part_of(self, ask: Ask) -> Errand | None:
        """Return what an earlier session has in a batch for several inputs, one of which is a task's; None: nothing."""
        return self._flight.part_of(ask)

    def is_idle(self) -> bool:
        """Return whether nothing is ready to be sent, nor waits for a time, and no batch is open."""
        return not (len(self._queue) or len(self._retrying.later) or self.in_flight or self.open_batches)

    def outlives(self) -> bool:
        """Return whether every errand is in a batch whose id is known."""
        return self._flight.is_certain() and not self.queued

    def stop(self) -> None:
        """Submit nothing any more and stop polling; batches in flight go on without us."""
        self._submitter.stop()

    def leave(self, elsewhere: Callable[[Errand], None]) -> int:
        """Cancel all batches and let their errands go elsewhere as they come back; returns how many are in batches.

        A cancelled batch is read like any other: what has succeeded counts, and only what came back
        cancelled or expired goes on.
        """
        self._queue.leave(elsewhere)
        self._poller.leave()
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
                await self._submitter.run(group)
                group.cancel_scope.cancel()
        finally:
            self._submitter.close()
