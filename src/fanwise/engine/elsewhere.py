"""Answers of other runs: what their models have said to equal tasks, with the requests by which that was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from fanwise.graph.outcomes import Done
from fanwise.graph.scope import Task
from fanwise.journal.reader import JournalReader
from fanwise.journal.records import AskRecord, TaskRecord
from fanwise.journal.taken import PassedOn, TakenRequest, requests_taken

from .answered import EqualAnswers, outcome_for, said_last
from .nodes import AgentNode

NO_FAILURES = frozenset({"failed"})
"""What has failed in another run is asked here."""


class OtherRun(NamedTuple):
    """A run from which answers are taken."""

    sources: Sequence[int]
    """Its number in `attempts.taken`, and behind it those of the runs from which it has taken answers, in its order."""
    journal: JournalReader
    passed: Mapping[int, PassedOn] = MappingProxyType({})
    """What its account has of its requests otherwise than they were billed."""


class TakenAnswer(NamedTuple):
    """An answer of another run."""

    outcome: Done
    requests: Sequence[TakenRequest]
    """By which it was asked for there, in their order."""


class AnswersElsewhere:
    """Finds answers in other runs; used by one event loop."""

    def __init__(self, runs: Sequence[OtherRun], unaccounted: Sequence[str] = ()) -> None:
        """Begin with what these runs have asked.

        Args:
            runs: They.
            unaccounted: Names of those of which no account can be made.
        """
        self.unaccounted = unaccounted
        self._runs = [(run, EqualAnswers(run.journal, NO_FAILURES)) for run in runs]
        self.found = 0
        """Answers that were found."""

    def __contains__(self, work: str) -> bool:
        """Return whether something was answered, by what equal tasks have in common, and the answer is there."""
        return any(work in answers for _, answers in self._runs)

    def find(self, work: str, node: AgentNode, task: Task) -> TakenAnswer | None:
        """Return what a task was answered that is equal to one of ours; None where none was, or it cannot be read.

        Args:
            work: What equal tasks have in common.
            node: Where ours would be asked.
            task: It.
        """
        for run, answers in self._runs:
            for first, record in answers.records(work):
                answer = _answer(run, first, record, node, task)
                if answer is not None:
                    self.found += 1
                    return answer
        return None


def _answer(run: OtherRun, first: AskRecord, record: TaskRecord, node: AgentNode, task: Task) -> TakenAnswer | None:
    requests = requests_taken(run.journal, first, run.sources, run.passed)
    if not requests:
        return None
    answer = said_last(run.journal, [request.ask for request in requests])
    try:
        outcome = outcome_for(run.journal, record, answer, node, task)
    except (ValueError, TypeError):  # somebody else has written it, and it is no JSON
        return None
    return TakenAnswer(outcome, requests) if isinstance(outcome, Done) else None
