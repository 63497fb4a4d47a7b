"""The rows that cost most, with what each of their tasks was sent."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from .composition import Parts, composition

_ROWS = """SELECT s.row, COALESCE(w.row_id,''), COALESCE(r.status,'unfinished'), COALESCE(r.reason,''),
  COALESCE(SUBSTR(t.text,1,2000),''), s.paid, s.attempts, s.unknown
  FROM (SELECT row, SUM(COALESCE(cost,0)) AS paid, COUNT(*) AS attempts, SUM(cost IS NULL) AS unknown
    FROM served WHERE arm='fanout' GROUP BY row ORDER BY paid DESC, row LIMIT ?) s
  LEFT JOIN rows w ON w.number=s.row LEFT JOIN results r ON r.row=s.row AND r.arm='fanout'
  LEFT JOIN texts t ON t.sha=r.output ORDER BY s.paid DESC, s.row"""
_TASKS = """SELECT node, model, COUNT(*), COALESCE(SUM(cache_read),0), COALESCE(SUM(cost),0), SUM(cost IS NULL),
  SUM(status<>'succeeded')
  FROM served WHERE row=? AND arm='fanout' GROUP BY node, model, agent ORDER BY COALESCE(SUM(cost),0) DESC"""


@dataclass(frozen=True, slots=True)
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
    parts: Parts
    """What its tokens are made of; empty where that is not known."""


@dataclass(frozen=True, slots=True)
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
    tasks: tuple[RowTask, ...]


def dearest(db: sqlite3.Connection, most: int = 10) -> list[DearRow]:
    """Return the rows that cost most, as paid, with their tasks."""
    found: list[DearRow] = []
    for row, row_id, status, reason, output, cost, attempts, unknown in db.execute(_ROWS, (most,)).fetchall():
        parts = composition(db, row).nodes
        tasks: list[RowTask] = []
        for node, model, calls, read, paid, unknown_, bad in db.execute(_TASKS, (row,)):
            tasks.append(RowTask(node, model, calls, read, paid, unknown_, bad, parts.get(("fanout", node), {})))
        found.append(DearRow(row, row_id, status, reason, output, cost, attempts, unknown, tuple(tasks)))
    return found
