"""What every row cost, with its part of what rows share: the parts sum to the ledger, to the last digit.

The rule. What an attempt paid beyond a read, for writing what all rows share, and what keeping that
warm has cost, is shared by the rows that the agent was asked for, in equal parts; what cannot be
divided goes to the first of them, a picodollar each. Everything else stands on the row that caused it:
its attempts, retries, repairs and failures.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from fanwise.journal.records import Side

from .account import shared_writes

_DIRECT = """SELECT a.row, a.side, a.agent, COALESCE(SUM(e.cost),0), SUM(e.attempt IS NULL OR e.cost IS NULL)
  FROM attempts a LEFT JOIN ends e ON e.attempt=a.id WHERE a.row>0
  GROUP BY a.row, a.side, a.agent ORDER BY a.row, a.side DESC, a.agent"""


@dataclass(frozen=True, slots=True)
class RowCost:
    """One row on one side, in picodollars."""

    row: int
    """0: what no row has a part in, since the agent was asked for none."""
    side: Side
    own: int
    """What its attempts cost, apart from what they wrote for others."""
    shared: int
    """Its part of what rows share."""
    unknown: int
    """Attempts whose cost is not known."""

    @property
    def cost(self) -> int:
        """What it cost in all."""
        return self.own + self.shared


def allotted(db: sqlite3.Connection) -> Iterator[RowCost]:
    """Yield every row that anything was sent for, by number, the fan-out before its baseline."""
    pools, extras = _pools(db)
    counts = {
        (side, agent): count
        for side, agent, count in db.execute(
            "SELECT side, agent, COUNT(DISTINCT row) FROM attempts WHERE row>0 GROUP BY side, agent"
        )
    }
    served = Counter[tuple[Side, str]]()
    last: RowCost | None = None
    for row, side, agent, cost, unknown in db.execute(_DIRECT):
        key = (side, agent)
        whole, rest = divmod(pools.get(key, 0), counts[key])
        shared = whole + (served[key] < rest)
        served[key] += 1
        one = RowCost(row, side, cost - extras.get((row, side, agent), 0), shared, unknown)
        if last is not None and (last.row, last.side) == (row, side):
            last = RowCost(row, side, last.own + one.own, last.shared + one.shared, last.unknown + one.unknown)
            continue
        if last is not None:
            yield last
        last = one
    if last is not None:
        yield last
    for side in ("fanout", "baseline"):
        left = sum(
            pool for (pool_side, agent), pool in pools.items() if pool_side == side and (side, agent) not in counts
        )
        if left:
            yield RowCost(0, side, 0, left, 0)


def _pools(db: sqlite3.Connection) -> tuple[dict[tuple[Side, str], int], dict[tuple[int, Side, str], int]]:
    """Return what is shared, by side and agent, and what of it was paid by which row."""
    pools, extras = Counter[tuple[Side, str]](), Counter[tuple[int, Side, str]]()
    for write in shared_writes(db):
        if write.row:  # what keeps warm is shared as a whole
            pools[write.side, write.agent] += write.extra
            extras[write.row, write.side, write.agent] += write.extra
    query = (
        "SELECT a.side, a.agent, SUM(e.cost) FROM attempts a JOIN ends e ON e.attempt=a.id WHERE a.row=0 GROUP BY 1, 2"
    )
    for side, agent, cost in db.execute(query):
        pools[side, agent] += cost or 0
    return dict(pools), dict(extras)
