"""Batches: fill, submit, poll, read results; exact through crashes.

The intent, with its attempts, is durable before the batch is created. Batches carry no
custom_ids in the list, so no two open intents have the same number of requests: after a crash
a batch of that size, created since and unknown here, is adopted, polled, and confirmed by its
results. Only an intent that is proven absent past the grace is sent again.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import anyio
from anyio.abc import TaskGroup

from fanwise.api.client import Api, BatchInfo, BatchResult, encode_body
from fanwise.api.failures import Failure, RequestError
from fanwise.context.request import Request
from fanwise.journal.records import AttemptRecord, BatchRecord, Journal
from fanwise.units import now

from .budget import Budget
from .call import Call, Sink, intent, paid, unpaid, worst_case
from .retry import RetryPolicy

MOST_REQUESTS = 10_000
"""Requests in one batch; the API takes 100,000."""
MOST_BYTES = 64_000_000
"""Bytes of one batch; the API takes 256 MB, and the body stands in memory here."""
LINGER_S = 0.25
"""A batch is sent when no call has come for so long."""
COMMIT_EVERY = 100
"""Results are made durable in groups of this size while they are read."""
CLOCK_SKEW_S = 300.0
"""How far the server's clock may be behind ours."""


@dataclass(slots=True, eq=False)
class Sent:
    """An attempt in a batch."""

    attempt: int
    call: Call
    reserved: int | None
    sent: float
    orphan: bool = False
    """True for an attempt of an earlier session whose row has not asked for it yet."""


