"""What every row cost, with its part of what rows share: the parts sum to the ledger, to the last digit.

The rule. What an attempt paid beyond a read, for writing what all rows share, and what keeping that
warm has cost, is shared by the rows for which the agent was asked behind that very prefix, in equal
parts; what cannot be divided goes to the first of them, a picodollar each. Where nobody knows what
keeping it warm has cost, nobody knows what these rows have. Everything else stands on the row that
caused it: its attempts, retries, repairs and failures.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple, cast

from fanwise.journal.reader import Book
from fanwise.journal.records import ArmName
from fanwise.quick import maker

from .account import in_order
from .shared import shared_writes

_ASKS = "SELECT row, arm, agent, prefix, cost, tokens FROM served ORDER BY row"
_ROWS_OF_PREFIXES = "SELECT arm, agent, prefix, COUNT(DISTINCT row) FROM served GROUP BY arm, agent, prefix"
_KEPT_WARM = """SELECT arm, agent, prefix, COALESCE(SUM(cost),0), COALESCE(SUM(tokens),0), SUM(cost IS NULL)
  FROM paid WHERE NOT serves GROUP BY arm, agent, prefix"""

_Ask = tuple[int, ArmName, str, str, int | None, int | None]
"""Row, arm, agent, prefix, picodollars and tokens of an ask; a plain tuple, since there may be tens of millions."""
_Shared = tuple[ArmName, str, str]
"""Arm, agent and prefix: what rows share."""


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
    """Attempts whose cost is not known: its own, and those that kept warm what it shares."""
    paid: int = 0
    """What its attempts cost as they were billed, that what they wrote for others included."""
    tokens: int = 0
    """Of its attempts."""
    shared_tokens: int = 0
    """Its part of those that kept warm what rows share."""

    @property
    def cost(self) -> int:
        """What it cost in all."""
        return self.own + self.shared


_new_row_cost = maker(RowCost)


NOTHING = RowCost(row=0, arm="fanout", own=0, shared=0, unknown=0)


class _SharedPart(NamedTuple):
    """A row's part of what rows share."""

    cost: int = 0
    """Picodollars."""
    paid_for_all: int = 0
    """What the row itself had paid for all, in picodollars."""
    tokens: int = 0
    """Of those that kept it warm."""
    unknown: int = 0
    """Attempts that kept it warm at a cost that is not known."""


_NO_PART = _SharedPart()


class _Pools:
    """What rows share, and who has had how much of it."""

    def __init__(self, db: Book) -> None:
        self.pools, self.extras = Counter[_Shared](), Counter[tuple[int, ArmName, str, str]]()
        for write in shared_writes(db):
            if write.row:  # what keeps warm is shared as a whole
                self.pools[write.arm, write.agent, write.prefix] += write.extra
                self.extras[write.row, write.arm, write.agent, write.prefix] += write.extra
        self.tokens, self.unknown = Counter[_Shared](), Counter[_Shared]()
        for arm, agent, prefix, cost, tokens, unknown in db.execute(_KEPT_WARM):
            self.pools[arm, agent, prefix] += cost
            self.tokens[arm, agent, prefix] += tokens
            self.unknown[arm, agent, prefix] += unknown
        self.rows: dict[_Shared, int] = {}
        """How many rows an agent was asked for behind each prefix."""
        if self.pools:
            self.rows = {(arm, agent, prefix): count for arm, agent, prefix, count in db.execute(_ROWS_OF_PREFIXES)}
        self._given = Counter[_Shared]()
        """How many rows have had their part of a pool."""

    def part(self, row: int, agent: _Shared) -> _SharedPart:
        """Return the next row's part of what an agent's rows share."""
        if agent not in self.pools:
            return _NO_PART
        place, rows = self._given[agent], self.rows[agent]
        self._given[agent] = place + 1
        cost, rest = divmod(self.pools[agent], rows)
        tokens, rest_of_tokens = divmod(self.tokens[agent], rows)
        paid_for_all = self.extras.get((row, *agent), 0)
        return _SharedPart(cost + (place < rest), paid_for_all, tokens + (place < rest_of_tokens), self.unknown[agent])

    def left(self, arm: ArmName) -> _SharedPart:
        """Return what an arm's agents share that were asked for no row."""
        agents = [agent for agent in self.pools if agent[0] == arm and agent not in self.rows]
        cost, tokens, unknown = (
            sum(counts[agent] for agent in agents) for counts in (self.pools, self.tokens, self.unknown)
        )
        return _SharedPart(cost=cost, tokens=tokens, unknown=unknown)


def allotted(db: Book) -> Iterator[RowCost]:
    """Yield every row that anything was sent for, by number, the fan-out before its baseline and other arms."""
    pools, asks = _Pools(db), cast("Iterator[_Ask]", db.execute(_ASKS))
    for row, of_row in groupby(asks, key=itemgetter(0)):
        asks_of_row = list(of_row)
        if len(asks_of_row) == 1:  # of most rows of most jobs
            yield _row_cost(row, asks_of_row[0][1], asks_of_row, pools)
            continue
        by_arm: dict[ArmName, list[_Ask]] = {}
        for ask in asks_of_row:
            by_arm.setdefault(ask[1], []).append(ask)
        for arm in in_order(by_arm):
            yield _row_cost(row, arm, by_arm[arm], pools)
    for arm in in_order({arm for arm, _, _ in pools.pools}):
        left = pools.left(arm)
        if any(left):
            yield RowCost(0, arm, own=0, shared=left.cost, unknown=left.unknown, shared_tokens=left.tokens)


def shared_costs(db: Book) -> Counter[ArmName]:
    """Return what rows share on each arm, in picodollars: the sum of the parts that `allotted` gives them."""
    sums = Counter[ArmName]()
    for (arm, _, _), cost in _Pools(db).pools.items():
        sums[arm] += cost
    return sums


def _row_cost(row: int, arm: ArmName, asks: Sequence[_Ask], pools: _Pools) -> RowCost:
    """Return what a row cost on an arm that has these asks."""
    paid, tokens, unknown, shared, extra, shared_tokens = 0, 0, 0, 0, 0, 0
    for _, _, _, _, cost, used in asks:
        if cost is None:
            unknown += 1
        else:
            paid += cost
        tokens += used or 0
    for agent, prefix in {(ask[2], ask[3]) for ask in asks} if pools.pools else ():
        part = pools.part(row, (arm, agent, prefix))
        shared, extra, shared_tokens = shared + part.cost, extra + part.paid_for_all, shared_tokens + part.tokens
        unknown += part.unknown
    return _new_row_cost(
        row=row, arm=arm, own=paid - extra, shared=shared, unknown=unknown, paid=paid, tokens=tokens,
        shared_tokens=shared_tokens,
    )  # fmt: skip
