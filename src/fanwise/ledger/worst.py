"""The rows whose fan-out multiplied tokens most, and why: which agent, which slice, how much was sent twice."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, dataclass
from typing import Any

from .composition import KINDS, composition, tasks

_WORST = """WITH arms AS (
    SELECT row, SUM(CASE WHEN arm='fanout' THEN tokens ELSE 0 END) AS many,
      SUM(CASE WHEN arm='baseline' THEN tokens ELSE 0 END) AS one
    FROM served WHERE at IS NOT NULL GROUP BY row)
  SELECT s.row, COALESCE(w.row_id,''), s.many, s.one FROM arms s LEFT JOIN rows w ON w.number=s.row
  JOIN results f ON f.row=s.row AND f.arm='fanout' AND f.status<>'failed'
  JOIN results b ON b.row=s.row AND b.arm='baseline' AND b.status<>'failed'
  WHERE s.one>0 AND s.many>0 ORDER BY 1.0*s.many/s.one DESC, s.row LIMIT ?"""
_AGENT = """SELECT agent, COUNT(*), SUM(tokens), CAST(ROUND(SUM(1.0*prompt*repeated/MAX(chars,1))) AS INT)
  FROM served WHERE row=? AND arm='fanout' AND at IS NOT NULL GROUP BY agent ORDER BY SUM(tokens) DESC LIMIT 1"""


@dataclass(frozen=True, slots=True)
class WorstRow:
    """One row, in tokens."""

    row: int
    row_id: str
    multiplier: float
    tokens: int
    """Of its fan-out."""
    baseline_tokens: int
    agent: str
    """The agent that took most of them,"""
    calls: int
    """how often it was asked,"""
    agent_tokens: int
    """how many it took,"""
    duplicated_tokens: int
    """and how many of these the row had sent before."""
    slice: str
    """What most of its input was made of: a kind of `composition.KINDS`; empty where that is not known."""
    slice_tokens: int

    def data(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        return asdict(self) | {"multiplier": round(self.multiplier, 6)}


def worst(db: sqlite3.Connection, most: int = 3) -> list[WorstRow]:
    """Return the rows with the greatest multiplier in tokens, of those that both sides have answered."""
    found: list[WorstRow] = []
    for row, row_id, many, one in db.execute(_WORST, (most,)).fetchall():
        agent, calls, tokens, repeated = db.execute(_AGENT, (row,)).fetchone()
        part, part_tokens = _slice(db, row, agent)
        found.append(
            WorstRow(row, row_id, many / one, many, one, agent, calls, tokens, repeated or 0, part, part_tokens)
        )
    return found


def _slice(db: sqlite3.Connection, row: int, agent: str) -> tuple[str, int]:
    """Return what most of an agent's input for a row is made of, in tokens."""
    nodes = tasks(db).get("fanout", {}).get("nodes", {})
    sums = dict[str, float]()
    for (arm, node), parts in composition(db, row).nodes.items():
        if arm == "fanout" and nodes[node]["agent"] == agent:
            for kind in KINDS[:-1]:
                sums[kind] = sums.get(kind, 0.0) + parts[kind]
    kind = max(sums, key=lambda one: sums[one], default="")
    return kind, round(sums.get(kind, 0.0))
