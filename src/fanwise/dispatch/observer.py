"""Who is told of the records of a session as they are written down: a display, traces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from fanwise.journal.records import AskRecord, AttemptRecord, EndRecord, RowResult, TaskRecord


class Observer(Protocol):
    """Told at once and in order; each does what it has to without waiting. Whoever is one may leave out a method."""

    def attempt(self, record: AttemptRecord, asks: Sequence[AskRecord]) -> None:
        """Take an attempt that is about to be sent, and the tasks that it serves."""

    def end(self, record: EndRecord) -> None:
        """Take the end of an attempt."""

    def task(self, record: TaskRecord, at: float) -> None:
        """Take the outcome of a task, at a moment in seconds since 1970."""

    def result(self, record: RowResult, at: float) -> None:
        """Take the end of a row on one arm, at a moment in seconds since 1970."""
