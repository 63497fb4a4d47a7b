"""Following a batch: adopt it where only its intent is certain, wait for its end, read its results once."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

import anyio

from fanwise.api.client import CREATE_TIMEOUT_S, Api
from fanwise.api.failures import Failure, RequestError
from fanwise.api.replies import BatchInfo, BatchResult
from fanwise.journal.records import BatchRecord
from fanwise.units import moment, now

from .books import Books
from .carrier import Sink
from .flight import Flight
from .keeping import kept
from .polling import Poller, Polling
from .reading import MOST_BROKEN, READINGS, Reading
from .results import Results

COMMIT_S, LOOK_EVERY = 0.2, 50
"""Results are made durable about so often while they are read; after how many the clock is looked at."""
CLOCK_SKEW_S = 300.0
"""How far the server's clock may be behind ours."""


class Follower:
    """Brings batches to their end; stops when its task group is cancelled."""

    def __init__(
        self,
        api: Api,
        books: Books,
        sink: Sink,
        flight: Flight,
        results: Results,
        poller: Poller,
        polling: Polling,
        ended: Callable[[float], None],
    ) -> None:
        """Set up.

        Args:
            api: The connection.
            books: Of the session.
            sink: Who is told where no request will do.
            flight: Knows what is in batches.
            results: Takes what comes back.
            poller: Waits for the end of a batch.
            polling: How long that may stay unlisted, and how long is waited between two tries.
            ended: Takes the seconds of each batch, from its intent to where its end was seen.
        """
        self._api, self._journal, self._sink = api, books.journal, sink
        self._flight, self._results, self._ended = flight, results, ended
        self._poller, self._polling = poller, polling
        self._front = f"{books.run_id}-"

    async def follow(self, record: BatchRecord) -> None:
        """Go on with a batch of which perhaps only the intent is certain."""
        if record.state == "created":
            await self.watch(record)
            return
        # A create can be on its way for its time-out, and be taken by the server a while after.
        certain_at = min(now().timestamp(), record.at + CREATE_TIMEOUT_S) + self._polling.grace_s
        refused: set[str] = set()
        while True:
            asked_at = now().timestamp()
            candidates = await self._candidates(record, refused)
            for info in candidates or ():
                provisional = self._flight.identify(record, info.id, certain=False)
                await kept(self._journal, self._sink)
                if await self.watch(provisional, is_certain=False):
                    return
                refused.add(info.id)
            if candidates is not None and not candidates and asked_at >= certain_at:
                failure = Failure(verdict="retry", kind="batch_absent", message="the batch was never taken")
                self._results.absent(record, failure)
                await kept(self._journal, self._sink)
                return
            await anyio.sleep(min(max(certain_at - asked_at, 0.05), self._polling.first_s))

    async def _candidates(self, record: BatchRecord, refused: set[str]) -> list[BatchInfo] | None:
        """Return batches that may be the one that was intended; None where the list failed: it proves nothing."""
        since = moment(record.at) - timedelta(seconds=CLOCK_SKEW_S)
        try:
            listed = await self._api.batches_since(since)
        except RequestError as error:
            self._halt_if_terminal(error.failure)
            return None
        others = self._flight.certain_ids() | refused
        return [info for info in listed if info.size == record.size and info.id not in others]

    def _halt_if_terminal(self, failure: Failure) -> bool:
        if failure.verdict == "terminal":
            self._sink.halt(f"{failure.kind}: {failure.message}")
        return failure.verdict == "terminal"

    async def watch(self, record: BatchRecord, *, is_certain: bool = True) -> bool:
        """Poll a batch to its end and apply its results; False where it turns out not to be ours."""
        assert record.batch_id is not None
        info = await self._poller.end(record.batch_id, is_certain=is_certain)
        if info is None:
            if not is_certain:
                return False
            reading: Reading | None = Reading(record=record, why="the batch is gone")
        else:
            self._ended(now().timestamp() - record.at)
            reading = await self._readings(record, info, is_certain=is_certain)
        if reading is None:
            return False
        self._results.close(reading.record, reading)
        await kept(self._journal, self._sink)
        return True

    async def _readings(self, record: BatchRecord, info: BatchInfo, *, is_certain: bool) -> Reading | None:
        """Read the results of a batch, again where some are lacking; None where it turns out not to be ours."""
        trial = broken = 0
        while True:
            trial += 1
            try:
                reading = await self._read(record, info.succeeded, is_certain=is_certain)
                if reading is None:
                    return None
                record, is_certain = reading.record, True
                if trial >= READINGS or all(sent.ended for sent in self._flight.sent[record.intent].values()):
                    return reading
            except RequestError as error:
                failure = error.failure
                broken += failure.verdict != "final"
                if failure.verdict == "terminal" or failure.not_by_batch or broken >= MOST_BROKEN:
                    self._sink.halt(f"results of batch {record.batch_id}: {failure.kind}: {failure.message}")
                    await anyio.sleep_forever()  # until the halted run cancels us: the batch stays open
                if failure.verdict == "final" and trial - broken >= READINGS:
                    why = f"its results cannot be read: {failure.message}"
                    return Reading(record=record, why=why, billed=info.succeeded) if is_certain else None
            await anyio.sleep(self._poller.pause_s(trial))

    async def _read(self, record: BatchRecord, billed: int | None, *, is_certain: bool) -> Reading | None:
        """Apply the results of a batch that were not applied yet; None where it turns out not to be ours.

        Raises:
            RequestError: They could not be read to their end.
        """
        batch_id, batch, reading = record.batch_id or "", self._flight.sent[record.intent], Reading(record=record)
        reading.billed, applied, committed_at = billed, 0, time.monotonic()
        async for result in self._api.results(batch_id):
            attempt = self._attempt_of(result)
            if not is_certain:
                if not self._journal.owns(record.intent, attempt):
                    return None
                record, is_certain = self._flight.identify(record, batch_id, certain=True), True
                reading.record = record
            if result.reply is not None and attempt >= 0:
                reading.paid.add(result.custom_id)
            sent = batch.get(attempt)
            if sent is None or sent.ended:
                continue
            if result.failure is not None and result.failure.verdict == "lost":
                reading.odd[attempt] = result.failure  # another line may say more
                continue
            self._results.apply(sent, result)
            reading.odd.pop(attempt, None)
            applied += 1
            if applied % LOOK_EVERY == 0 and time.monotonic() - committed_at > COMMIT_S:
                committed_at = time.monotonic()
                await kept(self._journal, self._sink)
        return reading if is_certain else None

    def _attempt_of(self, result: BatchResult) -> int:
        """Return the attempt that a result belongs to; -1 where it is none of this run's."""
        if not result.custom_id.startswith(self._front):
            return -1
        number = result.custom_id[len(self._front) :]
        return int(number) if number.isdigit() else -1
