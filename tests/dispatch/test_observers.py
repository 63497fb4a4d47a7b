"""Observers of a session are told of its records as they are written down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fanwise.context.repeats import Repeats
from fanwise.dispatch.attempts import Outline
from fanwise.dispatch.books import Books
from fanwise.dispatch.budget import Budget, Hold
from fanwise.dispatch.errand import Ask, Errand
from fanwise.dispatch.observer import Observer
from fanwise.dispatch.role import Role
from fanwise.journal.memory import MemoryJournal
from fanwise.journal.records import AskRecord, AttemptRecord, EndRecord, RowResult, TaskRecord


class Notes(Observer):
    """Takes down what it is told, and whether the journal has it by then."""

    def __init__(self, journal: MemoryJournal) -> None:
        self.lines: list[str] = []
        self._journal = journal

    def attempt(self, record: AttemptRecord, asks: Sequence[AskRecord]) -> None:
        assert self._journal.attempt(record.id) is not None
        self.lines.append(f"attempt {record.id} serves {len(asks)}")

    def end(self, record: EndRecord) -> None:
        self.lines.append(f"end {record.attempt}")

    def task(self, record: TaskRecord, at: float) -> None:
        assert self._journal.task(record.key) is not None and at > 0
        self.lines.append(f"task {record.key}")

    def result(self, record: RowResult, at: float) -> None:
        assert at > 0
        self.lines.append(f"row {record.row}")


class Bored(Observer):
    """Leaves out all that an observer may leave out."""


def test_observers_are_told_at_once() -> None:
    journal = MemoryJournal()
    journal.start_session(1.0, "live", "")
    notes = Notes(journal)
    books = Books(
        run_id="r", journal=journal, budget=Budget(), repeats=Repeats(), observers=(Bored(), notes)
    )  # fmt: skip
    asks = tuple(Ask(f"k{row}", row, "n", "n") for row in (1, 2))
    errand = Errand(role=Role(arm="fanout", agent="a", model="claude-haiku-4-5"), asks=asks, compose=_never)
    books.begin(errand, journal.next_attempt(), Outline("h", 0.0, "", "", (), (), ""), Hold(1, 1, asks), at=2.0)
    books.end(EndRecord(attempt=1, at=3.0, status="failed", kind="k"))
    books.task(TaskRecord(key="k1", row=1, arm="fanout", node="n", label="n", agent="a", status="failed", output=None))
    books.result(RowResult(1, "fanout", "failed", None, "reason"))
    assert notes.lines == ["attempt 1 serves 2", "end 1", "task k1", "row 1"]


def _never(errand: Errand) -> Any:
    raise AssertionError(errand)
