"""What failed, and what was paid for it all the same."""

from __future__ import annotations

from dataclasses import dataclass

from fanwise.journal.reader import Book
from fanwise.journal.records import ArmName
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


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedTask:
    """One failed task, for the report."""

    row_id: str
    row: int
    arm: ArmName
    task: str
    """With its item: `research[2]`."""
    agent: str
    kind: str
    message: str
    paid: int
    """Picodollars that the row's arm had cost all the same, as far as they are known."""
    unknown: int
    """Attempts of the row's arm that have ended and whose cost is not known."""


_FAILURES = """SELECT COALESCE(w.row_id,'') AS row_id, t.row, t.arm, t.label AS task, t.agent, t.kind, t.message,
  COALESCE((SELECT SUM(s.cost) FROM served s WHERE s.row=t.row AND s.arm=t.arm),0) AS paid,
  (SELECT COUNT(*) FROM served s WHERE s.row=t.row AND s.arm=t.arm AND s.at IS NOT NULL AND s.cost IS NULL) AS unknown
  FROM outcomes t LEFT JOIN rows w ON w.number=t.row WHERE t.status='failed' ORDER BY t.row, t.label LIMIT ?"""


def failures(db: Book, most: int = 20) -> list[FailedTask]:
    """Return failed tasks of rows that are in the results, by row."""
    return list(select(db, FailedTask, _FAILURES, (most,)))


def failed_tasks(db: Book) -> dict[str, int]:
    """Return the number of failed tasks by error class."""
    query = "SELECT kind, COUNT(*) FROM outcomes WHERE status='failed' GROUP BY kind ORDER BY 2 DESC"
    return dict(db.execute(query).fetchall())
