"""Answers of other runs: what their models have said to equal tasks, with the requests by which that was asked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from fanwise.dispatch.errand import Ask
from fanwise.graph.outcomes import Done
from fanwise.graph.scope import Task
from fanwise.journal.reader import JournalReader
from fanwise.journal.records import AskRecord
from fanwise.journal.taken import TakenRequest, requests_taken

from .meaning import decoded
from .nodes import AgentNode
from .worktable import WorkTable

_HASH = re.compile("[0-9a-f]{32}")
_MOST_ATTEMPTS = 2**32
"""Numbers of attempts that a table takes."""


class OtherRun(NamedTuple):
    """A run from which answers are taken."""

    source: int
    """Its number in `attempts.taken`."""
    journal: JournalReader


class TakenAnswer(NamedTuple):
    """An answer of another run."""

    outcome: Done
    requests: Sequence[TakenRequest]
    """By which it was asked for there, in their order."""


class AnswersElsewhere:
    """Finds answers in other runs; used by one event loop."""

    def __init__(self, runs: Sequence[OtherRun]) -> None:
        """Begin with what these runs have asked."""
        self._runs = [(run, _table(run.journal)) for run in runs]

    def find(self, ask: Ask, node: AgentNode, task: Task) -> TakenAnswer | None:
        """Return what a task was answered that is equal to one of ours; None where none was, or it cannot be read.

        Args:
            ask: Ours,
            node: its node,
            task: and its values.
        """
        for run, table in self._runs:
            for attempt in table.find(ask.work):
                served = run.journal.attempt(attempt)
                first = None if served is None else next((own for own in served.asks if own.work == ask.work), None)
                answer = None if first is None else _answer(run, first, node)
                if answer is not None:
                    return answer
        return None


def _table(journal: JournalReader) -> WorkTable:
    table = WorkTable()
    for work, attempt in journal.works():
        if _HASH.fullmatch(work) and 0 < attempt < _MOST_ATTEMPTS:  # somebody else has written it
            table.add(work, attempt)
    return table


def _answer(run: OtherRun, first: AskRecord, node: AgentNode) -> TakenAnswer | None:
    journal = run.journal
    record = journal.task(first.key)
    if record is None or record.status != "done":
        return None
    text = journal.text(record.output or "")
    requests = requests_taken(journal, first, run.source)
    sent = [request.ask for request in requests]
    answers = (journal.answer(ask.attempt, ask.place) for ask in reversed(sent))
    sha = next((answer.output for answer in answers if answer is not None), "")
    outcome = None if text is None or not requests else decoded(node.output, text, journal.text(sha))
    return None if outcome is None else TakenAnswer(outcome, requests)
