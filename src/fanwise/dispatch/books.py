"""The books of a session: what every attempt reserves, when it was meant to be sent, and how it ended."""

from __future__ import annotations

import time
from dataclasses import dataclass

from fanwise.context.repeats import Repeated, Repeats
from fanwise.journal.port import Journal
from fanwise.journal.records import EndRecord, RowResult, TaskRecord

from .attempts import Outline, intent
from .budget import Budget, Hold
from .errand import Errand
from .observer import Observer


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What all carriers of a session write in."""

    run_id: str
    """First part of every custom_id, and the `metadata` of every request."""
    journal: Journal
    """Where intents and ends are kept."""
    budget: Budget
    """Where every request reserves its worst case."""
    repeats: Repeats
    """Counts what is sent again."""
    observers: tuple[Observer, ...] = ()
    """Told of what is sent and of all that ends."""

    def begin(
        self, errand: Errand, attempt: int, sent: Outline, hold: Hold, *, at: float, batch: int | None = None
    ) -> None:
        """Write down an attempt that is about to be sent; it may be sent once the journal has committed that.

        Args:
            errand: What is sent.
            attempt: Number of the attempt.
            sent: What is kept of its request.
            hold: What was reserved.
            at: The moment, in seconds since 1970.
            batch: Number of the batch's intent; None: it goes live.
        """
        errand.begin(attempt)
        again = self.repeats.count(errand.row, errand.role.arm, sent.common, sent.own)
        if sent.others:
            again = self._with_others(again, errand, sent)
        record, asks = intent(errand, sent, attempt, hold, again, at, batch)
        self.journal.add_attempt(record, asks)
        for observer in self.observers:
            observer.attempt(record, asks)

    def _with_others(self, first: Repeated, errand: Errand, sent: Outline) -> Repeated:
        """Return how much of a pack was sent before: of what its rows have in common, to the row of its first input."""
        chars, repeated = first
        for ask, shown in zip(errand.asks[1:], sent.others, strict=True):
            again = self.repeats.count(ask.row, errand.role.arm, (), shown.own)
            chars, repeated = chars + again.chars, repeated + again.repeated
        return Repeated(chars, repeated)

    def end(self, record: EndRecord) -> None:
        """Write down how an attempt has ended."""
        self.journal.add_end(record)
        for observer in self.observers:
            observer.end(record)

    def task(self, record: TaskRecord) -> None:
        """Write down the outcome of a task."""
        self.journal.add_task(record)
        for observer in self.observers:
            observer.task(record, time.time())

    def result(self, record: RowResult) -> None:
        """Write down the end of a row on one arm."""
        self.journal.add_result(record)
        for observer in self.observers:
            observer.result(record, time.time())

    def row_ended(self, row: int) -> None:
        """Drop what the budget knows of a row that has ended."""
        self.budget.forget(row)
