"""Which tasks wait for which errand: one of their own, one for an equal task, or one of an earlier session."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from fanwise.dispatch.attempts import also_served, sizes_text
from fanwise.dispatch.books import Books
from fanwise.dispatch.carriers import Carriers
from fanwise.dispatch.errand import Ask, Errand, new_ask, new_errand
from fanwise.graph.outcomes import Outcome
from fanwise.graph.scope import Task

from .composing import Compose, ComposePack
from .conversing import Conversing
from .elsewhere import AnswersElsewhere
from .equal import EqualTasks
from .meaning import Alone
from .nodes import AgentNode
from .packs import Packs, why_sent
from .recorder import Recorder
from .resent import keep, send
from .settings import Settings
from .talks import Talks
from .window import Asked, RowRun


class Owner(NamedTuple):
    """Whose a task is that an errand serves."""

    run: RowRun
    task: Task
    node: AgentNode

    def sizes(self) -> str:
        """Return the characters of the values that it shows, as `AskRecord` has them."""
        return sizes_text(self.node.request(self.task).sizes)


TaskEnded = Callable[[RowRun, Task, Outcome], None]
"""Takes the outcome of a task that was answered already; its row is told of it later, and not by this call."""


class Asking:
    """Lets tasks be answered, and knows who waits for what; used by one event loop."""

    def __init__(
        self,
        *,
        books: Books,
        settings: Settings,
        recorder: Recorder,
        talks: Talks,
        carriers: Carriers,
        conversing: Conversing,
        ended: TaskEnded,
        elsewhere: AnswersElsewhere | None,
    ) -> None:
        """Begin without an errand.

        Args:
            books: Of the session.
            settings: Its bounds.
            recorder: Writes outcomes down.
            talks: The conversations of tasks with tools.
            carriers: Take what a model is to answer.
            conversing: Carries out the tools that a reply of an earlier session has asked for.
            ended: Takes outcomes of tasks that what is in the journal serves.
            elsewhere: Answers of other runs; None: there are none.
        """
        self._books, self._resumed = books, settings.resumed
        self._recorder, self._talks, self._carriers, self._conversing = recorder, talks, carriers, conversing
        self._ended, self._elsewhere = ended, elsewhere
        self.packs = Packs(self._submit_pack)
        self.equal = EqualTasks(books.journal, settings.retry, resumed=settings.resumed)
        self._owners: dict[Errand, list[Owner | None]] = {}
        """The errands that have not ended, with whose task each is that they serve; None where no row has asked."""

    def __len__(self) -> int:
        """Return how many errands have not ended."""
        return len(self._owners)

    def owns(self, errand: Errand) -> bool:
        """Return whether a row in the window waits for an errand; none does for those of earlier sessions."""
        return errand in self._owners

    # Tasks in ------------------------------------------------------------------------------------------

    def ask(self, owner: Owner, key: str, work: str) -> None:
        """Let a task be answered: by what answers an equal one, or by a request of its own."""
        run, task, _ = owner
        before = self._books.journal.attempts_of(key) if self._resumed else 0
        ask = new_ask(
            key=key, row=run.number, node=task.node.path, label=task.label, before=before, row_id=run.row_id, work=work
        )
        if not work:
            self._send(owner, ask)
        elif (errand := self.equal.errand(work)) is not None:
            self._join(errand, owner, ask)
        elif not self._serve(owner, ask) and not self._take(owner, ask):
            self._send(owner, ask)

    def _serve(self, owner: Owner, ask: Ask) -> bool:
        """Serve a task by what an equal one was answered; returns whether one was."""
        run, task, node = owner
        served = self.equal.serve(ask, node, task, owner.sizes)
        if served is None:
            return False
        outcome = self._recorder.task(ask, run.arm.name, node.role.agent, served.outcome)
        if served.attempt:
            self._recorder.answer(served.attempt, served.place, outcome)
        if self._resumed and self.equal.takes(served.first, run.number):
            keep(run, Asked(node, task, ask.key, earlier=True, first=served.first))
        self._ended(run, task, outcome)
        return True

    def _take(self, owner: Owner, ask: Ask) -> bool:
        """Let a task have what another run has answered to an equal one; returns whether one has."""
        run, task, node = owner
        answer = None if self._elsewhere is None else self._elsewhere.find(ask.work, node, task)
        if answer is None:
            return False
        journal, attempts = self._books.journal, list[int]()
        for number, (attempt, end, there) in enumerate(answer.requests, ask.before + 1):
            attempts.append(journal.next_attempt())
            served = also_served(ask, attempts[-1], place=0, number=number, sizes=there.sizes)
            ours = {"arm": node.role.arm, "agent": node.role.agent, "model": node.role.model}
            journal.add_attempt(replace(attempt, id=attempts[-1], **ours), (served,))
            journal.add_end(replace(end, attempt=attempts[-1]))
        outcome = self._recorder.task(ask, run.arm.name, node.role.agent, answer.outcome)
        self._recorder.answer(attempts[-1], 0, outcome)
        self.equal.take(ask, node.role, attempts, outcome)
        self._ended(run, task, outcome)
        return True

    def _join(self, errand: Errand, owner: Owner, ask: Ask) -> None:
        """Let a task wait for an errand that is sent for an equal one."""
        owners = self._owners[errand]
        keys = [served.key for served in errand.served] if None in owners else ()
        if ask.key in keys:  # an earlier session has sent it for this task as well
            owners[keys.index(ask.key)] = owner
        else:
            self.equal.join(errand, ask, owner.sizes)
            owners.append(owner)

    def _send(self, owner: Owner, ask: Ask) -> None:
        """Send a request for a task, or take over the one that an earlier session has sent."""
        run, task, node = owner
        if self._resumed:
            send(run, Asked(node, task, ask.key, earlier=ask.before > 0), self._books.repeats)
        pack = self._carriers.part_of(ask) if self._resumed and node.spec.packs else None
        if pack is not None:
            self._wait_for(pack, owner, ask)
            return
        errand = new_errand(
            role=node.role, asks=(ask,), compose=Compose(node, task, self._talks),
            why="retry" if ask.before else "first",
        )  # fmt: skip
        is_claimed = self._resumed and self._carriers.claim(errand)
        self._begin(errand, [owner if served.key == ask.key else None for served in errand.served])
        if not is_claimed:
            self._set_out(node, errand)

    def _begin(self, errand: Errand, owners: list[Owner | None]) -> None:
        self._owners[errand] = owners
        self.equal.begin(errand)

    def _set_out(self, node: AgentNode, errand: Errand) -> None:
        """Let an errand go on with its tools, wait for others to be packed with, or be sent."""
        if self._resumed and node.role.tools and self._talks.of(errand.key).waits:
            self._conversing.start(errand)
        elif node.spec.packs:
            self.packs.put(node, errand)
        else:
            self._carriers.submit(errand)

    def _wait_for(self, pack: Errand, owner: Owner, ask: Ask) -> None:
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
            role=node.role, asks=tuple([errand.asks[0] for errand in errands]), compose=ComposePack(node, tasks),
            why=why_sent(errands),
        )  # fmt: skip
        for errand in errands:
            for ask in errand.followers or ():
                pack.serve(ask)
        self._begin(pack, [*(first for first, *_ in owners), *(owner for _, *others in owners for owner in others)])
        self._carriers.submit(pack)

    # Errands out ---------------------------------------------------------------------------------------

    def end(self, errand: Errand, attempt: int | None, outcomes: Sequence[Outcome | Alone]) -> list[Owner | None]:
        """Take the end of an errand; returns whose the tasks are that it has served, in their places.

        Args:
            errand: The errand.
            attempt: Number of the attempt that was answered; None: none was.
            outcomes: As `EqualTasks.end` takes them.
        """
        self._carriers.ended(errand)
        self.equal.end(errand, attempt, outcomes)
        return self._owners.pop(errand, None) or [None] * len(errand.served)

    def send_alone(self, errand: Errand, place: int, owners: Sequence[Owner | None], how: Alone) -> None:
        """Send an input of a pack again, for its task and those that follow it, as far as rows wait for them.

        Args:
            errand: The pack, which has ended.
            place: Which of its inputs.
            owners: Whose its tasks are.
            how: Why it goes again.
        """
        served = errand.served
        asks = [errand.asks[place], *errand.followers_of(place)]
        waiting = [(owner, ask) for ask in asks if (owner := owners[served.index(ask)]) is not None]
        if not waiting:
            return  # the row of each asks when it comes to its task
        (first, ask), *others = [(owner, ask._replace(before=ask.before + errand.number)) for owner, ask in waiting]
        alone = new_errand(
            role=first.node.role, asks=(ask,), compose=Compose(first.node, first.task, self._talks),
            why="repair" if how.repair else "alone", repair=how.repair,
        )  # fmt: skip
        alone.continues(errand)
        for _, ask in others:
            alone.serve(ask)
        self._begin(alone, [first, *(owner for owner, _ in others)])
        self._carriers.submit(alone)

    def send_again(self, errand: Errand) -> None:
        """Let all be asked anew that rows wait for of an errand which has come to nothing."""
        owners = self._owners.pop(errand, [])
        self.equal.end(errand, None, ())
        for owner, ask in zip(owners, errand.served, strict=False):
            if owner is not None:
                self.ask(owner, ask.key, ask.work)

    def send_for_others(self, errand: Errand, owners: Sequence[Owner | None]) -> None:
        """Let the tasks be asked that follow the one that an errand was sent for, whose end was its own alone.

        Args:
            errand: The errand, which has ended.
            owners: Whose its tasks are.
        """
        for ask, owner in zip(errand.served[1:], owners[1:], strict=True):
            if owner is None:
                continue
            ask = ask._replace(before=ask.before + errand.number)
            another = self.equal.errand(ask.work)
            if another is None:
                self._send(owner, ask)
            else:
                self._join(another, owner, ask)
