"""What was answered to equal tasks, as a journal has it: it is only read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Protocol

from fanwise.graph.outcomes import Failed, Outcome
from fanwise.graph.scope import Task
from fanwise.journal.records import AnswerRecord, AskRecord, Served, TaskRecord

from .meaning import ANSWERED, AnswersKept, decoded, read_late
from .nodes import AgentNode
from .unread import KIND, Unread
from .worktable import WorkTable

_HASH = re.compile("[0-9a-f]{32}")
_MOST_ATTEMPTS = 2**32
"""Numbers of attempts that a table takes."""


class EqualsKept(AnswersKept, Protocol):
    """What a journal is asked for equal tasks, whether it is written or only read."""

    def attempt(self, number: int) -> Served | None:
        """Return an attempt by its number, with the tasks that it serves, once it is durable."""
        ...

    def asks_of(self, key: str, row: int | None = None) -> list[AskRecord]:
        """Return what was asked for a task, in the order of the attempts, once that is durable."""
        ...

    def answer(self, attempt: int, place: int) -> AnswerRecord | None:
        """Return what a model said to the ask at a place of an attempt, once that is durable."""
        ...

    def works(self) -> Iterator[tuple[str, int]]:
        """Yield what equal tasks have in common of each input that an attempt shows, and the number of the attempt."""
        ...


def _is_sound(work: Any, attempt: Any) -> bool:
    """Return whether a journal has a hash and the number of an attempt where it should."""
    is_hash = isinstance(work, str) and _HASH.fullmatch(work) is not None
    return is_hash and type(attempt) is int and 0 < attempt < _MOST_ATTEMPTS


def _holds(record: TaskRecord, retry: frozenset[str]) -> bool:
    """Return whether an outcome holds for equal tasks: an answer, or a failure that is not to be asked again.

    Args:
        record: The outcome.
        retry: Final failures to ask again.
    """
    if record.status == "done" or record.kind == KIND:
        return True
    return record.kind in ANSWERED and not ("failed" in retry or record.kind in retry)


def said_last(journal: EqualsKept, sent: list[AskRecord]) -> AnswerRecord | None:
    """Return what a model said last to a task, by what was asked for it in order."""
    answers = (journal.answer(ask.attempt, ask.place) for ask in reversed(sent))
    return next((answer for answer in answers if answer is not None), None)


def outcome_for(
    journal: EqualsKept, record: TaskRecord, answer: AnswerRecord | None, node: AgentNode, task: Task
) -> Outcome | None:
    """Return what an outcome in the journal is for an equal task; None where it cannot be read any more.

    Args:
        journal: The journal.
        record: The outcome.
        answer: What the model said last.
        node: Where the equal task is asked.
        task: The equal task.
    """
    text, sha = journal.text(record.output or ""), None if answer is None else answer.output
    if record.kind == KIND:
        return None if text is None else read_late(node, Unread.of(text))
    if record.status == "failed":
        return Failed(task.label, record.kind, record.message)
    return None if text is None else decoded(node.output, text, journal.text(sha or ""))


class EqualAnswers:
    """Finds what serves tasks that nobody was asked for yet."""

    def __init__(self, journal: EqualsKept, retry: frozenset[str]) -> None:
        """Read what was asked.

        Args:
            journal: Of a run.
            retry: Final failures to ask again.
        """
        self._journal, self._retry = journal, retry
        self._asked = WorkTable()
        self.last = 0
        """The last attempt that was there: what later ones have failed by is not asked again."""
        for work, attempt in journal.works():
            if _is_sound(work, attempt):  # another run is data from somebody else
                self.add(work, attempt)
                self.last = max(self.last, attempt)

    def add(self, work: str, attempt: int) -> None:
        """Take note of an attempt that the journal has from now on.

        Args:
            work: What equal tasks have in common.
            attempt: Its number.
        """
        self._asked.add(work, attempt)

    def __contains__(self, work: str) -> bool:
        """Return whether something was answered, by what equal tasks have in common, and the answer is there."""
        return any(
            record.status == "failed" or self._journal.text(record.output or "") is not None
            for _, record in self.records(work)
        )

    def find(self, work: str, node: AgentNode, task: Task) -> Outcome | None:
        """Return what a task would come to that an equal one was answered for; None where none was.

        Args:
            work: What equal tasks have in common.
            node: Where it would be asked.
            task: The task.
        """
        for ask, record in self.records(work):
            answer = said_last(self._journal, self._journal.asks_of(ask.key, ask.row))
            outcome = outcome_for(self._journal, record, answer, node, task)
            if outcome is not None:
                return outcome
        return None

    def records(self, work: str) -> Iterator[tuple[AskRecord, TaskRecord]]:
        """Yield the outcomes that hold for equal tasks, the newest first, each with what was asked for it."""
        for number in self._asked.find(work) if work else ():
            served = self._journal.attempt(number)
            ask = None if served is None else next((ask for ask in served.asks if ask.work == work), None)
            record = None if ask is None else self._journal.task(ask.key)
            retry = frozenset[str]() if ask is None or ask.attempt > self.last else self._retry
            if ask is not None and record is not None and _holds(record, retry):
                yield ask, record
