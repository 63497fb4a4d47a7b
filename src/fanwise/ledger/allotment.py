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
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple, cast

from fanwise.journal.records import ArmName

from .account import shared_writes

_ASKS = "SELECT row, arm, agent, cost, tokens FROM served ORDER BY row"


_Attempt = tuple[int, ArmName, str, int | None, int | None]


class RowCost(NamedTuple):
    """One row on one arm, in picodollars."""

    row: int
    """0: what no row has a part in, since the agent was asked for none."""
    arm: ArmName
    own: int
    """What its attempts cost, apart from what they wrote for others."""
    shared: int
    """Its part of what rows share."""
    unknown: int
    """Attempts whose cost is not known."""
    paid: int = 0
    """What its attempts cost as they were billed, that what they wrote for others included."""
    tokens: int = 0

    def plus(self, other: RowCost) -> RowCost:
        """Return the sum of two parts of one row on one arm."""
        return RowCost(
            self.row, self.arm, self.own + other.own, self.shared + other.shared, self.unknown + other.unknown,
            self.paid + other.paid, self.tokens + other.tokens,
        )  # fmt: skip

    @property
    def cost(self) -> int:
        """What it cost in all."""
        return self.own + self.shared


NOTHING = RowCost(0, "fanout", 0, 0, 0)
ARMS: tuple[ArmName, ...] = ("fanout", "baseline")


def allotted(db: sqlite3.Connection) -> Iterator[RowCost]:
    """Yield every row that anything was sent for, by number, the fan-out before its baseline."""
    pools, extras = _pools(db)
    query = "SELECT arm, agent, COUNT(DISTINCT row) FROM served GROUP BY arm, agent"
    counts = {(arm, agent): count for arm, agent, count in db.execute(query)} if pools else {}
    served = Counter[tuple[ArmName, str]]()
    found = cast("Iterator[_Attempt]", db.execute(_ASKS))
    for row, attempts in groupby(found, key=itemgetter(0)):
        costs: dict[ArmName, RowCost] = {}
        agents = set[tuple[ArmName, str]]()
        for _, arm, agent, cost, tokens in attempts:
            one = RowCost(row, arm, cost or 0, 0, int(cost is None), cost or 0, tokens or 0)
            costs[arm] = one.plus(costs[arm]) if arm in costs else one
            if pools:
                agents.add((arm, agent))
        for key in agents.intersection(pools):
            arm, agent = key
            one = costs[arm]
            whole, rest = divmod(pools[key], counts[key])
            part, extra = whole + (served[key] < rest), extras.get((row, arm, agent), 0)
            served[key] += 1
            costs[arm] = one._replace(own=one.own - extra, shared=one.shared + part)
        for arm in ARMS:
            if arm in costs:
                yield costs[arm]
    for arm in ARMS:
        left = sum(pool for (pool_arm, agent), pool in pools.items() if pool_arm == arm and (arm, agent) not in counts)
        if left:
            yield RowCost(0, arm, 0, left, 0)


def _pools(db: sqlite3.Connection) -> tuple[dict[tuple[ArmName, str], int], dict[tuple[int, ArmName, str], int]]:
    """Return what is shared, by arm and agent, and what of it was paid by which row."""
    pools, extras = Counter[tuple[ArmName, str]](), Counter[tuple[int, ArmName, str]]()
    for write in shared_writes(db):
        if write.row:  # what keeps warm is shared as a whole
            pools[write.arm, write.agent] += write.extra
            extras[write.row, write.arm, write.agent] += write.extra
    query = "SELECT arm, agent, SUM(cost) FROM paid WHERE row=0 GROUP BY arm, agent"
    for arm, agent, cost in db.execute(query):
        pools[arm, agent] += cost or 0
    return dict(pools), dict(extras)
