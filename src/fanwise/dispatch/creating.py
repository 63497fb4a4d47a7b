"""Creating a batch whose intent is durable, and what its refusal means."""

from __future__ import annotations

import anyio

from fanwise.api.client import Api
from fanwise.api.failures import Failure, RequestError
from fanwise.journal.port import Journal
from fanwise.journal.records import BatchRecord

from .carrier import Sink
from .flight import Flight
from .follow import Follower
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
    ) -> None:
        self._api, self._journal, self._sink, self._flight = api, journal, sink, flight
        self._follower, self._results, self._retrying = follower, results, retrying
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
                batch = await self._api.create_batch(body)
            finally:
                body.close()
        self._retrying.created()
        record = self._flight.identify(record, batch.id, certain=True)
        await self._journal.commit()
        return record

    async def _failed(self, record: BatchRecord, failure: Failure) -> None:
        status = failure.status or 0
        if failure.verdict == "lost" or (status >= 500 and status != OVERLOADED):
            await self._follower.follow(record)  # it may exist all the same
            return
        if failure.verdict == "terminal":
            self._sink.halt(f"{failure.kind}: {failure.message}")
        elif failure.too_much:
            self._retrying.refused(failure)
        self._results.absent(record, failure)
