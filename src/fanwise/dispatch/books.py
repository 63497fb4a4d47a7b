"""The books of a session: what every attempt reserves, when it was meant to be sent, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass

from fanwise.context.repeats import Repeats
from fanwise.journal.port import Journal

from .attempts import Outline, intent
from .budget import Budget, Hold
from .errand import Errand


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
        errand.begin()
        again = self.repeats.count(errand.row, errand.role.arm, sent.common, sent.own)
        self.journal.add_attempt(*intent(errand, sent, attempt, hold, again, at, batch))

    def row_ended(self, row: int) -> None:
        """Drop what the budget knows of a row that has ended."""
        self.budget.forget(row)
