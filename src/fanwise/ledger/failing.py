"""What failed, and what was paid for it all the same."""

from __future__ import annotations

from dataclasses import dataclass

from fanwise.journal.reader import Book
from fanwise.journal.tables import select

_FAILED = """SELECT kind, status, channel, COUNT(*) AS attempts, COALESCE(SUM(cost),0) AS cost,
  SUM(cost IS NULL) AS unknown,
  CASE WHEN SUM(status='lost' AND reserved IS NULL) THEN NULL
    ELSE COALESCE(SUM(CASE WHEN status='lost' THEN reserved END),0) END AS bound
  FROM paid WHERE status NOT IN ('succeeded','open') GROUP BY kind, status, channel"""
_UNUSED = """WITH last AS (
    SELECT key, MAX(attempt) AS attempt FROM asks WHERE key IN (SELECT key FROM asks WHERE number>1) GROUP BY key)
  SELECT CASE WHEN t.status='failed' THEN t.kind ELSE 'asked again' END AS kind, 'unused' AS status, s.channel,
    COUNT(*) AS attempts, COALESCE(SUM(s.cost),0) AS cost, SUM(s.cost IS NULL) AS unknown, 0 AS bound
  FROM served s LEFT JOIN outcomes t ON t.key=s.key LEFT JOIN last l ON l.key=s.key
  WHERE s.status='succeeded' AND s.kind<>'tool_use' AND (t.status='failed' OR s.attempt<l.attempt) GROUP BY 1, 3"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """Attempts that came to nothing in one way."""

    kind: str
    """The class of the error; for an answer that could not be used, why its task failed, or `asked again`."""
    status: str
    """`failed`, `lost`, or `unused`: it was answered, and the answer was of no use."""
    channel: str
    attempts: int
    cost: int
    """Picodollars that are known to be paid."""
    unknown: int
    """Of these attempts, those whose cost is not known."""
    bound: int | None
    """Picodollars that lost ones may have cost at most; None where that is not known."""


def failing(db: Book) -> list[Failing]:
    """Return what came to nothing: what may have cost any amount first, then the dearest."""
    ways = [way for query in (_FAILED, _UNUSED) for way in select(db, Failing, query)]
    return sorted(ways, key=lambda way: (way.bound is not None, -way.cost - (way.bound or 0), -way.attempts, way.kind))
