"""Adds up the rows that both sides have ended to the multiplier, whoever goes over them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from fanwise.journal.reader import Book

from .account import baseline_arm, has_baseline
from .allotment import RowCost
from .intervals import Interval
from .multiplier import Multiplier
from .paired import JobSize, PairedCost, Tally, both_ended
from .spread import EqualRatios, RowRatios
from .success import SuccessSums

CHUNK_ROWS = 1_000
"""Rows that are added up at a time: many at once take a tenth of the time, and memory does not grow with all rows."""


class Measuring:
    """The multiplier of a run in the making: it is shown each row once, by whoever goes over them anyway."""

    def __init__(self, db: Book, size: JobSize | None = None) -> None:
        """Begin with no row.

        Args:
            db: The journal.
            size: Of the job, where it is at hand: it is counted over the whole journal.
        """
        self._db, self.size = db, size or JobSize(db)
        self._is_own = baseline_arm(db) == "fanout"
        self._sides: _Sides = _OneSide() if self._is_own else _TwoSides()
        self._rows: list[PairedCost] = []
        """Not yet added up."""
        self._tally, self._cut_off = Tally(), 0

    def take(self, row: PairedCost) -> None:
        """Count a row that both sides have ended."""
        if not self._tally.takes(row):
            return
        self._rows.append(row)
        if len(self._rows) == CHUNK_ROWS:
            self._add_up()

    def multiplier(self) -> Multiplier | None:
        """Return that of the rows that were shown; None where there was none, or the baseline took nothing."""
        self._add_up()
        tokens, usd, raw = self._sides.tokens, self._sides.usd, self._sides.paid
        in_tokens, in_usd, as_paid = tokens.spread(), usd.spread(), raw.spread()
        if in_tokens is None or in_usd is None or as_paid is None:
            return None
        return Multiplier(
            rows=self._tally.compared,
            tokens=in_tokens,
            usd=in_usd,
            usd_raw=as_paid,
            per_success=self._sides.per_success(),
            left_out=self._tally.left_out(self._db),
            is_own=self._is_own,
            cut_off=self._cut_off,
            tokens_bins=tokens.bins(),
            usd_bins=usd.bins(),
        )

    def _add_up(self) -> None:
        self._sides.add(self._rows, self.size)
        self._cut_off += sum([row.cut_off for row in self._rows])
        self._rows.clear()


def measured(db: Book, size: JobSize | None = None) -> Measuring:
    """Return what has been shown all rows that both sides have ended.

    Args:
        db: The journal.
        size: Of the job, where it is at hand.
    """
    measuring = Measuring(db, size)
    for row in both_ended(db) if has_baseline(db) else ():
        measuring.take(row)
    return measuring


def multiplier(db: Book, size: JobSize | None = None) -> Multiplier | None:
    """Return the multiplier of a run, or None where no row has both arms, or the baseline took nothing.

    Args:
        db: The journal.
        size: Of the job, where it is at hand.
    """
    return measured(db, size).multiplier() if has_baseline(db) else None


_Ratios = RowRatios | EqualRatios


class _Sides(Protocol):
    """What rows add up to on both sides."""

    @property
    def tokens(self) -> _Ratios:
        """In tokens."""
        ...

    @property
    def usd(self) -> _Ratios:
        """In picodollars at the size of the job."""
        ...

    @property
    def paid(self) -> _Ratios:
        """In picodollars as they were billed."""
        ...

    def add(self, rows: Sequence[PairedCost], size: JobSize) -> None:
        """Add rows, each at the size of the job."""
        ...

    def per_success(self) -> Interval | None:
        """Return dollars for each row that succeeded, fan-out over baseline; None where a side has none or no cost."""
        ...


class _TwoSides:
    """Rows of a fan-out beside those of its single agent."""

    def __init__(self) -> None:
        self.tokens, self.usd, self.paid = RowRatios(), RowRatios(), RowRatios()
        self._success = SuccessSums()

    def add(self, rows: Sequence[PairedCost], size: JobSize) -> None:
        fanout, baseline = _Took.of([row.fanout for row in rows], size), _Took.of([row.baseline for row in rows], size)
        self.tokens.add(fanout.tokens, baseline.tokens)
        self.usd.add(fanout.usd, baseline.usd)
        self.paid.add(fanout.paid, baseline.paid)
        fanout_good, baseline_good = ([row.statuses[side] == "succeeded" for row in rows] for side in (0, 1))
        self._success.add(fanout.usd, fanout_good, baseline.usd, baseline_good)

    def per_success(self) -> Interval | None:
        return self._success.ratio()


class _OneSide:
    """Rows of a graph that is its own single agent: whatever they took, both took."""

    def __init__(self) -> None:
        self.tokens, self.usd, self.paid = EqualRatios(), EqualRatios(), EqualRatios()
        self._succeeded = 0

    def add(self, rows: Sequence[PairedCost], size: JobSize) -> None:
        took = _Took.of([row.fanout for row in rows], size)
        self.tokens.add(took.tokens)
        self.usd.add(took.usd)
        self.paid.add(took.paid)
        self._succeeded += sum([row.statuses[0] == "succeeded" for row in rows])

    def per_success(self) -> Interval | None:
        return Interval(1.0, 1.0, 1.0) if self._succeeded and self.usd.total else None


class _Took(NamedTuple):
    """What some rows took on one side."""

    tokens: list[int]
    """Times the rows of the job."""
    usd: list[int]
    """Picodollars at the size of the job, times its rows."""
    paid: list[int]
    """Picodollars as they were billed."""

    @classmethod
    def of(cls, costs: Sequence[RowCost], size: JobSize) -> _Took:
        """Return what rows took that cost this much."""
        return cls([*map(size.tokens, costs)], [*map(size.cost, costs)], [cost.paid for cost in costs])
