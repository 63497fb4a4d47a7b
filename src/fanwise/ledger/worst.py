"""The rows whose fan-out multiplied tokens most, and why: which agent, which slice, how much was sent twice.

They are rows of the multiplier. One of unknown cost, on either side, has no rank: it could be the first.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass
from heapq import nsmallest
from typing import Any

from fanwise.journal.reader import Book
from fanwise.journal.tables import select

from .account import baseline_arm, has_baseline
from .composition import KINDS, composition, tasks
from .paired import PairedCost, PairedRows
from .slices import REPEATED

_AGENT = f"""SELECT agent, COUNT(*) AS calls, SUM(tokens) AS tokens,
    COALESCE(CAST(ROUND(SUM(1.0*prompt*({REPEATED})/MAX(chars,1))) AS INT),0) AS repeated
  FROM served p WHERE row=? AND arm='fanout' AND at IS NOT NULL GROUP BY agent ORDER BY SUM(tokens) DESC LIMIT 1"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Agent:
    """The agent that took most tokens of a row."""

    agent: str
    calls: int
    tokens: int
    repeated: int


@dataclass(frozen=True, slots=True, kw_only=True)
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


def worst(db: Book, most: int = 3) -> list[WorstRow]:
    """Return the rows with the greatest multiplier in tokens, of those that both arms have answered at a known cost.

    Where the graph is its own single agent there are none: nothing is multiplied.
    """
    if baseline_arm(db) == "fanout" or not has_baseline(db):
        return []
    answered = (row for row in PairedRows(db) if "failed" not in row.statuses)
    rows = (row for row in answered if row.fanout.tokens and row.baseline.tokens)
    greatest = nsmallest(most, rows, key=lambda row: (-_ratio(row), row.row))
    return [_explained(db, row) for row in greatest]


def _ratio(row: PairedCost) -> float:
    """Return the tokens of a row over those of the single agent for it."""
    return row.fanout.tokens / row.baseline.tokens


def _explained(db: Book, row: PairedCost) -> WorstRow:
    """Return why the fan-out of a row took so many tokens."""
    (row_id,) = db.execute("SELECT row_id FROM rows WHERE number=?", (row.row,)).fetchone() or ("",)
    agent = next(select(db, _Agent, _AGENT, (row.row,)))
    kind, kind_tokens = _largest_part(db, row.row, agent.agent)
    return WorstRow(
        row=row.row, row_id=row_id, multiplier=_ratio(row), tokens=row.fanout.tokens,
        baseline_tokens=row.baseline.tokens, agent=agent.agent, calls=agent.calls, agent_tokens=agent.tokens,
        duplicated_tokens=agent.repeated, slice=kind, slice_tokens=kind_tokens,
    )  # fmt: skip


def _largest_part(db: Book, row: int, agent: str) -> tuple[str, int]:
    """Return what most of an agent's input for a row is made of, in tokens."""
    nodes = tasks(db).get("fanout", {}).get("nodes", {})
    sums = defaultdict[str, float](float)
    for (arm, node), parts in composition(db, row).nodes.items():
        if arm == "fanout" and nodes[node]["agent"] == agent:
            for kind in KINDS[:-1]:
                sums[kind] += parts[kind]
    kind = max(sums, key=lambda kind: sums[kind], default="")
    return kind, round(sums.get(kind, 0.0))
