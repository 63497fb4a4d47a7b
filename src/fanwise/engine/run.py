"""The engine: a bounded window of rows, and what happens when a task ends.

It is driven by events: a reply or a step's result comes in, the row's state says which tasks are
ready, and they go to a channel. Nothing here waits for one row.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import anyio
import anyio.lowlevel
from anyio.abc import TaskGroup
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from fanwise.api.failures import Failure
from fanwise.api.replies import Reply
from fanwise.canonical import canonical
from fanwise.context.repeats import Repeats
from fanwise.context.request import Request
from fanwise.dispatch.batches import Batches
from fanwise.dispatch.bell import Bell
from fanwise.dispatch.call import Call
from fanwise.dispatch.channel import Chooser
from fanwise.dispatch.deadline import Left
from fanwise.dispatch.live import Live
from fanwise.dispatch.role import Role, Roles
from fanwise.graph.dag import rounds
from fanwise.graph.state import Done, Failed, Outcome, RowState, Task
from fanwise.journal.port import Journal
from fanwise.journal.records import AnswerRecord, ArmName, RowResult, TaskRecord
from fanwise.log import log

from .arms import AgentNode, Arm, StepNode, all_roles, row_state, task_key
from .intake import Counters, Intake
from .meaning import Again, WantsTools, meaning, remembered
from .rows import Record, Row, RowTypes
from .settings import Settings
from .steps import run_step
from .talks import Talks
from .timekeeper import TimeKeeper

STEP_WORKERS = 4
DETACH_S = 5.0
"""Seconds in which batches that nobody waits for are read before a detached session leaves them."""


_NOTHING = object()


@dataclass(slots=True, eq=False)
class RowRun:
    """One row on one arm, while it is in the window."""

    number: int
    row_id: str
    size: int
    arm: Arm
    state: RowState


class _Composer(NamedTuple):
    """Makes the requests of a task; smaller than a partial function, of which there are many."""

    node: AgentNode
    task: Task
    key: str
    talks: Talks

    def __call__(self, repair: str, factor: int) -> Request:
        if not self.node.role.tools:
            return self.node.request(self.task, repair, factor)
        turns, keep = self.talks.of(self.key).turns(), self.talks.goes_on(self.node.role)
        return self.node.request(self.task, repair, factor, turns, keep=keep)


@dataclass
class Engine:
    """One session of one run."""

    arms: Mapping[ArmName, Arm]
    """By name, the one whose rows a display counts first."""
    journal: Journal
    types: RowTypes
    settings: Settings
    arms_of: Callable[[Row], tuple[ArmName, ...]]
    """Gives the arms on which a row runs."""
    roles: Roles = field(init=False)
    repeats: Repeats = field(init=False)
    talks: Talks = field(init=False)
    timekeeper: TimeKeeper | None = field(init=False)
    chooser: Chooser = field(init=False)
    """Gives the channel of a call."""
    live: Live = field(init=False)
    batches: Batches = field(init=False)
    counters: Counters = field(default_factory=Counters)
    halted: str = ""
    notes: list[str] = field(default_factory=list[str])
    """What the user should hear of now and find in the report."""
    ended: Literal["completed", "halted", "interrupted", "detached"] = "completed"
    _calls: dict[Call, tuple[RowRun, Task]] = field(default_factory=dict[Call, tuple[RowRun, Task]])
    _early: dict[str, Outcome] = field(default_factory=dict[str, Outcome])
    """Outcomes of attempts of earlier sessions that came before their row asked for them."""
    _open: dict[int, int] = field(default_factory=dict[int, int])
    """Rows in the window: arms that are still running."""
    _parked: dict[Role, list[Call]] = field(default_factory=dict[Role, list[Call]])
    """Calls that wait until pilots have shown how long their role's answers are."""
    _last: tuple[object, str] = (_NOTHING, "")
    """The output that was kept last, and its hash."""
    _bytes: int = 0
    _steps: int = 0
    _work: deque[tuple[RowRun, Task, Outcome]] = field(default_factory=deque[tuple[RowRun, Task, Outcome]])
    _room: Bell = field(default_factory=Bell)
    """Rung when something has ended."""
    _read_all: bool = False
    _group: TaskGroup = field(init=False)
    _step_send: MemoryObjectSendStream[tuple[RowRun, Task, str]] = field(init=False)

    def __post_init__(self) -> None:
        self.roles = Roles(all_roles(self.arms.values()))
        self.repeats = Repeats(resumed=self.settings.resumed)
        self.talks = Talks(self.journal, resumed=self.settings.resumed)
        self.timekeeper = None
        if self.settings.deadline is not None:
            pay_twice = self.settings.pay_twice
            self.timekeeper = self._timekeeper(self.settings.deadline, pay_twice=pay_twice)

    async def run(self, records: Iterator[Record]) -> None:
        """Run all rows; returns when they are done, or the run is halted, stopped or detached."""
        self._step_send, step_receive = anyio.create_memory_object_stream[tuple[RowRun, Task, str]](math.inf)
        left = self.batches.flight.load()
        async with anyio.create_task_group() as group:
            self._group = group
            group.start_soon(self.live.run, name="live")
            group.start_soon(self.batches.run, left, name="batches")
            for number in range(STEP_WORKERS):
                group.start_soon(self._work_steps, step_receive.clone(), name=f"step worker {number}")
            step_receive.close()
            watch = anyio.CancelScope()
            if self.timekeeper is not None:
                group.start_soon(self.timekeeper.keep, watch, name="deadline")
            try:
                await self._admit(records)
                while self._open and not self._stopping:
                    await self._next_event()
                if self.settings.resumed:
                    await self._last_batches()
            finally:
                watch.cancel()
                self.live.stop()
                self.batches.stop()
                self._step_send.close()
        await self.journal.commit()

    @property
    def _stopping(self) -> bool:
        return self.ended != "completed"

    def stop(self, how: Literal["halted", "interrupted", "detached"], reason: str = "") -> None:
        """Start nothing any more; what is in flight live ends, batches go on without us."""
        if self._stopping:
            return
        self.ended, self.halted = how, reason
        self.live.stop()
        self.batches.stop()
        self._room.ring()

    def note(self, text: str) -> None:
        """Keep something that the user should hear of."""
        self.notes.append(text)
        log.warning(text)

    def halt(self, reason: str) -> None:
        """Stop the run: no request will do."""
        self.stop("halted", reason)

    def expects_more(self) -> bool:
        """Return whether rows are still to come or to be finished."""
        return not self._stopping and (bool(self._open) or not self._read_all)

    def _timekeeper(self, deadline: float, *, pay_twice: bool) -> TimeKeeper:
        def leave() -> int:
            self.chooser.only_live()
            return self.batches.leave(self.live.submit)

        return TimeKeeper(
            deadline=deadline, started=self.settings.started, left=self._left, leave=leave, note=self.note,
            race=(lambda: self.batches.race()) if pay_twice else None,
            open_=lambda: (len(self._open), self.batches.flight.count),
        )  # fmt: skip

    def _left(self) -> Left:
        """Return what is to be done, as far as it is known: each row in work may still need all its tasks."""
        tasks = max((len(arm.graph.tasks()) for arm in self.arms.values()), default=1)
        calls = max(len(self._calls), len(self._open)) * max(tasks, 1)
        depth = max((rounds(arm.graph) for arm in self.arms.values()), default=1)
        return Left(calls, depth, self.live.slots, self.live.latency_s)

    async def _next_event(self) -> None:
        """Wait until something ended; with `detach`, also look whether all is submitted."""
        if not self.settings.detach:
            await self._room.wait()
            return
        with anyio.move_on_after(0.1):
            await self._room.wait()
        idle = not (self.live.active or self.live.waiting or self._steps)
        if idle and self.batches.submitted() and 0 < len(self._calls) <= self.batches.flight.count:
            self.stop("detached")

    async def _last_batches(self) -> None:
        """Read batches of earlier sessions that no row waits for: what they answered is paid, and is to be known."""
        with anyio.move_on_after(DETACH_S if self.settings.detach else math.inf):
            while self.batches.flight.open and not self._stopping:
                with anyio.move_on_after(0.1):
                    await self._room.wait()
        if self.batches.flight.open and self.settings.detach:
            self.stop("detached")

    # Rows in -----------------------------------------------------------------------------------

    async def _admit(self, records: Iterator[Record]) -> None:
        """Take rows into the window as it has room."""
        many = self.settings.window_calls is None
        intake = Intake(self.journal, self.types, self.counters, self.settings.limit, self.settings.only, many=many)
        while not self._stopping:
            rows = await intake.more(records)
            if rows is None:
                self._read_all = True
                return
            for index, row in enumerate(rows):
                while not self._stopping and self._full():
                    await self._next_event()
                if self._stopping:
                    return
                self._start(row)
                if index % 64 == 63:
                    await anyio.lowlevel.checkpoint()  # replies and steps get their turn

    def _full(self) -> bool:
        """Return whether there is enough in work: rows, bytes of them, or calls that wait to be sent."""
        if not self._open:
            return False
        enough = self.settings.window_calls is not None and self.live.waiting >= self.settings.window_calls
        return enough or len(self._open) >= self.settings.window_rows or self._bytes >= self.settings.window_bytes

    def _start(self, row: Row) -> None:
        names = self.arms_of(row)
        self._open[row.number] = len(names)
        self._bytes += row.size
        for name in names:
            arm = self.arms[name]
            run = RowRun(row.number, row.row_id, row.size, arm, row_state(arm, row))
            if self.settings.resumed and self.journal.has_attempts(row.number, name):
                self.repeats.go_on(row.number, name)
            self._advance(run, run.state.start())
        self._drain()

    # Tasks out ---------------------------------------------------------------------------------

    def _advance(self, run: RowRun, ready: list[Task]) -> None:
        for task in ready:
            self._dispatch(run, task)
        if run.state.finished():
            self._finish_row(run)

    def _dispatch(self, run: RowRun, task: Task) -> None:
        node = run.arm.nodes[task.node.path]
        try:
            key = task_key(run.row_id, run.arm.name, node, task)
        except TypeError as error:
            self._work.append((run, task, Failed(task.label, "invalid_value", str(error))))
            return
        known = self._known(key, node, task)
        if known is not None:
            self.counters.known += 1
            self._work.append((run, task, known))
            return
        if not isinstance(node, AgentNode):
            if not self._stopping:
                self._steps += 1
                self._step_send.send_nowait((run, task, key))
            return
        compose = _Composer(node, task, key, self.talks)
        call = Call(node.role, key, run.number, task.node.path, task.label, compose)
        self._calls[call] = (run, task)
        if self.batches.flight.claim(call):
            return
        if self.settings.resumed:
            call.number = self.journal.attempts_of(key)
            call.why = "retry" if call.number else "first"
            if node.role.tools and self.talks.of(key).waits:
                self._use_tools(call)
                return
        self._submit(call)

    def _submit(self, call: Call) -> None:
        channel = self.chooser.channel(call)
        if channel is None:
            self._parked.setdefault(call.role, []).append(call)
        else:
            (self.live if channel == "live" else self.batches).submit(call)

    def _go_on(self, call: Call) -> None:
        """Send what waited for a pilot that has ended."""
        if self.chooser.ended(call):
            for parked in self._parked.pop(call.role, ()):
                self._submit(parked)

    def _use_tools(self, call: Call) -> None:
        """Carry out the tools that a call's last reply asks for, and send its next request."""
        self._steps += 1
        self._group.start_soon(self._tools, call, name=f"tools of {call.label}")

    async def _tools(self, call: Call) -> None:
        await self.talks.tell(call.key, call.role.tools, call.role.time_limit_s)
        self._steps -= 1
        call.tries, call.why = 0, "tools"
        self._submit(call)

    def _known(self, key: str, node: AgentNode | StepNode, task: Task) -> Outcome | None:
        """Return the outcome that the journal has for a task, unless it is to be asked again."""
        if not self.settings.resumed:
            return None
        if key in self._early:  # its record may not be durable yet, so the journal is not asked
            return self._early.pop(key)
        return remembered(self.journal, key, node, task, self.settings.retry)

    def _drain(self) -> None:
        """Apply outcomes until none is left; without recursion, however long the chain."""
        while self._work:
            run, task, outcome = self._work.popleft()
            self._advance(run, run.state.finish(task, outcome))
        self._room.ring()

    # Outcomes in -------------------------------------------------------------------------------

    def replied(self, call: Call, reply: Reply) -> str | None:
        """Take a reply; returns what to say when it is asked once more, perhaps nothing, or None when it is done."""
        self.chooser.replied(call, reply)
        node, asks = self._node_of(call), reply.stop_reason == "tool_use"
        if node is not None and node.role.tools:
            self.talks.replied(node.role, tools=asks)
        rounds_ = len(self.talks.of(call.key).said) if asks else 0
        read = meaning(node, call, reply, rounds_)
        if isinstance(read, Again):
            call.factor = read.factor
            return read.repair
        if isinstance(read, WantsTools):
            self.talks.say(call.key, reply.content)
            if call in self._calls:  # else its row will ask for the task, and go on from here
                self._use_tools(call)
        elif read is not None:
            self._settle(call, read)
        return None

    def _node_of(self, call: Call) -> AgentNode | None:
        """Return the node of a call; None where it is gone since an earlier session."""
        arm = self.arms.get(call.role.arm)
        node = None if arm is None else arm.nodes.get(call.node)
        return node if isinstance(node, AgentNode) else None

    def failed(self, call: Call, failure: Failure) -> None:
        """Take the final failure of a call."""
        self._settle(call, Failed(call.label, failure.kind, failure.message))

    def _settle(self, call: Call, outcome: Outcome) -> None:
        self._record(call.key, call.row, call.role.arm, call.node, call.label, call.role.agent, outcome)
        if isinstance(outcome, Done):
            self.journal.add_answer(AnswerRecord(call.attempt, 0, self._kept(outcome.value)))
        self.talks.forget(call.key)
        self._go_on(call)
        owner = self._calls.pop(call, None)
        if owner is None:  # an attempt of an earlier session; its row will look it up
            self._early[call.key] = outcome
            return
        self._work.append((*owner, outcome))
        self._drain()

    def _record(self, key: str, row: int, arm: ArmName, node: str, label: str, agent: str, outcome: Outcome) -> None:
        if isinstance(outcome, Done):
            sha = self._kept(outcome.value)
            self.journal.add_task(
                TaskRecord(key=key, row=row, arm=arm, node=node, label=label, agent=agent, status="done", output=sha)
            )
            return
        cause = outcome if isinstance(outcome, Failed) else outcome.cause
        self.journal.add_task(
            TaskRecord(
                key=key, row=row, arm=arm, node=node, label=label, agent=agent, status="failed", output=None,
                kind=cause.kind, message=cause.message,
            )
        )  # fmt: skip
        log.info("task failed", row=row, task=label, kind=cause.kind)

    def _kept(self, value: object) -> str:
        """Keep an output; returns its hash. The last task's is most often the row's too, and is written once."""
        if value is not self._last[0]:
            self._last = value, self.journal.add_text(canonical(value))
        return self._last[1]

    async def _work_steps(self, steps: MemoryObjectReceiveStream[tuple[RowRun, Task, str]]) -> None:
        async with steps:
            async for run, task, key in steps:
                if self._stopping:
                    return
                outcome = await run_step(task, run.arm.nodes[task.node.path].output)
                self._steps -= 1
                node = task.node.path
                self._record(key, run.number, run.arm.name, node, task.label, task.node.target.name, outcome)
                self._work.append((run, task, outcome))
                self._drain()

    # Rows out ----------------------------------------------------------------------------------

    def _finish_row(self, run: RowRun) -> None:
        number, outcome = run.number, run.state.outcome()
        if isinstance(outcome, Done):
            status = "partial" if run.state.failures else "succeeded"
            sha = self._kept(outcome.value)
            result = RowResult(number, run.arm.name, status, sha)
        else:
            cause = outcome if isinstance(outcome, Failed) else outcome.cause
            result = RowResult(number, run.arm.name, "failed", None, f"{cause.task}: {cause.kind}: {cause.message}")
        self.journal.add_result(result)
        self.repeats.forget(number, run.arm.name)
        if run.arm.name == next(iter(self.arms)):
            self.counters.finished += 1
            self.counters.failed += result.status == "failed"
        self._open[number] -= 1
        if self._open[number] == 0:
            del self._open[number]
            self.live.budget.forget(number)
            self._bytes -= run.size
            self._room.ring()

    @property
    def read_all(self) -> bool:
        """Whether the rows were read to their end."""
        return self._read_all

    def works_here(self) -> bool:
        """Return whether steps or tools are at work, whose tasks will be sent when they are done."""
        return self._steps > 0

    def rows_in_work(self) -> int:
        """Return how many rows are in the window."""
        return len(self._open)
