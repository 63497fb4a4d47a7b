"""Following a batch: adopt it where only its intent is certain, wait for its end, read its results once."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Container, Sequence

import anyio

from fanwise.api.client import CREATE_TIMEOUT_S, Api
from fanwise.api.failures import Failure, RequestError
from fanwise.api.replies import BatchInfo, BatchResult
from fanwise.journal.records import BatchRecord
from fanwise.units import moment

from .books import Books
from .carrier import Sink
from .flight import Flight
from .keeping import kept
from .polling import Poller, Polling
from .reading import READINGS, Reading
from .results import Results

COMMIT_S, LOOK_EVERY = 0.2, 50
"""Results are made durable about so often while they are read; after how many the clock is looked at."""
ROUNDING_S = 2.0
"""How far two times of the server may be apart that are the same: its dates are whole seconds."""
UNKNOWN_S = 86_400.0
"""How far the clock here may be wrong where the server does not say its time."""


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

    async def follow(self, record: BatchRecord, *, appeared: Callable[[], None] | None = None) -> None:
        """Go on with a batch of which perhaps only the intent is certain.

        Args:
            record: The batch.
            appeared: Given where its creation has failed just now, and called when one is listed that may be it. It
                cannot have been created later than that, but for the grace, and its requests are not to blame. Else
                it was cut off, and can have been created within its time-out.
        """
        if record.state == "created":
            await self.watch(record)
            return
        clock, latest, refused, trial = self._api.clock, math.inf, set[str](), 0
        while True:
            asked_at = clock.now()
            listed = await self._listed(record)
            if listed is not None and latest == math.inf:  # the list has told the server's time
                begun = clock.now() if appeared else min(clock.now(), record.at + CREATE_TIMEOUT_S)
                latest = begun + self._polling.grace_s
            candidates = None if listed is None else self._candidates(record, listed, latest, refused)
            if candidates and not refused:
                self._tell(candidates[0].id, record)
                if appeared is not None:
                    appeared()
            for info in candidates or ():
                provisional = self._flight.identify(record, info.id, certain=False)
                await kept(self._journal, self._sink)
                if await self.watch(provisional, is_certain=False):
                    return
                refused.add(info.id)
            if candidates is not None and not candidates and asked_at >= latest:
                failure = Failure(verdict="retry", kind="batch_absent", message="the batch was never taken")
                self._results.absent(record, failure, blameless=appeared is not None)
                await kept(self._journal, self._sink)
                return
            trial += 1
            await anyio.sleep(min(max(latest - clock.now(), 0.05), self._polling.first_s, self._poller.pause_s(trial)))

    def _tell(self, batch_id: str, record: BatchRecord) -> None:
        """Say that a batch may be the run's, and send what it has all the same where that may be paid twice."""
        known = f"batch {batch_id} has {record.size} requests and may be this run's: it is polled, and"
        if self._polling.pay_twice:
            self._sink.note(f"{known} these are sent without waiting; if it is, what it answers is paid twice")
            self._results.race(record)
        else:
            self._sink.note(
                f"{known} {record.size} requests wait until it has ended; all others go on; "
                "`resume --pay-twice` sends them at once"
            )

    async def _listed(self, record: BatchRecord) -> list[BatchInfo] | None:
        """Return the batches that were created since an intent; None where the list failed: it proves nothing."""
        before_s = ROUNDING_S if self._api.clock.is_known else UNKNOWN_S
        try:
            listed = await self._api.batches_since(moment(record.at - before_s))
        except RequestError as error:
            if error.failure.is_hopeless or error.failure.verdict == "final":
                await self._poller.halt("the list of batches", error.failure)
            self._poller.silence.failed(error.failure)
            return None
        self._poller.silence.answered()
        return listed

    def _candidates(
        self, record: BatchRecord, listed: Sequence[BatchInfo], latest: float, refused: Container[str]
    ) -> list[BatchInfo]:
        """Return batches that may be the one that was intended: of its size, of its time, and known to nobody else."""
        others, latest = self._flight.certain_ids(), latest + (ROUNDING_S if self._api.clock.is_known else UNKNOWN_S)
        return [
            info
            for info in listed
            if info.size == record.size
            and info.created.timestamp() <= latest
            and info.id not in others
            and info.id not in refused
        ]

    async def watch(self, record: BatchRecord, *, is_certain: bool = True) -> bool:
        """Poll a batch to its end and apply its results; False where it turns out not to be ours."""
        assert record.batch_id is not None
        info = await self._poller.end(record.batch_id, is_certain=is_certain)
        if info is None:
            if not is_certain:
                return False
            reading: Reading | None = Reading(record=record, why="the batch is gone")
        else:
            self._ended(max(self._api.clock.now() - record.at, 0.0))
            reading = await self._readings(record, info, is_certain=is_certain)
        if reading is None:
            return False
        self._results.close(reading.record, reading)
        await kept(self._journal, self._sink)
        return True

    async def _readings(self, record: BatchRecord, info: BatchInfo, *, is_certain: bool) -> Reading | None:
        """Read the results of a batch, again where some are lacking; None where it turns out not to be ours."""
        trial = readings = 0
        waited_s = 0.0
        while True:
            trial += 1
            try:
                reading = await self._read(record, info.succeeded, is_certain=is_certain)
                self._poller.silence.answered()
                if reading is None:
                    return None
                record, is_certain, readings = reading.record, True, readings + 1
                if readings >= READINGS or all(sent.ended for sent in self._flight.sent[record.intent].values()):
                    return reading
            except RequestError as error:
                failure = error.failure
                if failure.is_hopeless or failure.not_by_batch or failure.is_redirect:
                    await self._poller.halt(f"results of batch {record.batch_id}", failure)
                if failure.verdict != "final":
                    self._poller.silence.failed(failure)
                elif waited_s > self._poller.absent_s:
                    why = f"its results cannot be read: {failure.message}"
                    return Reading(record=record, why=why, billed=info.succeeded) if is_certain else None
            pause_s = self._poller.pause_s(trial)
            waited_s += pause_s
            await anyio.sleep(pause_s)

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
