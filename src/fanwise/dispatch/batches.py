"""Message Batches: fill, write the intent down, submit; the rest is done by `follow`.

The intent, with its attempts, is durable before the batch is created. Batches carry no
custom_ids in the list, so no two intents whose batch is not certain have the same number of
requests: after a crash a batch of that size, created since and unknown here, is adopted, polled,
and confirmed by its results. Only an intent that is proven absent past the grace is sent again.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import anyio
from anyio.abc import TaskGroup

from fanwise.api.client import Api
from fanwise.api.failures import Failure, RequestError
from fanwise.context.repeats import Repeats
from fanwise.context.request import Request, Ttl
from fanwise.journal.records import BatchRecord, Journal
from fanwise.pricing.usage import Usage
from fanwise.units import now

from .budget import Budget
from .call import Call, Sink, intent, worst_case
from .flight import Flight, Sent
from .follow import Follower
from .primer import Primer, Way
from .retry import RetryPolicy

MOST_REQUESTS = 10_000
"""Requests in one batch; the API takes 100,000."""
MOST_BYTES = 64_000_000
"""Bytes of one batch; the API takes 256 MB, and the body stands in memory here."""
MOST_CREATING = 4
"""Batches that are being created at a time."""
TTL: dict[Way, Ttl | None] = {"plain": None, "lead": "1h", "read": "5m", "wait": None}
"""Life of what is written, by the way in which a call travels."""
LINGER_S = 0.25
"""A batch is sent when no call has come for so long."""


class Chosen(NamedTuple):
    """A call on its way into a batch."""

    call: Call
    request: Request
    reserved: int | None
    way: Way


class Batches:
    """Carries out calls in Message Batches."""

    def __init__(
        self,
        api: Api,
        journal: Journal,
        budget: Budget,
        sink: Sink,
        repeats: Repeats,
        *,
        run_id: str,
        policy: RetryPolicy,
        grace_s: float,
        poll_s: tuple[float, float] = (5.0, 60.0),
        scale: float = 1.0,
    ) -> None:
        """Set up.

        Args:
            api: The connection.
            journal: Where intents and ends are kept.
            budget: Where a batch reserves its worst case.
            sink: Who is told how calls end.
            repeats: Counts what is sent again.
            run_id: First part of every custom_id.
            policy: Bounds of retries.
            grace_s: Seconds after which a batch that is not listed was never taken.
            poll_s: First and longest interval between polls.
            scale: Calls of the whole job for each that comes here.
        """
        self.api, self.journal, self.budget, self.sink, self.repeats = api, journal, budget, sink, repeats
        self.run_id, self.policy = run_id, policy
        self.queue: deque[Call] = deque()
        self.flight = Flight(journal, budget)
        self.follower = Follower(api, journal, sink, self.flight, run_id=run_id, grace_s=grace_s, poll_s=poll_s)
        self.primer = Primer(journal, sink.rows_in_work, scale)
        self.follower.again, self.follower.submit, self.follower.saw = self._again, self.submit, self._saw
        self.waiting = 0
        """Calls that wait for their next attempt."""
        self._changed = anyio.Event()
        self._stopping = False
        self._group: TaskGroup | None = None
        self._creating = anyio.CapacityLimiter(MOST_CREATING)

    def submit(self, call: Call) -> None:
        """Queue a call for the next batch. After `stop` it is left undone."""
        if self._stopping:
            return
        call.channel = "batch"
        self.queue.append(call)
        self.primer.waiting[self.primer.key(call)] += 1
        self._change()

    def _change(self) -> None:
        changed, self._changed = self._changed, anyio.Event()
        changed.set()

    def stop(self) -> None:
        """Submit nothing any more and stop polling; batches in flight go on without us."""
        self._stopping = True
        self._change()

    def submitted(self) -> bool:
        """Return whether every call is in a batch whose id is known."""
        certain = all(one.state == "created" for one in self.flight.open.values())
        return certain and not self.queue and not self.waiting and not self.primer.held

    async def run(self, left: dict[int, dict[int, Sent]]) -> None:
        """Work until `stop` is called.

        Args:
            left: What earlier sessions left in batches, from `flight.load()`.
        """
        async with anyio.create_task_group() as group:
            self._group = group
            for number, sent in left.items():
                group.start_soon(self.follower.follow, self.flight.open[number], sent, name=f"batch {number}")
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

    async def _submit(self, group: TaskGroup) -> None:
        chosen = self._fill()
        if not chosen and self.queue and self.budget.in_flight == 0:
            call = self.queue[0]
            self.sink.halt(
                f"task {call.label!r} of row {call.row} does not fit the budget; resume with a higher --budget-usd"
            )
            return
        while chosen and len(chosen) in self.flight.sizes:
            last = chosen.pop()
            self.budget.settle(last.reserved, 0)
            self._give_back(last)
        if not chosen:  # wait until the budget has room or an intent is certain, and look again
            with anyio.move_on_after(LINGER_S):
                await self.budget.freed()
            return
        record = BatchRecord(self.journal.next_intent(), len(chosen), now().timestamp(), None, "intent")
        self.flight.begin(record, len(chosen))
        sent: dict[int, Sent] = {}
        bodies: list[bytes] = []
        for call, request, reserved, way in chosen:
            call.number, call.tries = call.number + 1, call.tries + 1
            attempt = self.journal.next_attempt()
            again = self.repeats.count(call.row, call.side, call.model, request.pieces)
            self.journal.add_attempt(
                intent(call, request, attempt, reserved, record.intent, again, marked=way != "plain")
            )
            prefix = "" if way == "plain" else self.primer.key(call)
            sent[attempt] = Sent(attempt, call, reserved, record.at, prefix, way == "lead")
            params = request.encode(run_id=self.run_id, ttl=TTL[way], row_ttl=None)
            bodies.append(b'{"custom_id":"%b-%d","params":%b}' % (self.run_id.encode(), attempt, params))
        await self.journal.commit()
        group.start_soon(self._create, record, sent, bodies, name=f"batch {record.intent}")

    def _fill(self) -> list[Chosen]:
        """Take calls from the queue as far as count, bytes and budget go; leaders travel alone."""
        chosen: list[Chosen] = []
        others: list[Call] = []
        size = 0
        while self.queue and len(chosen) < MOST_REQUESTS:
            call = self.queue[0]
            way = self.primer.way(call)
            if way == "wait":
                self.primer.hold(self.queue.popleft())
                continue
            leading = bool(chosen) and chosen[0].way == "lead"
            if chosen and leading != (way == "lead"):
                if not leading:  # what was chosen so far goes back: the prefix is written first
                    for one in reversed(chosen):
                        self.budget.settle(one.reserved, 0)
                    others += [one.call for one in chosen]
                    chosen, size = [], 0
                else:
                    others.append(self.queue.popleft())
                    continue
            request = call.compose(call.repair)
            length = request.weight()
            reserved = worst_case(request, batch=True, at=now(), ttl=TTL[way])
            if (chosen and size + length > MOST_BYTES) or not self.budget.reserve(reserved):
                if way == "lead":
                    self.primer.release(self.primer.key(call))
                break
            self.queue.popleft()
            size += length
            chosen.append(Chosen(call, request, reserved, way))
        self.queue.extendleft(reversed(others))
        self.primer.waiting.subtract(self.primer.key(one.call) for one in chosen)
        return chosen

    def _give_back(self, one: Chosen) -> None:
        """Put a call back to the front of the queue."""
        key = self.primer.key(one.call)
        if one.way == "lead":
            self._go_on(self.primer.release(key))
        self.queue.appendleft(one.call)
        self.primer.waiting[key] += 1

    def _saw(self, one: Sent, usage: Usage | None) -> None:
        """Take what an attempt behind a breakpoint has read and written; those that waited for it go."""
        if usage is not None:
            self._go_on(self.primer.saw(one.prefix, usage, one.sent, led=one.led))
        elif one.led:
            self._go_on(self.primer.release(one.prefix))

    def _go_on(self, calls: deque[Call]) -> None:
        self.queue.extend(calls)
        self._change()

    async def _create(self, record: BatchRecord, sent: dict[int, Sent], bodies: list[bytes]) -> None:
        batch_id = ""
        try:
            # Shielded: a create that is cut off in the middle would leave the intent open.
            with anyio.CancelScope(shield=True):
                async with self._creating:
                    batch_id = (await self.api.create_batch(bodies)).id
                record = self.flight.known(record, batch_id, certain=True)
                await self.journal.commit()
        except RequestError as error:
            failure, status = error.failure, error.failure.status or 0
            if failure.verdict == "lost" or (status >= 500 and status != 529):
                await self.follower.follow(record, sent)  # it may exist all the same
                return
            if failure.verdict == "terminal":
                self.sink.halt(f"{failure.kind}: {failure.message}")
            self.follower.absent(record, sent, failure)
            return
        await self.follower.watch(record, sent)

    def _again(self, one: Sent, failure: Failure) -> None:
        """Ask again; the row of an orphan asks by itself when it comes to the task."""
        call = one.call
        if one.orphan or failure.verdict == "terminal":
            return
        wait_s = self.policy.wait_s(failure, call.tries)
        if wait_s is None:
            self.sink.failed(call, failure)
        elif wait_s < LINGER_S or self._group is None:
            self.submit(call)
        else:
            self.waiting += 1
            self._group.start_soon(self._later, call, wait_s)

    async def _later(self, call: Call, wait_s: float) -> None:
        await anyio.sleep(wait_s)
        self.waiting -= 1
        self.submit(call)
