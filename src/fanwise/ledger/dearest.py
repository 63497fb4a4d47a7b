"""The rows that cost most, with what each of their tasks was sent."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from .composition import Parts, composition

_ROWS = """SELECT a.row, COALESCE(w.row_id,''), COALESCE(r.status,'unfinished'), COALESCE(r.reason,''),
  COALESCE(SUBSTR(t.text,1,2000),''), SUM(COALESCE(e.cost,0)) AS paid, COUNT(*),
  COALESCE(SUM(e.attempt IS NULL OR e.cost IS NULL),0)
  FROM attempts a LEFT JOIN ends e ON e.attempt=a.id LEFT JOIN rows w ON w.number=a.row
  LEFT JOIN results r ON r.row=a.row AND r.arm='fanout' LEFT JOIN texts t ON t.sha=r.output
  WHERE a.row>0 AND a.arm='fanout' GROUP BY a.row ORDER BY paid DESC, a.row LIMIT ?"""
_TASKS = """SELECT a.node, a.model, COUNT(*), COALESCE(SUM(e.read),0), COALESCE(SUM(e.cost),0),
  SUM(e.attempt IS NULL OR e.cost IS NULL), SUM(COALESCE(e.status,'open')<>'succeeded')
  FROM attempts a LEFT JOIN ends e ON e.attempt=a.id WHERE a.row=? AND a.arm='fanout'
  GROUP BY 1, 2, a.agent ORDER BY 5 DESC"""


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
