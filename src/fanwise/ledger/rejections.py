"""Why records of the rows file were set aside, in groups: the kinds of mistakes, not each of a million words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from fanwise.journal.reader import Book
from fanwise.journal.tables import select

MOST_REASONS = 5
"""Reasons that are said; what is set aside for others is counted."""
MOST_CHARS = 2_000
"""Characters of a reason by which it is told from others: a validator may quote a whole document."""
_OF_ONE_RECORD = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\b\d[\d,.]*\b""", re.DOTALL)
"""What a reason has of its record alone, as `its id 'a' is that of line 7` has: values in quotes, and numbers."""
_QUERY = """WITH kinds AS (
    SELECT reason, COUNT(*) AS records, MIN(line) AS line, number FROM rejects GROUP BY without_values(reason))
  SELECT reason, records, line, number, COUNT(*) OVER () AS reasons, SUM(records) OVER () AS rejected
  FROM kinds ORDER BY records DESC, line LIMIT ?"""
"""SQLite takes a column without a function, here reason and number, from the record that has the least line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A reason for which records were set aside."""

    reason: str
    """In the words of the first of them; empty where it was purged."""
    records: int
    """How many."""
    line: int
    """Of the first of them,"""
    number: int
    """and its number among the records, which in JSON over many lines is another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejections:
    """Why records were set aside."""

    reasons: tuple[Rejection, ...]
    """The most frequent, in this order."""
    other_records: int
    """Records that were set aside for other reasons,"""
    other_reasons: int
    """and how many these are."""

    def data(self) -> dict[str, Any]:
        """Return them as JSON has them."""
        reasons = [{"rows": of.records, "line": of.line, "reason": of.reason} for of in self.reasons]
        return {"reasons": reasons, "other_rows": self.other_records, "other_reasons": self.other_reasons}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    reason: str
    records: int
    line: int
    number: int
    reasons: int
    """Of all kinds of the journal,"""
    rejected: int
    """and of all their records."""


def rejections(db: Book, most: int = MOST_REASONS) -> Rejections:
    """Return why records were set aside: reasons that differ in values alone are one.

    Args:
        db: The journal.
        most: How many reasons are told at most.
    """
    db.create_function("without_values", 1, _without_values, deterministic=True)
    kinds = list(select(db, _Kind, _QUERY, (most,)))
    reasons, records = (kinds[0].reasons, kinds[0].rejected) if kinds else (0, 0)
    return Rejections(
        reasons=tuple(
            Rejection(reason=kind.reason, records=kind.records, line=kind.line, number=kind.number) for kind in kinds
        ),
        other_records=records - sum(kind.records for kind in kinds),
        other_reasons=reasons - len(kinds),
    )


def _without_values(reason: str) -> str:
    return _OF_ONE_RECORD.sub("#", reason[:MOST_CHARS])
