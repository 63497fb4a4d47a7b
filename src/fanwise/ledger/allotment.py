"""What every row cost, with its part of what rows share: the parts sum to the ledger, to the last digit.

The rule. What an attempt paid beyond a read, for writing what all rows share, and what keeping that
warm has cost, is shared by the rows for which the agent was asked behind that very prefix, in equal
parts; what cannot be divided goes to the first of them, a picodollar each. A request that was taken from
another run has brought its part of what that run shared, and has none in what is shared here. Where nobody knows what
keeping it warm has cost, nobody knows what these rows have. Everything else stands on the row that
caused it: its attempts, retries, repairs and failures.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple, cast

from fanwise.journal.reader import Book
from fanwise.journal.records import ArmName
from fanwise.quick import maker

from .account import in_order
from .shared import shared_writes

_ASKS = """SELECT row, arm, agent, CASE WHEN taken THEN NULL ELSE prefix END, cost, tokens, shared FROM served
  ORDER BY row"""
_ROWS_OF_PREFIXES = """SELECT arm, agent, prefix, COUNT(DISTINCT row) FROM served WHERE NOT taken
  GROUP BY arm, agent, prefix"""
_BROUGHT = "SELECT arm, SUM(shared) FROM paid WHERE taken GROUP BY arm"
_KEPT_WARM = """SELECT arm, agent, prefix, COALESCE(SUM(cost),0), COALESCE(SUM(tokens),0), SUM(cost IS NULL)
  FROM paid WHERE NOT serves GROUP BY arm, agent, prefix"""

_Ask = tuple[int, ArmName, str, str | None, int | None, int | None, int]
"""Row, arm, agent, prefix (None: of another run), picodollars and tokens of an ask, and of the picodollars its part of
what another run shared; a plain tuple, since there may be tens of millions."""
_Shared = tuple[ArmName, str, str | None]
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


@dataclass(slots=True, kw_only=True)
class SharedPool:
    """What the rows share for which an agent was asked behind one prefix."""

    cost: int = 0
    """Picodollars."""
    tokens: int = 0
    """Of requests that kept it warm."""
    unknown: int = 0
    """Such requests at a cost that is not known."""
    paid_by_row: Counter[int] = field(default_factory=Counter[int])
    """Picodollars of it that rows have paid for all."""


class SharedPoolParts:
    """The parts of a pool, for one row after the other."""

    def __init__(self, pool: SharedPool, rows: int) -> None:
        """Divide a pool by its rows, one or more."""
        self._pool, self._given = pool, 0
        self._cost, self._more_cost = divmod(pool.cost, rows)
        self._tokens, self._more_tokens = divmod(pool.tokens, rows)
        self._usual = _SharedPart(cost=self._cost, tokens=self._tokens, unknown=pool.unknown)
        """That of a row that comes behind those that get more, and has paid nothing for all."""
        self._get_more = max(self._more_cost, self._more_tokens)

    def next(self, row: int) -> _SharedPart:
        """Return the part of the next row."""
        place = self._given
        self._given = place + 1
        if place >= self._get_more and row not in self._pool.paid_by_row:
            return self._usual
        return _SharedPart(
            cost=self._cost + (place < self._more_cost),
            paid_for_all=self._pool.paid_by_row[row],
            tokens=self._tokens + (place < self._more_tokens),
            unknown=self._pool.unknown,
        )


def pools_of(db: Book) -> dict[_Shared, SharedPool]:
    """Return what rows share."""
    pools = defaultdict[_Shared, SharedPool](SharedPool)
    for write in shared_writes(db):
        if write.row:  # what keeps warm is shared as a whole
            pool = pools[write.arm, write.agent, write.prefix]
            pool.cost += write.extra
            pool.paid_by_row[write.row] += write.extra
    for arm, agent, prefix, cost, tokens, unknown in db.execute(_KEPT_WARM):
        pool = pools[arm, agent, prefix]
        pool.cost, pool.tokens, pool.unknown = pool.cost + cost, pool.tokens + tokens, pool.unknown + unknown
    return dict(pools)


def parts_of(db: Book, pools: Mapping[_Shared, SharedPool]) -> dict[_Shared, SharedPoolParts]:
    """Return the parts of pools, of those that rows have been asked behind, for one row after the other."""
    rows = {tuple(names): count for *names, count in db.execute(_ROWS_OF_PREFIXES)} if pools else {}
    return {shared: SharedPoolParts(pool, rows[shared]) for shared, pool in pools.items() if shared in rows}


def allotted(db: Book) -> Iterator[RowCost]:
    """Yield every row that anything was sent for, by number, the fan-out before its baseline and other arms."""
    pools = pools_of(db)
    parts = parts_of(db, pools)
    for row, of_row in groupby(cast("Iterator[_Ask]", db.execute(_ASKS)), key=itemgetter(0)):
        first, *others = of_row
        if not others:  # of most rows of most jobs
            yield _cost_of_ask(first, parts)
            continue
        by_arm: dict[ArmName, list[_Ask]] = {first[1]: [first]}
        for ask in others:
            by_arm.setdefault(ask[1], []).append(ask)
        for arm in in_order(by_arm):
            yield _row_cost(row, arm, by_arm[arm], parts)
    yield from _of_no_row({shared: pool for shared, pool in pools.items() if shared not in parts})


def shared_costs(db: Book) -> Counter[ArmName]:
    """Return what rows share on each arm, in picodollars: the sum of the parts that `allotted` gives them."""
    sums = Counter[ArmName]()
    for (arm, _, _), pool in pools_of(db).items():
        sums[arm] += pool.cost
    sums.update(dict(db.execute(_BROUGHT).fetchall()))
    return sums


def _of_no_row(pools: Mapping[_Shared, SharedPool]) -> Iterator[RowCost]:
    """Yield by arm what agents share that were asked for no row."""
    for arm in in_order({arm for arm, _, _ in pools}):
        of_arm = [pool for (of, _, _), pool in pools.items() if of == arm]
        cost, tokens, unknown = (
            sum(counts) for counts in zip(*((pool.cost, pool.tokens, pool.unknown) for pool in of_arm), strict=True)
        )
        if cost or tokens or unknown:
            yield RowCost(0, arm, own=0, shared=cost, unknown=unknown, shared_tokens=tokens)


def _cost_of_ask(ask: _Ask, parts: Mapping[_Shared, SharedPoolParts]) -> RowCost:
    """Return what a row cost on an arm for which it has one ask; as `_row_cost`, in half of the time."""
    row, arm, agent, prefix, cost, tokens, brought = ask
    paid, pool = cost or 0, parts.get((arm, agent, prefix)) if parts else None
    part = pool.next(row) if pool is not None else _NO_PART
    return _new_row_cost(
        row=row, arm=arm, own=paid - part.paid_for_all - brought, shared=part.cost + brought,
        unknown=(cost is None) + part.unknown, paid=paid, tokens=tokens or 0, shared_tokens=part.tokens,
    )  # fmt: skip


def _row_cost(row: int, arm: ArmName, asks: Sequence[_Ask], parts: Mapping[_Shared, SharedPoolParts]) -> RowCost:
    """Return what a row cost on an arm that has these asks."""
    paid, tokens, unknown, shared, extra, shared_tokens = 0, 0, 0, 0, 0, 0
    for _, _, _, _, cost, used, brought in asks:
        if cost is None:
            unknown += 1
        else:
            paid += cost
        tokens += used or 0
        shared, extra = shared + brought, extra + brought
    for agent, prefix in {(ask[2], ask[3]) for ask in asks} if parts else ():
        pool = parts.get((arm, agent, prefix))
        part = pool.next(row) if pool is not None else _NO_PART
        shared, extra, shared_tokens = shared + part.cost, extra + part.paid_for_all, shared_tokens + part.tokens
        unknown += part.unknown
    return _new_row_cost(
        row=row, arm=arm, own=paid - extra, shared=shared, unknown=unknown, paid=paid, tokens=tokens,
        shared_tokens=shared_tokens,
    )  # fmt: skip
