"""What an arm has sent that has no known price: no floor and no lever can be told of it, so it is told beside them."""

from __future__ import annotations

from typing import NamedTuple

from fanwise.journal.reader import Book
from fanwise.journal.records import ArmName
from fanwise.journal.tables import select
from fanwise.units import usd_text

_UNPRICED = """SELECT COUNT(*) AS attempts, COALESCE(SUM(tokens),0) AS tokens,
  COALESCE(SUM(status='lost' OR tokens=0),0) AS uncounted
  FROM paid WHERE at IS NOT NULL AND cost IS NULL AND arm=?"""


class Unpriced(NamedTuple):
    """Attempts that have ended and whose cost is not known."""

    attempts: int
    tokens: int
    """Theirs, as far as they are known."""
    uncounted: int
    """Of these attempts, those whose tokens are unknown too: lost ones, and replies without usage."""

    def data(self) -> dict[str, int]:
        """Return it as JSON-ready data."""
        return {
            "attempts": self.attempts, "tokens": self.tokens, "attempts_of_unknown_tokens": self.uncounted,
        }  # fmt: skip


def unpriced(db: Book, arm: ArmName) -> Unpriced:
    """Return what an arm has sent that has no known price."""
    return next(select(db, Unpriced, _UNPRICED, (arm,)))


def usd_if_known(cost: int, unknown: int) -> str | None:
    """Return dollars as far as they are known, as exact text; None where nothing is known of them.

    Args:
        cost: Picodollars that are known.
        unknown: How many attempts are not in them.
    """
    return None if unknown and not cost else usd_text(cost)
