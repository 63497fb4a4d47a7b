"""Message Batches: fill, write the intent down, submit; the rest is done by `follow`.

The intent, with its attempts, is durable before the batch is created. Batches carry no
custom_ids in the list, so no two intents whose batch is not certain have the same number of
requests: after a crash a batch of that size, created since and unknown here, is adopted, polled,
and confirmed by its results. Only an intent that is proven absent past the grace is sent again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import anyio
from anyio.abc import TaskGroup

from fanwise.api.client import Api
from fanwise.api.failures import Failure, RequestError
from fanwise.context.repeats import Repeats
from fanwise.journal.port import Journal
from fanwise.journal.records import BatchRecord
from fanwise.log import log
from fanwise.pricing.usage import Usage
from fanwise.units import now

from .bell import Bell
from .budget import Budget
from .call import Call, Sink, intent, worst_case
from .filling import MOST_REQUESTS, Chosen, Filler, cut
from .flight import Flight, Sent
from .follow import Follower
from .primer import Primer
from .retry import RetryPolicy
from .role import Roles
from .spool import Spool

COMMIT_EVERY = 5_000
"""Attempts that are held in memory before they are written."""
MOST_CREATING = 4
"""Batches that are being created at a time."""
LINGER_S = 0.25
"""A batch is sent when no call has come for so long,"""
LONGEST_LINGER_S = 20.0
"""or when its first call has waited for so long."""


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
        roles: Roles,
        policy: RetryPolicy,
        grace_s: float,
        poll_s: tuple[float, float] = (5.0, 60.0),
        scale: float = 1.0,
        rounds: int = 1,
        folder: Path | None = None,
    ) -> None:
        """Set up.

        Args:
            api: The connection.
            journal: Where intents and ends are kept.
            budget: Where a batch reserves its worst case.
            sink: Who is told how calls end.
            repeats: Counts what is sent again.
            run_id: First part of every custom_id.
            roles: Of the run, for what earlier sessions left in batches.
            policy: Bounds of retries.
            grace_s: Seconds after which a batch that is not listed was never taken.
            poll_s: First and longest interval between polls.
            scale: Calls of the whole job for each that comes here.
            rounds: Batches that a row needs one after another.
            folder: Where large bodies are kept while they are sent.
        """
        self.api, self.journal, self.budget, self.sink, self.repeats = api, journal, budget, sink, repeats
        self.run_id, self.policy, self.folder = run_id, policy, folder
        self.queue: deque[Call] = deque()
        self.flight = Flight(journal, budget, roles)
        self.follower = Follower(api, journal, sink, self.flight, run_id=run_id, grace_s=grace_s, poll_s=poll_s)
        self.primer = Primer(journal, sink.rows_in_work, scale)
        self.filler = Filler(self.queue, self.primer, budget, journal, run_id)
        self.filler.over = sink.failed
        self.follower.again, self.follower.submit, self.follower.saw = self._again, self.submit, self._saw
        self.waiting = 0
        """Calls that wait for their next attempt."""
        self._changed = Bell()
        self._stopping = False
        self._stopped = anyio.Event()
        self._came = self._cut_at = 0
        """Calls that have come so far, and had when it was said into how large batches they are cut."""
        self._rounds = rounds
        self._refused = 0
        """Batches that were refused for too much, since one was taken."""
        self._paused_until = 0.0
        self._bodies: list[Spool] = []
        self._elsewhere: Callable[[Call], None] | None = None
        """Where calls go instead, once batches were left."""
        self._group: TaskGroup | None = None
        self._creating = anyio.CapacityLimiter(MOST_CREATING)

    def submit(self, call: Call) -> None:
        """Queue a call for the next batch. After `stop` it is left undone."""
        if self._stopping:
            return
        if self._elsewhere is not None:
            self._elsewhere(call)
            return
        call.channel = "batch"
        self.queue.append(call)
        self._came += 1
        call.prefix = self.primer.key(call)
        self.primer.waiting[call.prefix] += 1
        self._changed.ring()

    def stop(self) -> None:
        """Submit nothing any more and stop polling; batches in flight go on without us."""
        self._stopping = True
        self._stopped.set()
        self._changed.ring()

    def leave(self, elsewhere: Callable[[Call], None]) -> int:
        """Cancel all batches and let their calls go elsewhere as they come back; returns how many are in batches.

        A cancelled batch is read like any other: what has succeeded counts, and only what came back
        cancelled or expired goes on.
        """
        self._elsewhere = elsewhere
        waiting = [*self.queue, *(call for calls in self.primer.held.values() for call in calls)]
        self.queue.clear()
        self.primer.held.clear()
        for call in waiting:
            elsewhere(call)
        self.follower.hurry()
        for record in list(self.flight.open.values()):
            if record.batch_id is not None and self._group is not None:
                self._group.start_soon(self._cancel, record.batch_id)
        self._changed.ring()
        return self.flight.count

    def race(self) -> int:
        """Let the calls that are still in batches go elsewhere at once; returns how many may be paid twice."""
        calls = self.flight.race()
        for call in calls:
            self.submit(call)
        return len(calls)

    async def _cancel(self, batch_id: str) -> None:
        try:
            await self.api.cancel_batch(batch_id)
        except RequestError as error:  # it may have ended by itself
            log.info("a batch could not be cancelled", batch=batch_id, error=str(error))

    def submitted(self) -> bool:
        """Return whether every call is in a batch whose id is known."""
        certain = all(one.state == "created" for one in self.flight.open.values())
        return certain and not self.queue and not self.waiting and not self.primer.held

    async def run(self, left: dict[int, dict[int, Sent]]) -> None:
        """Work until `stop` is called.

        Args:
            left: What earlier sessions left in batches, from `flight.load()`.
        """
        try:
            await self._work(left)
        finally:
            for body in self._bodies:  # of batches whose creation was never begun
                body.close()

    async def _work(self, left: dict[int, dict[int, Sent]]) -> None:
        async with anyio.create_task_group() as group:
            self._group = group
            for number, sent in left.items():
                group.start_soon(self.follower.follow, self.flight.open[number], sent, name=f"batch {number}")
            while not self._stopping:
                if not self.queue:
                    await self._changed.wait()
                    continue
                await self._quiet()
                if not self._stopping and self.queue:
                    await self._submit(group)
            group.cancel_scope.cancel()

    async def _quiet(self) -> None:
        """Wait until the queue is full or nothing has come for a moment."""
        came, since = -1, anyio.current_time()
        while len(self.queue) < MOST_REQUESTS and not self._stopping:
            if came == self._came and not self.sink.works_here():
                break
            came = self._came
            with anyio.move_on_after(LINGER_S):
                await self._stopped.wait()
            if anyio.current_time() - since > LONGEST_LINGER_S:
                break  # calls trickle in: those that came first have waited long enough
        with anyio.move_on_at(self._paused_until):
            await self._stopped.wait()

    async def _submit(self, group: TaskGroup) -> None:
        body = Spool(self.folder)
        self._bodies.append(body)
        try:
            await self._submit_with(body, group)
        finally:
            self._bodies = [one for one in self._bodies if not one.closed]

    async def _submit_with(self, body: Spool, group: TaskGroup) -> None:
        if self._cut_at != self._came:
            self._cut_at, self.filler.most = self._came, cut(len(self.queue), self._rounds)
        intent_number = self.journal.next_intent()
        chosen = self.filler.fill(body)
        if not chosen and self.queue and self.budget.in_flight == 0:
            call = self.queue[0]
            hold = worst_case(call.request(), call.row, batch=True, at=now())
            self.sink.halt(self.budget.lack(hold, f"task {call.label!r} of row {call.row}", call.role.model))
            body.close()
            return
        while chosen and len(chosen) in self.flight.sizes:
            self.filler.give_back(chosen.pop(), body)
        if not chosen:  # wait until the budget has room or an intent is certain, and look again
            body.close()
            with anyio.move_on_after(LINGER_S):
                await self.budget.freed()
            return
        record = BatchRecord(
            intent=intent_number, size=len(chosen), at=now().timestamp(), batch_id=None, state="intent"
        )
        self.flight.begin(record, len(chosen))
        sent = self.flight.sent[record.intent] = dict[int, Sent]()
        for call, attempt, outline, common, own, hold, way in _emptied(chosen):
            call.number, call.tries = call.number + 1, call.tries + 1
            again = self.repeats.count(call.row, call.role.cache, common, own)
            self.journal.add_attempt(*intent(call, outline, attempt, hold, again, record.at, record.intent))
            prefix = "" if way == "plain" else call.prefix
            sent[attempt] = Sent(attempt, call, hold, record.at, prefix, way == "lead")
            if len(sent) % COMMIT_EVERY == 0:  # the intent is among the first: a part of it is proven absent later
                await self.journal.commit()
        await self.journal.commit()
        group.start_soon(self._create, record, sent, body, name=f"batch {record.intent}")

    def _saw(self, one: Sent, usage: Usage | None) -> None:
        """Take what an attempt behind a breakpoint has read and written; those that waited for it go."""
        if usage is not None:
            self._go_on(self.primer.saw(one.prefix, usage, one.sent, led=one.led))
        elif one.led:
            self._go_on(self.primer.release(one.prefix))

    def _go_on(self, calls: Collection[Call]) -> None:
        if not calls:
            return
        self.queue.extend(calls)
        self._came += len(calls)
        self._changed.ring()

    async def _create(self, record: BatchRecord, sent: dict[int, Sent], body: Spool) -> None:
        batch_id = ""
        try:
            # Shielded: a create that is cut off in the middle would leave the intent open.
            with anyio.CancelScope(shield=True):
                async with self._creating:
                    try:
                        batch_id = (await self.api.create_batch(body)).id
                    finally:
                        body.close()
                self._refused = 0
                record = self.flight.known(record, batch_id, certain=True)
                await self.journal.commit()
                if self._elsewhere is not None:  # it was on its way when batches were left
                    await self._cancel(batch_id)
        except RequestError as error:
            failure, status = error.failure, error.failure.status or 0
            if failure.verdict == "lost" or (status >= 500 and status != 529):
                await self.follower.follow(record, sent)  # it may exist all the same
                return
            if failure.verdict == "terminal":
                self.sink.halt(f"{failure.kind}: {failure.message}")
            elif failure.too_much:
                self._refuse(failure)
            self.follower.absent(record, sent, failure)
            return
        await self.follower.watch(record, sent)

    def _refuse(self, failure: Failure) -> None:
        """Create nothing for a while: the queue of batches is full, or creates come too fast."""
        self._refused += 1
        wait_s = self.policy.wait_s(failure, self._refused)
        self._paused_until = anyio.current_time() + (wait_s or 0.0)

    def _again(self, one: Sent, failure: Failure) -> None:
        """Ask again; the row of an orphan asks by itself when it comes to the task."""
        call = one.call
        if one.orphan or failure.verdict == "terminal":
            return
        call.why = "retry"
        if failure.too_much and self.policy.wait_s(failure, self._refused) is not None:
            call.tries -= 1  # the whole batch was refused, and waits: that is not the call's fault
            self.submit(call)
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


def _emptied(chosen: list[Chosen]) -> Iterator[Chosen]:
    """Yield what was chosen, in order, and forget it on the way: it may be a hundred thousand."""
    chosen.reverse()
    while chosen:
        yield chosen.pop()
