"""The flow of rows through their graphs: ready tasks go out, outcomes come in, rows end.

It is driven by events: an outcome comes in, the row's state says which tasks are ready, and they go to a
worker or a carrier. Nothing here waits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from fanwise.context.request import Request
from fanwise.dispatch.attempts import sizes_text
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
from .equal import EqualTasks
from .intake import Counters
from .meaning import Alone, all_failed, remembered
from .nodes import AgentNode, StepNode, keyed
from .packs import Packs, why_sent
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


class _Owner(NamedTuple):
    """Whose a task is that an errand serves."""

    run: RowRun
    task: Task
    node: AgentNode

    def sizes(self) -> str:
        """Return the characters of the values that it shows, as `AskRecord` has them."""
        return sizes_text(self.node.request(self.task).sizes)


class _ComposePack(NamedTuple):
    """Makes the requests of several tasks."""

    node: AgentNode
    tasks: tuple[Task, ...]

    def __call__(self, errand: Errand) -> Request:
        return self.node.pack_request(self.tasks, errand.repair, errand.factor)


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
        self.packs = Packs(self._submit_pack)
        self.equal = EqualTasks(books.journal, settings.retry, resumed=settings.resumed)
        self._owners: dict[Errand, list[_Owner | None]] = {}
        """The errands that have not ended, with whose task each is that they serve; None where no row has asked."""
        self._early: dict[str, Outcome] = {}
        """Outcomes of attempts of earlier sessions that came before their row asked for them, by task key."""
        self._outcomes: deque[tuple[RowRun, Task, Outcome]] = deque()
        """What has ended and its row does not know of yet."""

    @property
    def open_errands(self) -> int:
        """Errands that have not ended."""
        return len(self._owners)

    def waits_in_packs_alone(self) -> bool:
        """Return whether all errands that have not ended wait for others to be packed with."""
        return 0 < self.packs.waiting == self.open_errands and not self.works_here()

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
            task, key, work = keyed(run.row_id, run.arm.name, node, task)
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
            if isinstance(node, AgentNode) and (not work or self.equal.is_first(key, run.number)):
                keep(run, Asked(node, task, key, earlier=True))
                if self._settings.counted:
                    self._tell_kept(run, task, key, node)
            self._outcomes.append((run, task, outcome))
        elif isinstance(node, StepNode):
            self.steps.start(run, task, key)
        else:
            self._ask(_Owner(run, task, node), key, work)

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
        places = (sent.place for sent in self._books.journal.asks_of(key) if sent.attempt == known.late.attempt)
        self._recorder.answer(known.late.attempt, next(places, 0), outcome)
        return outcome

    def _ask(self, owner: _Owner, key: str, work: str) -> None:
        """Let a task be answered: by what answers an equal one, or by a request of its own."""
        run, task, node = owner
        before = self._books.journal.attempts_of(key) if self._settings.resumed else 0
        ask = new_ask(
            key=key, row=run.number, node=task.node.path, label=task.label, before=before, row_id=run.row_id, work=work
        )
        if not work:
            self._send(owner, ask)
        elif (errand := self.equal.errand(work)) is not None:
            self._join(errand, owner, ask)
        elif (served := self.equal.serve(ask, node, task, owner.sizes)) is not None:
            outcome = self._recorder.task(ask, run.arm.name, node.role.agent, served.outcome)
            if served.attempt:
                self._recorder.answer(served.attempt, served.place, outcome)
            if self._settings.resumed and self.equal.takes(served.first, run.number):
                keep(run, Asked(node, task, key, earlier=True, first=served.first))
            self._outcomes.append((run, task, outcome))
        else:
            self._send(owner, ask)

    def _join(self, errand: Errand, owner: _Owner, ask: Ask) -> None:
        """Let a task wait for an errand that is sent for an equal one."""
        owners = self._owners[errand]
        keys = [served.key for served in errand.served] if None in owners else ()
        if ask.key in keys:  # an earlier session has sent it for this task as well
            owners[keys.index(ask.key)] = owner
        else:
            self.equal.join(errand, ask, owner.sizes)
            owners.append(owner)

    def _send(self, owner: _Owner, ask: Ask) -> None:
        """Send a request for a task, or take over the one that an earlier session has sent."""
        run, task, node = owner
        resumed, key = self._settings.resumed, ask.key
        if resumed:
            send(run, Asked(node, task, key, earlier=ask.before > 0), self._books.repeats)
        part = self._carriers.part_of(ask) if resumed and node.spec.packs else None
        if part is not None:
            self._wait_for(part, owner, ask)
            return
        errand = new_errand(
            role=node.role, asks=(ask,), compose=_Compose(node, task, self._talks),
            why="retry" if ask.before else "first",
        )  # fmt: skip
        is_claimed = resumed and self._carriers.claim(errand)
        self._owners[errand] = [owner if served.key == key else None for served in errand.served]
        if ask.work:
            self.equal.begin(errand)
        if not is_claimed:
            self._set_out(node, errand)

    def _set_out(self, node: AgentNode, errand: Errand) -> None:
        """Let an errand go on with its tools, wait for others to be packed with, or be sent."""
        if self._settings.resumed and node.role.tools and self._talks.of(errand.key).waits:
            self.conversing.start(errand)
        elif node.spec.packs:
            self.packs.put(node, errand)
        else:
            self._carriers.submit(errand)

    def _wait_for(self, pack: Errand, owner: _Owner, ask: Ask) -> None:
        """Let a task wait for a pack that an earlier session has sent."""
        owners = self._owners.setdefault(pack, [])
        owners += [None] * (len(pack.served) - len(owners))
        owners[[served.key for served in pack.served].index(ask.key)] = owner
        self.equal.begin(pack)

    def _submit_pack(self, node: AgentNode, errands: Sequence[Errand]) -> None:
        """Send errands of one task each as one."""
        if len(errands) == 1:
            self._carriers.submit(errands[0])
            return
        owners = [self._owners.pop(errand) for errand in errands]
        tasks = tuple([first.task for first, *_ in owners if first is not None])
        pack = new_errand(
            role=node.role, asks=tuple([errand.asks[0] for errand in errands]), compose=_ComposePack(node, tasks),
            why=why_sent(errands),
        )  # fmt: skip
        for errand in errands:
            for ask in errand.followers or ():
                pack.serve(ask)
        self._owners[pack] = [*(first for first, *_ in owners), *(owner for _, *others in owners for owner in others)]
        self.equal.begin(pack)
        self._carriers.submit(pack)

    # Outcomes in, rows out ---------------------------------------------------------------------

    def settle(self, errand: Errand, outcomes: Sequence[Outcome | Alone], attempt: int | None = None) -> None:
        """Take what has become of an errand's tasks.

        Args:
            errand: The errand.
            outcomes: Of each of the tasks that it serves, in their order.
            attempt: Number of the attempt that was answered; None: none was.
        """
        kept = [
            outcome if isinstance(outcome, Alone) else self._keep(errand, place, outcome, attempt)
            for place, outcome in enumerate(outcomes)
        ]
        self._carriers.ended(errand)
        self.equal.end(errand, attempt, kept)
        owners = self._owners.pop(errand, None) or [None] * len(kept)
        for ask, owner, outcome in zip(errand.served, owners, kept, strict=True):
            if isinstance(outcome, Alone):
                continue
            if owner is None:  # an attempt of an earlier session; its row will look it up
                self._early[ask.key] = outcome
            else:
                self._outcomes.append((owner.run, owner.task, outcome))
        for place, outcome in enumerate(kept[: len(errand.asks)]):
            if isinstance(outcome, Alone):
                self._send_alone(errand, place, owners, outcome)
        self._drain()

    def _keep(self, errand: Errand, place: int, outcome: Outcome, attempt: int | None) -> Outcome:
        """Write down the outcome of the task at a place of an errand, and return it."""
        ask, role = errand.served[place], errand.role
        kept = self._recorder.task(ask, role.arm, role.agent, outcome)
        if attempt is not None:
            self._recorder.answer(attempt, place, kept)
        self._talks.forget(ask.key)
        return kept

    def _send_alone(self, errand: Errand, place: int, owners: Sequence[_Owner | None], how: Alone) -> None:
        """Send an input of a pack again, for its task and those that follow it, as far as rows wait for them."""
        own, served = errand.asks[place], errand.served
        asks = [own, *errand.followers_of(place)]
        waiting = [(owner, ask) for ask in asks if (owner := owners[served.index(ask)]) is not None]
        if not waiting:
            return  # the row of each asks when it comes to its task
        (first, ask), *others = [(owner, ask._replace(before=ask.before + errand.number)) for owner, ask in waiting]
        alone = new_errand(
            role=first.node.role, asks=(ask,), compose=_Compose(first.node, first.task, self._talks),
            why="repair" if how.repair else "alone", repair=how.repair,
        )  # fmt: skip
        alone.continues(errand)
        for _, ask in others:
            alone.serve(ask)
        self._owners[alone] = [first, *(owner for owner, _ in others)]
        self.equal.begin(alone)
        self._carriers.submit(alone)

    def undone(self, errand: Errand) -> None:
        """Send again what rows wait for of a pack of an earlier session that has come to nothing."""
        owners = self._owners.pop(errand, [])
        self.equal.end(errand, None, ())
        for owner, ask in zip(owners, errand.served, strict=False):
            if owner is not None:
                self._ask(owner, ask.key, ask.work)
        self._window.changed.ring()

    def give_up_first(self, errand: Errand, outcome: Outcome) -> None:
        """Let the task fail that an errand is sent for, by what is wrong with its row; equal ones of others go on."""
        (first, *followers), role = errand.served, errand.role
        kept = self._recorder.task(first, role.arm, role.agent, outcome)
        self._talks.forget(first.key)
        self._carriers.ended(errand)
        self.equal.end(errand, None, (kept,))
        owner, *others = self._owners.pop(errand, [None] * len(errand.served))
        if owner is None:
            self._early[first.key] = kept
        else:
            self._outcomes.append((owner.run, owner.task, kept))
        for ask, other in zip(followers, others, strict=True):
            if other is None:
                continue
            ask = ask._replace(before=ask.before + errand.number)
            another = self.equal.errand(ask.work)
            if another is None:
                self._send(other, ask)
            else:
                self._join(another, other, ask)
        self._drain()

    def set_aside(self, errand: Errand, answer: Unread) -> None:
        """Keep an answer that nobody can read, for the task that it was asked for."""
        for ask in errand.served:
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