class Batches:
    """Carries out calls in Message Batches."""

    def __init__(
        self,
        api: Api,
        journal: Journal,
        budget: Budget,
        sink: Sink,
        *,
        run_id: str,
        policy: RetryPolicy,
        grace_s: float,
        poll_s: tuple[float, float] = (5.0, 60.0),
    ) -> None:
        """Set up.

        Args:
            api: The connection.
            journal: Where intents and ends are kept.
            budget: Where a batch reserves its worst case.
            sink: Who is told how calls end.
            run_id: First part of every custom_id.
            policy: Bounds of retries.
            grace_s: Seconds after which a batch that is not listed was never taken.
            poll_s: First and longest interval between polls.
        """
        self.api, self.journal, self.budget, self.sink = api, journal, budget, sink
        self.run_id, self.policy, self.grace_s, self.poll_s = run_id, policy, grace_s, poll_s
        self.queue: deque[Call] = deque()
        self.open: dict[int, BatchRecord] = {}
        """Batches in flight, by intent."""
        self._sizes: set[int] = set()
        """Sizes of intents whose batch id is not known yet."""
        self.adopted: dict[str, Sent] = {}
        """Attempts of earlier sessions that are still in a batch, by task key."""
        self.in_flight = 0
        """Calls in batches."""
        self._changed = anyio.Event()
        self._stopping = False
        self._group: TaskGroup | None = None
        self._slots = anyio.CapacityLimiter(16)
        self.waiting = 0

    def submit(self, call: Call) -> None:
        """Queue a call for the next batch. After `stop` it is left undone."""
        if self._stopping:
            return
        call.channel = "batch"
        self.queue.append(call)
        self._change()

    def _change(self) -> None:
        changed, self._changed = self._changed, anyio.Event()
        changed.set()

    def stop(self) -> None:
        """Submit nothing any more and stop polling; batches in flight go on without us."""
        self._stopping = True
        self._change()

    def claim(self, call: Call) -> bool:
        """Take over an attempt of an earlier session for a call; False where there is none."""
        sent = self.adopted.get(call.key)
        if sent is None or not sent.orphan:
            return False
        call.channel, call.number, call.tries = "batch", sent.call.number, 1
        sent.call, sent.orphan = call, False
        return True

    def load(self) -> None:
        """Take the open batches of earlier sessions from the journal."""
        for record in self.journal.open_batches():
            self.open[record.intent] = record
            if record.batch_id is None or record.state == "adopted":
                self._sizes.add(record.size)
            for one in self.journal.open_attempts(record.intent):
                self.budget.hold(one.reserved)
                self.adopted[one.key] = Sent(one.id, _orphan(one), one.reserved, one.sent, orphan=True)
                self.in_flight += 1

    async def run(self) -> None:
        """Work until `stop` is called."""
        async with anyio.create_task_group() as group:
            self._group = group
            for record in list(self.open.values()):
                by_attempt = {sent.attempt: sent for sent in self.adopted.values()}
                mine = {
                    one.id: by_attempt[one.id]
                    for one in self.journal.open_attempts(record.intent)
                    if one.id in by_attempt
                }
                group.start_soon(self._follow, record, mine, name=f"batch {record.intent}")
            while not self._stopping:
                changed = self._changed
                if not self.queue:
                    await changed.wait()
                    continue
                await self._quiet()
                if not self._stopping and self.queue:
                    await self._submit(group)
            group.cancel_scope.cancel()

    async def _quiet(self) -> None:
        """Wait until the queue is full or nothing has come for a moment."""
        while len(self.queue) < MOST_REQUESTS and not self._stopping:
            changed = self._changed
            with anyio.move_on_after(LINGER_S) as scope:
                await changed.wait()
            if scope.cancelled_caught:
                return

    # Submitting --------------------------------------------------------------------------------

    async def _submit(self, group: TaskGroup) -> None:
        chosen = self._fill()
        if not chosen:
            if self.budget.in_flight == 0:
                call = self.queue[0]
                self.sink.halt(
                    f"task {call.label!r} of row {call.row} does not fit the budget; resume with a higher --budget-usd"
                )
                self._stopping = True
                return
            await self.budget.freed()
            return
        while len(chosen) in self._sizes and chosen:
            call, _, reserved = chosen.pop()
            self.budget.settle(reserved, 0)
            self.queue.appendleft(call)
        if not chosen:
            await anyio.sleep(LINGER_S)
            return
        number = self.journal.next_intent()
        record = BatchRecord(number, len(chosen), now().timestamp(), None, "intent")
        self._sizes.add(record.size)
        self.open[number] = record
        sent: dict[int, Sent] = {}
        bodies: list[bytes] = []
        for call, request, reserved in chosen:
            call.number, call.tries = call.number + 1, call.tries + 1
            attempt = self.journal.next_attempt()
            self.journal.add_attempt(intent(call, request, attempt, reserved, number))
            sent[attempt] = Sent(attempt, call, reserved, record.at)
            bodies.append(
                encode_body(
                    {"custom_id": f"{self.run_id}-{attempt}", "params": request.body(run_id=self.run_id, ttl=None)}
                )
            )
        self.journal.add_batch(record)
        self.in_flight += len(sent)
        await self.journal.commit()
        group.start_soon(self._create, record, sent, bodies, name=f"batch {number}")

    def _fill(self) -> list[tuple[Call, Request, int | None]]:
        """Take calls from the queue as far as count, bytes and budget go."""
        chosen: list[tuple[Call, Request, int | None]] = []
        size = 0
        while self.queue and len(chosen) < MOST_REQUESTS:
            call = self.queue[0]
            request = call.compose(call.repair)
            length = request.size() * 11 // 10 + 1_000  # escapes and the frame around the texts
            reserved = worst_case(request, batch=True, at=now(), ttl=None)
            if (chosen and size + length > MOST_BYTES) or not self.budget.reserve(reserved):
                break
            self.queue.popleft()
            size += length
            chosen.append((call, request, reserved))
        return chosen

    async def _create(self, record: BatchRecord, sent: dict[int, Sent], bodies: list[bytes]) -> None:
        async with self._slots:
            batch_id = ""
            try:
                with anyio.CancelScope(shield=True):  # a create that is cut off leaves the intent open
                    batch_id = (await self.api.create_batch(bodies)).id
            except RequestError as error:
                failure, status = error.failure, error.failure.status or 0
                if failure.verdict == "terminal":
                    self._absent(record, sent, failure, again=False)
                    self.sink.halt(f"{failure.kind}: {failure.message}")
                    return
                if failure.verdict == "lost" or (status >= 500 and status != 529):
                    await self._follow(record, sent)  # it may exist all the same
                    return
                self._absent(record, sent, failure)
                return
        record = self._known(record, batch_id, "created")
        await self.journal.commit()
        await self._watch(record, sent)

    def _known(self, record: BatchRecord, batch_id: str, state: str) -> BatchRecord:
        known = BatchRecord(
            record.intent, record.size, record.at, batch_id, "created" if state == "created" else "adopted"
        )
        if state == "created":
            self._sizes.discard(record.size)
        self.open[record.intent] = known
        self.journal.add_batch(known)
        return known

    def _absent(self, record: BatchRecord, sent: dict[int, Sent], failure: Failure, *, again: bool = True) -> None:
        """End an intent whose batch does not exist: nothing was billed, everything goes again."""
        self._close(record, "absent")
        for one in sent.values():
            self.journal.add_end(unpaid(one.attempt, failure, 0.0))
            self._settle(one, 0)
            if again:
                self._again(one, failure)
        self._drop(sent)

    def _close(self, record: BatchRecord, state: str) -> None:
        self._sizes.discard(record.size)
        self.open.pop(record.intent, None)
        self.journal.add_batch(
            BatchRecord(
                record.intent, record.size, record.at, record.batch_id, "ended" if state == "ended" else "absent"
            )
        )

    def _settle(self, one: Sent, actual: int | None) -> None:
        self.budget.settle(one.reserved, actual)
        self.in_flight -= 1

    def _drop(self, sent: dict[int, Sent]) -> None:
        attempts = set(sent)
        for key in [key for key, one in self.adopted.items() if one.attempt in attempts]:
            del self.adopted[key]

    def _again(self, one: Sent, failure: Failure) -> None:
        """Ask again; an orphan's row asks by itself when it comes to the task."""
        if one.orphan:
            self.adopted.pop(one.call.key, None)
            return
        call = one.call
        wait_s = self.policy.wait_s(failure, call.tries)
        if wait_s is None:
            self.sink.failed(call, failure)
        elif wait_s < LINGER_S:
            self.submit(call)
        elif self._group is not None:
            self.waiting += 1
            self._group.start_soon(self._later, call, wait_s)

    async def _later(self, call: Call, wait_s: float) -> None:
        await anyio.sleep(wait_s)
        self.waiting -= 1
        self.submit(call)

    # Following ---------------------------------------------------------------------------------

    async def _follow(self, record: BatchRecord, sent: dict[int, Sent]) -> None:
        """Go on with a batch of which only the intent is certain."""
        if record.batch_id is not None and record.state == "created":
            await self._watch(record, sent)
            return
        since = datetime.fromtimestamp(record.at, UTC) - timedelta(seconds=CLOCK_SKEW_S)
        refused: set[str] = set()
        while not self._stopping:
            found = await self._candidates(record, since, refused)
            for info in found:
                provisional = self._known(record, info.id, "adopted")
                await self.journal.commit()
                if await self._watch(provisional, sent, confirm=True):
                    return
                refused.add(info.id)
            over_s = now().timestamp() - record.at - self.grace_s
            if not found and over_s > 0:
                self._absent(record, sent, Failure("retry", "batch_absent", "the batch was never taken"))
                await self.journal.commit()
                return
            await anyio.sleep(min(max(-over_s, 0.05), self.poll_s[0]))

    async def _candidates(self, record: BatchRecord, since: datetime, refused: set[str]) -> list[BatchInfo]:
        try:
            listed = await self.api.batches_since(since)
        except RequestError:
            return [] if now().timestamp() - record.at < self.grace_s else await self._patient(since, record, refused)
        return self._unknown(listed, record, refused)

    async def _patient(self, since: datetime, record: BatchRecord, refused: set[str]) -> list[BatchInfo]:
        """List until an answer comes: a failed list proves nothing."""
        while True:
            await anyio.sleep(self.poll_s[0])
            try:
                return self._unknown(await self.api.batches_since(since), record, refused)
            except RequestError as error:
                if error.failure.verdict == "terminal":
                    self.sink.halt(f"{error.failure.kind}: {error.failure.message}")

    def _unknown(self, listed: list[BatchInfo], record: BatchRecord, refused: set[str]) -> list[BatchInfo]:
        known = (
            self.journal.batch_ids()
            | refused
            | {one.batch_id for one in self.open.values() if one.state == "created" and one.batch_id}
        )
        return [info for info in listed if info.size == record.size and info.id not in known]

    async def _watch(self, record: BatchRecord, sent: dict[int, Sent], *, confirm: bool = False) -> bool:
        """Poll a batch to its end and apply its results; False where it turns out not to be ours."""
        assert record.batch_id is not None
        if not await self._ended(record.batch_id):
            return True
        seen: set[int] = set()
        for trial in range(1_000_000):
            try:
                async for result in self.api.results(record.batch_id):
                    attempt = self._attempt_of(result)
                    if attempt not in sent:
                        if confirm and not seen:
                            return False
                        continue
                    if attempt not in seen:
                        seen.add(attempt)
                        self._apply(sent[attempt], result)
                        if len(seen) % COMMIT_EVERY == 0:
                            await self.journal.commit()
                break
            except RequestError as error:
                if error.failure.verdict == "terminal":
                    self.sink.halt(f"{error.failure.kind}: {error.failure.message}")
                    return True
                await anyio.sleep(min(self.poll_s[0] * (trial + 1), self.poll_s[1]))
        for attempt in set(sent) - seen:
            missing = Failure("lost", "missing", f"batch {record.batch_id} has no result for this request")
            self._finish_failed(sent[attempt], missing)
        self._close(record, "ended")
        await self.journal.commit()
        self._drop(sent)
        return True

    async def _ended(self, batch_id: str) -> bool:
        interval, absent = self.poll_s[0], 0.0
        if self.api.offline:  # a simulated batch ends in moments
            interval = min(interval, 0.05)
        while not self._stopping:
            try:
                if (await self.api.get_batch(batch_id)).status == "ended":
                    return True
            except RequestError as error:
                failure = error.failure
                absent += interval
                # A new batch may answer 404 for seconds, also when it has ended.
                if (
                    failure.verdict == "terminal"
                    or (failure.verdict == "final" and failure.status != 404)
                    or (failure.status == 404 and absent > 600)
                ):
                    self.sink.halt(f"batch {batch_id}: {failure.kind}: {failure.message}")
                    return False
            await anyio.sleep(interval)
            interval = min(interval * 1.5, self.poll_s[1] if not self.api.offline else min(1.0, self.poll_s[1]))
        return False

    def _attempt_of(self, result: BatchResult) -> int:
        run, _, number = result.custom_id.rpartition("-")
        return int(number) if run == self.run_id and number.isdigit() else -1

    def _apply(self, one: Sent, result: BatchResult) -> None:
        if result.reply is None:
            self._finish_failed(one, result.failure or Failure("retry", result.kind, "no result"))
            return
        latency_s = max(now().timestamp() - one.sent, 0.0)
        end = paid(
            one.attempt,
            one.call.model,
            result.reply,
            datetime.fromtimestamp(one.sent, UTC),
            batch=True,
            latency_s=latency_s,
        )
        self.journal.add_end(end)  # no await between the reply and its record
        self._settle(one, end.cost)
        again = self.sink.replied(one.call, result.reply)
        if one.orphan:
            self.adopted.pop(one.call.key, None)
        elif again is not None:
            one.call.repair = again
            self.submit(one.call)

    def _finish_failed(self, one: Sent, failure: Failure) -> None:
        end = unpaid(one.attempt, failure, max(now().timestamp() - one.sent, 0.0))
        self.journal.add_end(end)
        self._settle(one, end.cost)
        self._again(one, failure)


def _orphan(record: AttemptRecord) -> Call:
    """Return a stand-in for the call of an attempt whose row has not been read again yet."""

    def compose(_: str) -> Request:
        raise AssertionError("an attempt of an earlier session is never composed again")

    return Call(
        record.key,
        record.row,
        record.side,
        record.node,
        record.label,
        record.agent,
        record.model,
        0.0,
        compose,
        number=record.number,
    )
