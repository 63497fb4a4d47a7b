"""Which tasks of a row a session would ask, by the answers that the journal has: as it goes through the row itself."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from fanwise.engine.answered import EqualAnswers
from fanwise.engine.arms import Arm, row_state
from fanwise.engine.elsewhere import AnswersElsewhere
from fanwise.engine.meaning import Remembered, remembered
from fanwise.engine.nodes import AgentNode, keyed
from fanwise.engine.rows import Row
from fanwise.foreign import let_through, reason
from fanwise.graph.outcomes import Failed, Outcome
from fanwise.graph.scope import Task
from fanwise.graph.state import RowState
from fanwise.journal.reader import Book, JournalReader
from fanwise.journal.records import ArmName
from fanwise.ledger.earlier import EarlierTasks
from fanwise.ledger.outcomes import row_named

from .stepping import Stepping


@dataclass(frozen=True, slots=True)
class RowAnswers:
    """What is there of a row on one arm."""

    is_owed: bool
    """Whether a task has no answer."""
    kept: list[str]
    """The agents whose tasks are not asked, by name, once for each task."""
    perhaps: list[str]
    """The same of tasks that are not asked if those before them come out as they did: an edit need not change an
    answer, nor what depends on it."""


class RowReplay:
    """Goes through rows as a session would, up to what it would ask; nothing is sent."""

    def __init__(
        self, db: Book, edited: Collection[ArmName], retry: Collection[str], elsewhere: AnswersElsewhere | None = None
    ) -> None:
        """Begin.

        Args:
            db: The journal.
            edited: Arms that have answers of other graphs.
            retry: Final failures to ask again.
            elsewhere: Answers of other runs; None: none are taken.
        """
        self._db, self._journal, self._earlier = db, JournalReader(db), EarlierTasks(db)
        self._edited, self._retry = edited, frozenset(retry)
        self._stepping, self._elsewhere = Stepping(), elsewhere
        self.equal = EqualAnswers(self._journal, self._retry)
        """What equal tasks were answered: it serves those that were not asked."""

    def of(self, arm: Arm, row: Row) -> RowAnswers:
        """Return what is there of a row on an arm."""
        state = row_state(arm, row)
        kept, owed = self._through(arm, row, state, state.start(), lambda _: None)
        perhaps: list[str] = []
        number = self._number_before(arm, row) if owed else None
        if number is not None:
            perhaps, _ = self._through(arm, row, state, owed, lambda task: self._before(arm, number, task))
        return RowAnswers(bool(owed), kept, perhaps)

    def _through(
        self, arm: Arm, row: Row, state: RowState, tasks: Iterable[Task], otherwise: Callable[[Task], Outcome | None]
    ) -> tuple[list[str], list[Task]]:
        """Move a row on as far as outcomes are there.

        Args:
            arm: Its arm.
            row: The row.
            state: Of the row.
            tasks: Those that are ready.
            otherwise: Gives the outcome that a task without an answer is taken to have; None: none.

        Returns:
            The agents of the tasks that have an answer, and the tasks that have none.
        """
        answered, waiting, ready = list[str](), list[Task](), deque(tasks)
        while ready:
            task = ready.popleft()
            outcome = self.outcome(arm, row, task)
            if outcome is not None:
                node = arm.nodes[task.node.path]
                answered += [node.spec.name] if isinstance(node, AgentNode) else []
            else:
                outcome = otherwise(task)
            if outcome is None:
                waiting.append(task)
            else:
                ready.extend(state.finish(task, outcome))
        return answered, waiting

    def outcome(self, arm: Arm, row: Row, task: Task) -> Outcome | None:
        """Return what a task has come to, it or an equal one; None where it would be asked."""
        node = arm.nodes[task.node.path]
        try:
            task, key, work = keyed(row.row_id, arm.name, node, task)
        except BaseException as error:  # of a serializer, which is users' code
            let_through(error)
            return Failed(task.label, "invalid_value", reason(error))
        outcome = _outcome(remembered(self._journal, key, node, task, self._retry))
        if outcome is not None:
            return outcome
        if isinstance(node, AgentNode):
            return self.equal.find(work, node, task) or self._taken(work, node, task)
        # What it makes of a row that came may be what others were asked; an edited one may make the same as before.
        return None if arm.name in self._edited else self._stepping.outcome(task)

    def _taken(self, work: str, node: AgentNode, task: Task) -> Outcome | None:
        """Return what another run has answered to an equal task; None where none has."""
        answer = None if self._elsewhere is None or not work else self._elsewhere.find(work, node, task)
        return None if answer is None else answer.outcome

    def is_answered(self, work: str) -> bool:
        """Return whether a task is served by an answer, by what equal ones have in common."""
        return work in self.equal or (self._elsewhere is not None and work in self._elsewhere)

    def _number_before(self, arm: Arm, row: Row) -> int | None:
        """Return the number that a row had when its answers came; None where none of them is of something else."""
        before = row_named(self._db, row.row_id)
        is_as_it_was = before is not None and before.hash == row.hash and arm.name not in self._edited
        return None if before is None or is_as_it_was else before.number

    def _before(self, arm: Arm, number: int, task: Task) -> Outcome | None:
        """Return what a task came to last, whatever it was asked by."""
        node = arm.nodes[task.node.path]
        key = self._earlier.key(arm.name, task.node.path, number, task.label)
        return None if key is None else _outcome(remembered(self._journal, key, node, task, self._retry))


def _outcome(known: Remembered | None) -> Outcome | None:
    return None if known is None else known.outcome
