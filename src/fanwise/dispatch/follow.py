"""Following a batch: adopt it where only its intent is certain, poll it, apply its results once."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

import anyio

from fanwise.api.client import CREATE_TIMEOUT_S, Api
from fanwise.api.failures import Failure, RequestError
from fanwise.api.replies import BatchInfo, BatchResult
from fanwise.journal.port import Journal
from fanwise.journal.records import BatchRecord
from fanwise.pricing.usage import Usage
from fanwise.units import moment, now

from .call import Call, Sink, paid, unpaid
from .flight import Flight, Sent

PAID_TWICE = "paid_twice"
"""Kind of an attempt whose answer came after the task had been answered live, for a deadline."""
COMMIT_S, LOOK_EVERY = 0.2, 50
"""Results are made durable about so often while they are read; after how many the clock is looked at."""
CLOCK_SKEW_S = 300.0
"""How far the server's clock may be behind ours."""
ABSENT_S = 600.0
"""A batch that answers 404 for so long is gone: new ones do so for seconds (seen in the field)."""


class Follower:
    """Brings batches to their end; stops when its task group is cancelled."""

    def __init__(
        self,
        api: Api,
        journal: Journal,
        sink: Sink,
        flight: Flight,
        *,
        run_id: str,
        grace_s: float,
        poll_s: tuple[float, float],
    ) -> None:
        self.api, self.journal, self.sink, self.flight = api, journal, sink, flight
        self._front, self.grace_s, self.poll_s = f"{run_id}-", grace_s, poll_s
        self._hurry = anyio.Event()
        self.again: Callable[[Sent, Failure], None]
        """Told of every attempt that has to go again, or has failed for good."""
        self.hurried = False
        """Whether batches are to be looked at often: somebody waits for their end."""
        self.took: Callable[[float], object] = lambda seconds: None
        """Told how many seconds a batch took, from its intent to where its end was seen."""
        self.saw: Callable[[Sent, Usage | None], None]
        """Told of the usage of every attempt behind a breakpoint; None where it failed."""
        self.submit: Callable[[Call], None]
        """Takes a call whose answer could not be used."""

    async def follow(self, record: BatchRecord, sent: dict[int, Sent]) -> None:
        """Go on with a batch of which perhaps only the intent is certain."""
        if record.state == "created":
            await self.watch(record, sent)
            return
        began = now().timestamp()
        # A create can be on its way for its time-out, and be taken by the server a while after.
        certain_at = min(began, record.at + CREATE_TIMEOUT_S) + self.grace_s
        refused: set[str] = set()
        while True:
            asked = now().timestamp()
            found = await self._candidates(record, refused)
            for info in found or ():
                provisional = self.flight.known(record, info.id, certain=False)
                await self.journal.commit()
                if await self.watch(provisional, sent, confirm=True):
                    return
                refused.add(info.id)
            if found is not None and not found and asked >= certain_at:
                self.absent(
                    record, sent, Failure(verdict="retry", kind="batch_absent", message="the batch was never taken")
                )
                await self.journal.commit()
                return
            await anyio.sleep(min(max(certain_at - asked, 0.05), self.poll_s[0]))

    async def _candidates(self, record: BatchRecord, refused: set[str]) -> list[BatchInfo] | None:
        """Return batches that may be the one that was intended; None where the list failed: it proves nothing."""
        since = moment(record.at) - timedelta(seconds=CLOCK_SKEW_S)
        try:
            listed = await self.api.batches_since(since)
        except RequestError as error:
            self._halt_if_terminal(error.failure)
            return None
        known = self.flight.certain_ids() | refused
        return [info for info in listed if info.size == record.size and info.id not in known]

    def _halt_if_terminal(self, failure: Failure) -> bool:
        if failure.verdict == "terminal":
            self.sink.halt(f"{failure.kind}: {failure.message}")
        return failure.verdict == "terminal"

    def absent(self, record: BatchRecord, sent: dict[int, Sent], failure: Failure) -> None:
        """End an intent whose batch does not exist: nothing was billed, everything goes again."""
        self.flight.close(record, absent=True)
        for one in sent.values():
            end = unpaid(one.attempt, failure, 0.0)
            self.journal.add_end(end)
            self.flight.settle(one, end)
            if one.prefix:
                self.saw(one, None)
            self._again(one, failure)
            self.flight.drop(one)

    def _again(self, one: Sent, failure: Failure) -> None:
        if not one.raced:
            self.again(one, failure)

    async def watch(self, record: BatchRecord, sent: dict[int, Sent], *, confirm: bool = False) -> bool:
        """Poll a batch to its end and apply its results; False where it turns out not to be ours."""
        batch_id = record.batch_id
        assert batch_id is not None
        await self._ended(batch_id)
        self.took(now().timestamp() - record.at)
        seen: set[int] = set()
        trial, kept_at = 0, time.monotonic()
        while True:
            try:
                async for result in self.api.results(batch_id):
                    attempt = self._attempt_of(result)
                    if confirm:
                        if not self.journal.owns(record.intent, attempt):
                            return False
                        record, confirm = self.flight.known(record, batch_id, certain=True), False
                    if attempt in sent and attempt not in seen:
                        seen.add(attempt)
                        self._apply(sent[attempt], result)
                        if len(seen) % LOOK_EVERY == 0 and time.monotonic() - kept_at > COMMIT_S:
                            kept_at = time.monotonic()
                            await self.journal.commit()
                break
            except RequestError as error:
                if self._halt_if_terminal(error.failure):
                    return True
                trial += 1
                await anyio.sleep(min(self.poll_s[0] * trial, self.poll_s[1]))
        for attempt in set(sent) - seen:
            missing = Failure(
                verdict="lost", kind="missing", message=f"batch {batch_id} has no result for this request"
            )
            self._fail(sent[attempt], missing)
        self.flight.close(record)
        await self.journal.commit()
        for one in sent.values():
            self.flight.drop(one)
        return True

    async def _ended(self, batch_id: str) -> None:
        """Poll until a batch has ended; backs off from the first to the longest interval."""
        first, longest = self.poll_s
        if self.api.offline:  # a simulated batch ends in moments
            first, longest = min(first, 0.05), min(longest, 1.0)
        interval, absent_s = first, 0.0
        while True:
            try:
                if (await self.api.get_batch(batch_id)).status == "ended":
                    return
                absent_s = 0.0
            except RequestError as error:
                failure = error.failure
                absent_s += interval if failure.status == 404 else 0.0
                hopeless = failure.verdict == "final" and (failure.status != 404 or absent_s > ABSENT_S)
                if failure.verdict == "terminal" or hopeless:
                    self.sink.halt(f"batch {batch_id}: {failure.kind}: {failure.message}")
                    await anyio.sleep_forever()  # until the halted run cancels us; the batch stays open
            await self._pause(first if self.hurried else interval)
            interval = min(interval * 1.5, longest)

    async def _pause(self, interval_s: float) -> None:
        """Wait for an interval, or until there is a hurry."""
        with anyio.move_on_after(interval_s):
            await self._hurry.wait()
            await anyio.sleep(min(interval_s, self.poll_s[0]))

    def hurry(self) -> None:
        """Look often from now on."""
        self.hurried = True
        self._hurry.set()

    def _attempt_of(self, result: BatchResult) -> int:
        if not result.custom_id.startswith(self._front):
            return -1
        number = result.custom_id[len(self._front) :]
        return int(number) if number.isdigit() else -1

    def _apply(self, one: Sent, result: BatchResult) -> None:
        if result.reply is None:
            self._fail(one, result.failure or Failure(verdict="retry", kind=result.kind, message="no result"))
            return
        at, latency_s = moment(one.sent), max(time.time() - one.sent, 0.0)
        again = one.raced or (one.orphan and self.journal.task(one.call.key) is not None)
        kind = PAID_TWICE if again else ""
        end = paid(one.attempt, one.call.role.model, result.reply, at, batch=True, latency_s=latency_s, kind=kind)
        self.journal.add_end(end)  # no await between the reply and its record
        self.flight.settle(one, end)
        if one.prefix:
            self.saw(one, end.usage)
        if again:
            self.flight.drop(one)
            return
        one.call.attempt = one.attempt
        repair = self.sink.replied(one.call, result.reply)
        if one.orphan:
            self.flight.drop(one)
        elif repair is not None:
            one.call.repair, one.call.why = repair, "repair" if repair else "longer"
            self.submit(one.call)

    def _fail(self, one: Sent, failure: Failure) -> None:
        end = unpaid(one.attempt, failure, max(now().timestamp() - one.sent, 0.0))
        self.journal.add_end(end)
        self.flight.settle(one, end)
        if one.prefix:
            self.saw(one, None)
        if one.orphan:
            self.flight.drop(one)  # its row must not wait for it any more
        self._again(one, failure)
