"""The rows that cost most, with what each of their tasks was sent.

What is not known of a row's cost counts with its upper bound: a row may be the dearest though nobody knows it. Where no
bound is known either it stands before all others, by its tokens.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from fanwise.journal.reader import Book
from fanwise.journal.tables import select

from .composition import Parts, composition

_ROWS = """SELECT s.row, COALESCE(w.row_id,'') AS row_id, COALESCE(r.status,'unfinished') AS status,
  COALESCE(r.reason,'') AS reason, COALESCE(SUBSTR(t.text,1,2000),'') AS output, s.cost, s.attempts, s.unknown
  FROM (SELECT row, SUM(COALESCE(cost,0)) AS cost, COUNT(*) AS attempts, SUM(cost IS NULL) AS unknown,
      SUM(cost IS NULL AND reserved IS NULL)>0 AS unbounded, SUM(COALESCE(cost,reserved,0)) AS at_most,
      SUM(COALESCE(tokens,0)) AS tokens
    FROM served WHERE arm='fanout' GROUP BY row ORDER BY unbounded DESC, at_most DESC, tokens DESC, row LIMIT ?) s
  LEFT JOIN rows w ON w.number=s.row LEFT JOIN row_ends r ON r.row=s.row AND r.arm='fanout'
  LEFT JOIN texts t ON t.sha=r.output ORDER BY s.unbounded DESC, s.at_most DESC, s.tokens DESC, s.row"""
_TASKS = """SELECT node, model, COUNT(*) AS attempts, COALESCE(SUM(cache_read),0) AS read,
  COALESCE(SUM(cost),0) AS cost, SUM(cost IS NULL) AS unknown, SUM(status<>'succeeded') AS bad
  FROM served WHERE row=? AND arm='fanout' GROUP BY node, model, agent
  ORDER BY SUM(cost IS NULL AND reserved IS NULL)>0 DESC, SUM(COALESCE(cost,reserved,0)) DESC, SUM(tokens) DESC"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowTask:
    """One node of the graph in one row, over all its items and attempts; in tokens."""

    node: str
    model: str
    attempts: int
    read: int
    cost: int
    """Picodollars."""
    unknown: int
    """Attempts whose cost is not known."""
    bad: int
    """Attempts that did not succeed."""
    parts: Parts = field(default_factory=Parts)
    """What its tokens are made of; empty where that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DearRow:
    """One row of the fan-out."""

    row: int
    row_id: str
    status: str
    reason: str
    output: str
    """The front of it, as JSON text; empty where there is none, or it was purged."""
    cost: int
    """Picodollars, as paid."""
    attempts: int
    unknown: int
    tasks: tuple[RowTask, ...] = ()


def dearest(db: Book, most: int = 10) -> list[DearRow]:
    """Return the rows that cost most, as paid or, where that is not known, at most; with their tasks."""
    rows = list(select(db, DearRow, _ROWS, (most,)))
    return [replace(row, tasks=tuple(_tasks(db, row.row))) for row in rows]


def _tasks(db: Book, row: int) -> Iterator[RowTask]:
    """Yield the tasks of a row, the dearest first."""
    parts = composition(db, row).nodes
    for task in select(db, RowTask, _TASKS, (row,)):
        yield replace(task, parts=parts.get(("fanout", task.node), {}))
