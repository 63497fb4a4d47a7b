"""What `resume --pay-twice` may pay twice: requests in batches whose ids did not come."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fanwise.journal.reader import Book, JournalReader
from fanwise.ledger.forecast import Price


@dataclass(frozen=True, slots=True)
class PaidTwice:
    """What may be paid twice, at most."""

    requests: int
    cost: int
    """Picodollars that were reserved for them: their worst case."""
    unpriced: tuple[str, ...]
    """Models of which no price is known, and whose requests are not in the cost."""

    def on_top_of(self, price: Price | None) -> Price | None:
        """Return a price with it: nobody knows whether these batches are the run's, so only its bounds move."""
        if price is None:
            return None
        return replace(price, high=price.high + self.cost, worst=price.worst + self.cost)


NOTHING_TWICE = PaidTwice(0, 0, ())


def paid_twice_at_most(db: Book) -> PaidTwice:
    """Return what may be paid twice if a run goes on without waiting for batches that may be its own.

    Args:
        db: The run's journal.
    """
    journal = JournalReader(db)
    unsure = [record.intent for record in journal.open_batches() if record.state != "created"]
    attempts = [served.attempt for intent in unsure for served in journal.open_attempts(intent)]
    unpriced = sorted({attempt.model for attempt in attempts if attempt.reserved is None})
    return PaidTwice(len(attempts), sum(attempt.reserved or 0 for attempt in attempts), tuple(unpriced))
