"""What failed, and what was paid for it all the same."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

_FAILED = """SELECT e.kind, e.status, a.channel, COUNT(*), COALESCE(SUM(e.cost),0),
  SUM(e.cost IS NULL), COALESCE(SUM(CASE WHEN e.status='lost' THEN a.reserved END),0)
  FROM attempts a JOIN ends e ON e.attempt=a.id WHERE e.status<>'succeeded' GROUP BY 1, 2, 3"""
_UNUSED = """SELECT CASE WHEN t.status='failed' THEN t.kind ELSE 'asked again' END, 'unused', a.channel, COUNT(*),
  COALESCE(SUM(e.cost),0), SUM(e.cost IS NULL), 0
  FROM attempts a JOIN ends e ON e.attempt=a.id LEFT JOIN tasks t ON t.key=a.key
  WHERE e.status='succeeded' AND e.kind<>'tool_use' AND a.row>0
    AND (t.status='failed' OR a.id<(SELECT MAX(b.id) FROM attempts b WHERE b.key=a.key)) GROUP BY 1, 3"""


class Failing(NamedTuple):
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
    bound: int
    """Picodollars that lost ones may have cost at most."""


def failing(db: sqlite3.Connection) -> list[Failing]:
    """Return what came to nothing, the dearest first."""
    found = [Failing(*row) for query in (_FAILED, _UNUSED) for row in db.execute(query)]
    return sorted(found, key=lambda one: (-one.cost - one.bound, -one.attempts, one.kind))
