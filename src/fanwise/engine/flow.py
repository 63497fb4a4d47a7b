"""The flow of rows through their graphs: ready tasks go out, outcomes come in, rows end.

It is driven by events: an outcome comes in, the row's state says which tasks are ready, and they go to a
worker or a carrier. Nothing here waits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from fanwise.context.request import Request
from fanwise.dispatch.books import Books
from fanwise.dispatch.carriers import Carriers
from fanwise.dispatch.errand import Ask, Errand, new_ask, new_errand
from fanwise.foreign import let_through, reason
from fanwise.graph.outcomes import Failed, Outcome
from fanwise.graph.scope import Task
from fanwise.journal.records import ArmName, ReachedRecord
from fanwise.threads import Threads

from .arms import Arm, row_state
from .conversing import Conversing
from .intake import Counters
from .meaning import all_failed, remembered
from .nodes import AgentNode, StepNode, keyed
from .recorder import Recorder
from .repeated import shown_of
from .resent import keep, recount, send
from .rows import Row
from .settings import Settings
from .steps import Steps
from .talks import Talks
from .unread import Unread
from .window import Asked, RowRun, Window, new_row_run


class _Compose(NamedTuple):
    """Makes the requests of a task; smaller than a partial function, of which there are many."""

    node: AgentNode
    task: Task
    talks: Talks

    def __call__(self, errand: Errand) -> Request:
        node, repair, factor = self.node, errand.repair, errand.factor
        if not node.role.tools:
            return node.request(self.task, repair, factor)
        turns, keep = self.talks.of(errand.key).turns(), self.talks.goes_on(node.role)
        return node.request(self.task, repair, factor, turns, keep=keep)


class TaskFlow:
    """Moves the rows of one session on; used by one event loop."""

    def __init__(
        self,
        *,
        arms: Mapping[ArmName, Arm],
        books: Books,
        settings: Settings,
        window: Window,
        counters: Counters,
        recorder: Recorder,
        talks: Talks,
        carriers: Carriers,
        threads: Threads,
    ) -> None:
        """Begin without a row.

        Args:
            arms: By name, the one whose rows are counted first.
            books: Of the session.
            settings: Its bounds.
            window: The rows in work.
            counters: What a display shows.
            recorder: Writes outcomes down.
            talks: The conversations of tasks with tools.
            carriers: Take what a model is to answer.
            threads: Call steps.
        """
        self._arms, self._books, self._settings = arms, books, settings
        self._window, self._counters, self._recorder, self._talks = window, counters, recorder, talks
        self._carriers = carriers
        self._main = next(iter(arms))
        self._since = books.journal.edits() if settings.resumed else {}
        """By arm the session since which its graph is as it is; an arm that was never changed is not there."""
        self.steps = Steps(self._step_ended, threads)
        self.conversing = Conversing(talks, carriers.submit, self._tools_lost)
        self._owners: dict[Errand, tuple[tuple[RowRun, Task], ...]] = {}
        """The errands that have not ended, with the row and the task of each of their asks."""
        self._early: dict[str, Outcome] = {}
        """Outcomes of attempts of earlier sessions that came before their row asked for them, by task key."""
        self._outcomes: deque[tuple[RowRun, Task, Outcome]] = deque()
        """What has ended and its row does not know of yet."""

    @property
    def open_errands(self) -> int:
        """Errands that have not ended."""
        return len(self._owners)

    def works_here(self) -> bool:
        """Return whether steps or tools are at work."""
        return self.steps.at_work + self.conversing.at_work > 0

    def owns(self, errand: Errand) -> bool:
        """Return whether a row in the window waits for an errand; none does for those of earlier sessions."""
        return errand in self._owners

    # Rows in, tasks out ------------------------------------------------------------------------

    def start(self, row: Row, names: Sequence[ArmName]) -> None:
        """Begin a row on each of these arms."""
        self._window.open(row, len(names))
        if self._settings.counted:
            self._carriers.chooser.row_comes(row.number, shown_of(row.arguments, self._settings.counted))
        for name in names:
            arm = self._arms[name]
            run = new_row_run(
                number=row.number, row_id=row.row_id, size=row.size, arm=arm, state=row_state(arm, row),
                is_noted=max(row.since, self._since.get(name, 1)) > 1,
            )  # fmt: skip
            self._advance(run, run.state.start())
        self._drain()

    def _advance(self, run: RowRun, ready: list[Task]) -> None:
        for task in ready:
            self._dispatch(run, task)
        if run.state.finished():
            self._finish(run)

    def _dispatch(self, run: RowRun, task: Task) -> None:
        """Give a task to whoever carries it out, or take the outcome that it has already."""
        node = run.arm.nodes[task.node.path]
        try:
            task, key = keyed(run.row_id, run.arm.name, node, task)
        except BaseException as error:  # of a serializer, which is users' code
            let_through(error)
            self._outcomes.append((run, task, Failed(task.label, "invalid_value", reason(error))))
            return
        journal = self._books.journal
        if run.is_noted or (self._settings.resumed and journal.is_elsewhere(key, run.number)):
            journal.add_reached(ReachedRecord(key, run.number, journal.session))
        outcome = self._remembered(run, key, node, task) if self._settings.resumed else None
        if outcome is not None:
            self._counters.remembered += 1
            if isinstance(node, AgentNode):
                keep(run, Asked(node, task, key, earlier=True))
                if self._settings.counted:
                    self._tell_kept(run, task, key, node)
            self._outcomes.append((run, task, outcome))
        elif isinstance(node, StepNode):
            self.steps.start(run, task, key)
        else:
            self._send(run, task, key, node)

    def _tell_kept(self, run: RowRun, task: Task, key: str, node: AgentNode) -> None:
        """Tell who chooses channels of a live call of an earlier session whose answer stays: others may read it."""
        first = self._books.journal.first_attempt(key)
        if first is not None and first.channel == "live":
            ask = new_ask(key=key, row=run.number, node=task.node.path, label=task.label, row_id=run.row_id)
            errand = new_errand(role=node.role, asks=(ask,), compose=_Compose(node, task, self._talks), why=first.why)
            self._carriers.chooser.was_sent_live(errand, first.sent)

    def _remembered(self, run: RowRun, key: str, node: AgentNode | StepNode, task: Task) -> Outcome | None:
        """Return the outcome that a task has already, unless it is to be asked again."""
        if key in self._early:  # its record may not be durable yet, so the journal is not asked
            return self._early.pop(key)
        known = remembered(self._books.journal, key, node, task, self._settings.retry)
        if known is None or known.late is None:
            return None if known is None else known.outcome
        ask = Ask(key=key, row=run.number, node=task.node.path, label=task.label)
        outcome = self._recorder.task(ask, run.arm.name, task.node.target.name, known.outcome)
        self._recorder.answer(known.late.attempt, 0, outcome)
        return outcome

    def _send(self, run: RowRun, task: Task, key: str, node: AgentNode) -> None:
        resumed = self._settings.resumed
        before = self._books.journal.attempts_of(key) if resumed else 0
        if resumed:
            send(run, Asked(node, task, key, earlier=before > 0), self._books.repeats)
        ask = new_ask(key=key, row=run.number, node=task.node.path, label=task.label, before=before, row_id=run.row_id)
        errand = new_errand(
            role=node.role, asks=(ask,), compose=_Compose(node, task, self._talks), why="retry" if before else "first"
        )
        self._owners[errand] = ((run, task),)
        if resumed and self._carriers.claim(errand):
            return
        if resumed and node.role.tools and self._talks.of(key).waits:
            self.conversing.start(errand)
        else:
            self._carriers.submit(errand)

    # Outcomes in, rows out ---------------------------------------------------------------------

    def settle(self, errand: Errand, outcomes: Sequence[Outcome], attempt: int | None = None) -> None:
        """Take the outcomes of an errand's tasks.

        Args:
            errand: The errand.
            outcomes: One for each of its asks, in their order.
            attempt: Number of the attempt that was answered; None: none was.
        """
        role = errand.role
        kept: list[Outcome] = []
        for place, (ask, outcome) in enumerate(zip(errand.asks, outcomes, strict=True)):
            kept.append(self._recorder.task(ask, role.arm, role.agent, outcome))
            if attempt is not None:
                self._recorder.answer(attempt, place, kept[-1])
            self._talks.forget(ask.key)
        self._carriers.ended(errand)
        owners = self._owners.pop(errand, None)
        if owners is None:  # an attempt of an earlier session; its row will look it up
            self._early.update(zip((ask.key for ask in errand.asks), kept, strict=True))
            return
        for (run, task), outcome in zip(owners, kept, strict=True):
            self._outcomes.append((run, task, outcome))
        self._drain()

    def set_aside(self, errand: Errand, answer: Unread) -> None:
        """Keep an answer that nobody can read, for the task that it was asked for."""
        for ask in errand.asks:
            self._recorder.unread(ask, errand.role.arm, errand.role.agent, answer)
            self._talks.forget(ask.key)
        self._carriers.ended(errand)

    def _step_ended(self, run: RowRun, task: Task, key: str, outcome: Outcome) -> None:
        ask = Ask(key=key, row=run.number, node=task.node.path, label=task.label)
        self._outcomes.append((run, task, self._recorder.task(ask, run.arm.name, task.node.target.name, outcome)))
        self._drain()

    def _tools_lost(self, errand: Errand, why: str) -> None:
        self.settle(errand, all_failed(errand, "server_lost", why))

    def _drain(self) -> None:
        """Apply outcomes until none is left; without recursion, however long the chain."""
        while self._outcomes:
            run, task, outcome = self._outcomes.popleft()
            self._advance(run, run.state.finish(task, outcome))
        self._window.changed.ring()

    def _finish(self, run: RowRun) -> None:
        result = self._recorder.row(run)
        self._books.repeats.forget(run.number, run.arm.name)
        recount(run, self._books.journal)
        if run.arm.name == self._main:
            self._counters.end(failed=result.status == "failed")
        if self._window.close(run):
            self._books.row_ended(run.number)
            self._carriers.chooser.row_ends(run.number)
