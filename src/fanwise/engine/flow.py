"""The flow of rows through their graphs: ready tasks go out, outcomes come in, rows end.

It is driven by events: an outcome comes in, the row's state says which tasks are ready, and they go to a
worker or a carrier. Nothing here waits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

from fanwise.dispatch.books import Books
from fanwise.dispatch.carriers import Carriers
from fanwise.dispatch.errand import Ask, Errand, new_ask, new_errand
from fanwise.foreign import let_through, reason
from fanwise.graph.outcomes import Failed, Outcome
from fanwise.graph.scope import Task
from fanwise.journal.records import ArmName, ReachedRecord
from fanwise.threads import Threads

from .arms import Arm, node_of, row_state
from .asking import Asking, Owner
from .composing import Compose
from .conversing import Conversing
from .elsewhere import AnswersElsewhere
from .intake import Counters
from .meaning import Alone, all_failed, remembered
from .nodes import AgentNode, StepNode, keyed
from .recorder import Recorder
from .repeated import shown_of
from .resent import keep, recount
from .rows import Row
from .served import of_followers
from .settings import Settings
from .steps import Steps
from .talks import Talks
from .unread import Unread
from .window import Asked, RowRun, Window, new_row_run


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
        elsewhere: AnswersElsewhere | None = None,
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
            elsewhere: Answers of other runs; None: there are none.
        """
        self._arms, self._books, self._settings = arms, books, settings
        self._window, self._counters, self._recorder, self._talks = window, counters, recorder, talks
        self._carriers = carriers
        self._main = next(iter(arms))
        self._since = books.journal.edits() if settings.resumed else {}
        """By arm the session since which its graph is as it is; an arm that was never changed is not there."""
        self.steps = Steps(self._step_ended, threads)
        self.conversing = Conversing(talks, carriers.submit, self._tools_lost)
        self.asking = Asking(
            books=books, settings=settings, recorder=recorder, talks=talks, carriers=carriers,
            conversing=self.conversing, ended=self._take, elsewhere=elsewhere,
        )  # fmt: skip
        self._early: dict[str, Outcome] = {}
        """Outcomes of attempts of earlier sessions that came before their row asked for them, by task key."""
        self._outcomes: deque[tuple[RowRun, Task, Outcome]] = deque()
        """What has ended and its row does not know of yet."""

    def waits_in_packs_alone(self) -> bool:
        """Return whether all errands that have not ended wait for others to be packed with."""
        return 0 < self.asking.packs.waiting == len(self.asking) and not self.works_here()

    def works_here(self) -> bool:
        """Return whether steps or tools are at work."""
        return self.steps.at_work + self.conversing.at_work > 0

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
            task, key, work = keyed(run.row_id, run.arm.name, node, task)
        except BaseException as error:  # of a serializer, which is users' code
            let_through(error)
            self._take(run, task, Failed(task.label, "invalid_value", reason(error)))
            return
        journal = self._books.journal
        if run.is_noted or (self._settings.resumed and journal.is_elsewhere(key, run.number)):
            journal.add_reached(ReachedRecord(key, run.number, journal.session))
        outcome = self._remembered(run, key, node, task) if self._settings.resumed else None
        if outcome is not None:
            self._counters.remembered += 1
            if isinstance(node, AgentNode) and (not work or self.asking.equal.is_first(key, run.number)):
                keep(run, Asked(node, task, key, earlier=True))
                if self._settings.counted:
                    self._tell_kept(run, task, key, node)
            self._take(run, task, outcome)
        elif isinstance(node, StepNode):
            self.steps.start(run, task, key)
        else:
            self.asking.ask(Owner(run, task, node), key, work)

    def _tell_kept(self, run: RowRun, task: Task, key: str, node: AgentNode) -> None:
        """Tell who chooses channels of a live call of an earlier session whose answer stays: others may read it."""
        first = self._books.journal.first_attempt(key)
        if first is not None and first.channel == "live":
            ask = new_ask(key=key, row=run.number, node=task.node.path, label=task.label, row_id=run.row_id)
            errand = new_errand(role=node.role, asks=(ask,), compose=Compose(node, task, self._talks), why=first.why)
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
        places = (sent.place for sent in self._books.journal.asks_of(key) if sent.attempt == known.late.attempt)
        self._recorder.answer(known.late.attempt, next(places, 0), outcome)
        return outcome

    # Outcomes in, rows out ---------------------------------------------------------------------

    def settle(self, errand: Errand, outcomes: Sequence[Outcome | Alone], attempt: int | None = None) -> None:
        """Take what has become of an errand's tasks.

        Args:
            errand: The errand.
            outcomes: Of each of the tasks that it was sent for, in their order; what they come to, those that follow
                them come to as well.
            attempt: Number of the attempt that was answered; None: none was.
        """
        inputs = [self._keep(errand, place, outcome, attempt) for place, outcome in enumerate(outcomes)]
        followers: Sequence[Outcome | Alone] = ()
        if errand.followers:
            node = node_of(self._arms, errand)
            output = None if node is None else node.output  # of a node that is gone nothing is done
            followers = of_followers(output, errand, inputs)
        kept = inputs + [
            self._keep(errand, place, outcome, attempt) for place, outcome in enumerate(followers, len(inputs))
        ]
        owners = self.asking.end(errand, attempt, inputs)
        for ask, owner, outcome in zip(errand.served, owners, kept, strict=True):
            if not isinstance(outcome, Alone):
                self._give(owner, ask, outcome)
        for place, outcome in enumerate(inputs):
            if isinstance(outcome, Alone):
                self.asking.send_alone(errand, place, owners, outcome)
        self._drain()

    def _keep(self, errand: Errand, place: int, outcome: Outcome | Alone, attempt: int | None) -> Outcome | Alone:
        """Write down the outcome of the task at a place of an errand, if it has one, and return it."""
        if isinstance(outcome, Alone):
            return outcome
        ask, role = errand.served[place], errand.role
        kept = self._recorder.task(ask, role.arm, role.agent, outcome)
        if attempt is not None:
            self._recorder.answer(attempt, place, kept)
        self._talks.forget(ask.key)
        return kept

    def _give(self, owner: Owner | None, ask: Ask, outcome: Outcome) -> None:
        """Give a task's outcome to its row; that of an attempt of an earlier session, when its row comes to it."""
        if owner is None:
            self._early[ask.key] = outcome
        else:
            self._take(owner.run, owner.task, outcome)

    def undone(self, errand: Errand) -> None:
        """Send again what rows wait for of a pack of an earlier session that has come to nothing."""
        self.asking.send_again(errand)
        self._drain()

    def give_up_first(self, errand: Errand, outcome: Outcome) -> None:
        """Let the task fail that an errand is sent for, by what is wrong with its row; equal ones of others go on."""
        first, role = errand.asks[0], errand.role
        kept = self._recorder.task(first, role.arm, role.agent, outcome)
        self._talks.forget(first.key)
        owners = self.asking.end(errand, None, (kept,))
        self._give(owners[0], first, kept)
        self.asking.send_for_others(errand, owners)
        self._drain()

    def set_aside(self, errand: Errand, answer: Unread) -> None:
        """Keep an answer that nobody can read, for the task that it was asked for."""
        for ask in errand.served:
            self._recorder.unread(ask, errand.role.arm, errand.role.agent, answer)
            self._talks.forget(ask.key)
        self._carriers.ended(errand)

    def _step_ended(self, run: RowRun, task: Task, key: str, outcome: Outcome) -> None:
        ask = Ask(key=key, row=run.number, node=task.node.path, label=task.label)
        self._take(run, task, self._recorder.task(ask, run.arm.name, task.node.target.name, outcome))
        self._drain()

    def _tools_lost(self, errand: Errand, why: str) -> None:
        self.settle(errand, all_failed(errand, "server_lost", why))

    def _take(self, run: RowRun, task: Task, outcome: Outcome) -> None:
        self._outcomes.append((run, task, outcome))

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
