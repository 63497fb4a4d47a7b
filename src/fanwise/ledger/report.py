"""What a report shows beside the summary of a run."""

from __future__ import annotations

from dataclasses import dataclass

from fanwise.journal.reader import Book

from .account import AgentAccount, FailedTask, agents, failures
from .slices import SliceAccount, slices


@dataclass(frozen=True, slots=True)
class ReportTables:
    """The tables of a report."""

    agents: list[AgentAccount]
    """What each agent cost."""
    slices: list[SliceAccount]
    """What was sent to whom."""
    failures: list[FailedTask]
    """The first of the tasks that failed."""


def report_tables(db: Book) -> ReportTables:
    """Return the tables of the report of a run."""
    return ReportTables(agents=agents(db), slices=slices(db), failures=failures(db))
