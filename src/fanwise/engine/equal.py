"""Equal tasks are one call: what serves one of them serves the others, in flight or done.

Tasks are equal where all that their answers depend on is: see `nodes.work_key`. The first of them is sent, the others
follow it: they stand beside it in each attempt of its errand, also in those that were made before they came, so that
the price of all of it is shared. What was answered before is looked up in the journal; until it is durable, it is kept
here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from fanwise.dispatch.attempts import also_served
from fanwise.dispatch.errand import Ask, Errand, never_composed, new_errand
from fanwise.dispatch.role import Role
from fanwise.graph.outcomes import Done, Failed, Outcome
from fanwise.graph.scope import Task
from fanwise.journal.port import Journal
from fanwise.journal.records import AskRecord, TaskRecord

from .answered import EqualAnswers, outcome_for, said_last
from .meaning import ANSWERED, Alone, once_more
from .nodes import AgentNode


class _JustAnswered(NamedTuple):
    """An errand that was answered, and what its first task has come to."""

    errand: Errand
    attempt: int
    """Number of the attempt that was answered."""
    outcome: Outcome


class ServedBy(NamedTuple):
    """What a task has come to that another request serves."""

    outcome: Outcome
    attempt: int
    """Number of the attempt that was answered; 0 where that is not known."""
    place: int
    """Of the task in it."""
    first: int
    """Number of the first attempt that serves it."""


class _Added(NamedTuple):
    """To what a task was added."""

    places: dict[int, int]
    """Its place in each attempt that serves it, by their numbers."""
    more: int
    """How many of them have not served it before."""


_NOWHERE = _Added({}, 0)


class EqualTasks:
    """Knows what serves the tasks of a session that are equal; used by one event loop."""

    def __init__(self, journal: Journal, retry: frozenset[str], *, resumed: bool) -> None:
        """Begin with what earlier sessions have asked.

        Args:
            journal: Of the run.
            retry: Final failures of earlier sessions to ask again.
            resumed: Whether there were any.
        """
        self._journal, self._resumed = journal, resumed
        self._in_work: dict[str, Errand] = {}
        """Errands that have not ended, by what equal tasks have in common with theirs."""
        self._ended: dict[str, _JustAnswered] = {}
        """What was answered since the journal was made durable last, likewise;"""
        self._being_kept: dict[str, _JustAnswered] = {}
        """and what is being made durable."""
        self._is_any = resumed and journal.serves_several()
        """Whether an attempt may serve several tasks."""
        self._rows: dict[int, int] = {}
        """The first row of this session that needs each attempt of earlier ones which serves several."""
        self._answered = EqualAnswers(journal, retry)

    def errand(self, work: str) -> Errand | None:
        """Return the errand in work that serves equal tasks; None where there is none."""
        return self._in_work.get(work)

    def begin(self, errand: Errand) -> None:
        """Take an errand that is about to be sent, or was by an earlier session."""
        for ask in errand.asks:
            if ask.work:
                self._in_work[ask.work] = errand

    def join(self, errand: Errand, ask: Ask, sizes: Callable[[], str]) -> None:
        """Let an errand serve a task more: in all attempts of its tasks so far, and in those to come.

        Args:
            errand: Of an equal task.
            ask: The task.
            sizes: Gives the characters of its values, as `AskRecord` has them.
        """
        attempts: Sequence[int] = errand.attempts
        first = errand.asks[errand.input_of(ask)]
        if first.before and self._resumed:
            earlier = (sent.attempt for sent in self._journal.asks_of(first.key))
            attempts = tuple(dict.fromkeys((*earlier, *attempts)))
        added = self._add(ask, attempts, sizes()) if attempts else _NOWHERE
        errand.serve(ask._replace(before=ask.before + added.more - errand.number))

    def _add(self, ask: Ask, attempts: Sequence[int], sizes: str) -> _Added:
        """Add a task to attempts, but to those that serve it already."""
        journal = self._journal
        places = {sent.attempt: sent.place for sent in journal.asks_of(ask.key)} if ask.before else {}
        more = 0
        for attempt in attempts:
            if attempt not in places:
                more += 1
                places[attempt] = journal.tasks_of(attempt)
                journal.add_ask(also_served(ask, attempt, place=places[attempt], number=ask.before + more, sizes=sizes))
        return _Added(places, more)

    def end(self, errand: Errand, attempt: int | None, outcomes: Sequence[Outcome | Alone]) -> None:
        """Take the end of an errand.

        What a model has answered holds for tasks that come later; of what was not answered they are not told.

        Args:
            errand: The errand.
            attempt: Number of the attempt that was answered; None: none was.
            outcomes: What the tasks have come to that it was sent for; none where that is not known.
        """
        for ask in errand.asks:
            if self._in_work.get(ask.work) is errand:
                del self._in_work[ask.work]
        for ask, outcome in zip(errand.asks, outcomes, strict=False):
            if ask.work and attempt is not None and not isinstance(outcome, Alone) and _is_answered(outcome):
                self._ended[ask.work] = _JustAnswered(errand, attempt, outcome)

    def keeping(self) -> None:
        """Take note that what has ended so far is about to be made durable."""
        self._being_kept |= self._ended
        self._ended = {}

    def kept(self) -> None:
        """Take note that it is durable: the journal knows it from now on."""
        for work, answered in self._being_kept.items():
            self._answered.add(work, answered.attempt)
        self._being_kept = {}

    def take(self, ask: Ask, role: Role, attempts: Sequence[int], outcome: Outcome) -> None:
        """Take note of what another run has answered, as if it had just been answered here.

        Args:
            ask: The task for which it was taken.
            role: Its role.
            attempts: Numbers of the requests, as they are in this run; the last was answered.
            outcome: What the task has come to.
        """
        errand = new_errand(role=role, asks=(ask,), compose=never_composed)
        errand.stands_for(*attempts)
        self.end(errand, attempts[-1], (outcome,))

    # Whose requests they are -------------------------------------------------------------------------

    def is_first(self, key: str, row: int) -> bool:
        """Return whether a row is the first of this session to need what was sent for a task of it, or an equal one.

        What equal tasks are shown was sent once, for the first of their rows; to the others it was not sent.
        """
        if not self._is_any:
            return True
        first = self._journal.first_attempt(key)
        return first is None or self.takes(first.id, row)

    def takes(self, attempt: int, row: int) -> bool:
        """Return whether a row is the first of this session to need an attempt of an earlier one; it is from now on."""
        self._is_any = True
        if attempt > self._answered.last:  # this session's own: the row for which it was sent needs it first
            return False
        return self._rows.setdefault(attempt, row) == row

    # What was answered before ------------------------------------------------------------------------

    def serve(self, ask: Ask, node: AgentNode, task: Task, sizes: Callable[[], str]) -> ServedBy | None:
        """Serve a task by what an equal one was answered, if one was.

        Args:
            ask: The task,
            node: its node,
            task: and its values.
            sizes: Gives their characters.
        """
        just = self._ended.get(ask.work) or self._being_kept.get(ask.work)
        if just is not None:
            outcome = once_more(node.output, just.outcome, ask.label)
            if outcome is None:
                return None
            self.join(just.errand, ask, sizes)
            place = self._journal.tasks_of(just.attempt) - 1
            return ServedBy(outcome=outcome, attempt=just.attempt, place=place, first=just.errand.attempts[0])
        for first, record in self._answered.records(ask.work):
            by = self._serve_by(first, record, ask, node, task)
            if by is not None:
                return by
        return None

    def _serve_by(self, first: AskRecord, record: TaskRecord, ask: Ask, node: AgentNode, task: Task) -> ServedBy | None:
        """Serve a task as an equal one was served that is in the journal."""
        journal = self._journal
        sent = journal.asks_of(first.key, None if self._resumed else first.row)
        answer = said_last(journal, sent)
        outcome = outcome_for(journal, record, answer, node, task)
        if outcome is None:
            return None
        added = self._add(ask, [equal.attempt for equal in sent], first.sizes)
        at = answer.attempt if answer is not None else 0
        first_attempt = min(added.places, default=0)
        return ServedBy(outcome=outcome, attempt=at, place=added.places.get(at, 0), first=first_attempt)


def _is_answered(outcome: Outcome) -> bool:
    return isinstance(outcome, Done) or (isinstance(outcome, Failed) and outcome.kind in ANSWERED)
