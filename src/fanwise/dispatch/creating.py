"""Creating a batch whose intent is durable, and what its refusal means."""

from __future__ import annotations

from collections.abc import Callable

import anyio

from fanwise.api.client import Api
from fanwise.api.failures import Failure, RequestError
from fanwise.journal.port import Journal
from fanwise.journal.records import BatchRecord

from .attempts import UNSENT
from .carrier import Sink
from .flight import Flight
from .follow import Follower
from .keeping import kept
from .results import Results
from .retrying import Retrying
from .spool import Spool

MOST_CREATING = 4
"""Batches that are being created at a time."""
OVERLOADED = 529


class Creator:
    """Creates batches, and follows each to its end."""

    def __init__(
        self,
        api: Api,
        journal: Journal,
        sink: Sink,
        flight: Flight,
        follower: Follower,
        results: Results,
        retrying: Retrying,
        leave: Callable[[], object] | None,
        *,
        is_stopped: Callable[[], bool],
    ) -> None:
        """Set up.

        Args:
            api: The connection.
            journal: Where ids of batches are kept.
            sink: Who is told where no batch will do.
            flight: Knows what is in batches.
            follower: Brings batches to their end.
            results: Takes what comes of those that are refused.
            retrying: Knows how large and how soon the next may be.
            leave: Leaves batches for live calls; None: these were not agreed to.
            is_stopped: Whether nothing is to be sent any more.
        """
        self._leave = leave
        self._api, self._journal, self._sink, self._flight = api, journal, sink, flight
        self._follower, self._results, self._retrying = follower, results, retrying
        self._is_stopped = is_stopped
        self._creating = anyio.CapacityLimiter(MOST_CREATING)

    async def carry_out(self, record: BatchRecord, body: Spool) -> None:
        """Create a batch and bring it to its end; its intent and its attempts are durable."""
        try:
            # Shielded: a create that is cut off in the middle would leave the intent open.
            with anyio.CancelScope(shield=True):
                record = await self._create(record, body)
        except RequestError as error:
            await self._failed(record, error.failure)
            return
        await self._follower.watch(record)

    async def _create(self, record: BatchRecord, body: Spool) -> BatchRecord:
        async with self._creating:
            try:
                if self._is_stopped():
                    raise RequestError(UNSENT)
                batch = await self._api.create_batch(body)
            finally:
                body.close()
        self._retrying.created()
        record = self._flight.identify(record, batch.id, certain=True)
        await kept(self._journal, self._sink)  # else it is looked for by its size
        return record

    async def _failed(self, record: BatchRecord, failure: Failure) -> None:
        status = failure.status or 0
        if failure.verdict == "broken":  # the batch may exist: its intent stays open, and the next session looks
            self._sink.halt(f"a batch could not be created: {failure.kind}: {failure.message}")
            return
        if failure.verdict == "lost" or (status >= 500 and status != OVERLOADED):
            self._retrying.put_off(failure)
            await self._follower.follow(record, appeared=self._retrying.created)  # it may exist all the same
            return
        # Requests are checked while a batch is processed: what is refused at once is the batch, most often for its
        # size; a half that is taken shows that its requests are not to blame, and at one there is no doubt left.
        elsewhere = failure.not_by_batch or failure.is_away or failure.is_redirect
        blameless = elsewhere or failure.too_much or (failure.verdict == "final" and record.size > 1)
        if failure.not_by_batch:
            self._go_live(failure)
        elif failure.is_away:
            self._retrying.put_off(failure)
        elif failure.verdict == "terminal" or failure.is_redirect:
            self._sink.halt(f"{failure.kind}: {failure.message}")
        elif failure.too_much:
            self._retrying.put_off(failure, is_full=self._flight.holds_others(record))
        elif blameless:
            self._retrying.halve(record.size)
        self._results.absent(record, failure, blameless=blameless)

    def _go_live(self, failure: Failure) -> None:
        """Leave batches for live calls, where they may cost what these cost; else halt."""
        if self._leave is None:
            self._sink.halt(f"{failure.kind}: {failure.message}; resume with --channel live, which costs twice as much")
        else:
            self._sink.note(f"no batch is taken here, so what is left goes live, within the budget: {failure.message}")
            self._leave()
