"""The multiplier: what the fan-out took over what one agent took, sum over sum, with its spread over rows."""

from __future__ import annotations

import random
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from math import sqrt
from statistics import fmean
from typing import Any, NamedTuple

from fanwise.journal.reader import Book

from .account import baseline_arm, has_baseline
from .allotment import RowCost
from .intervals import Interval
from .paired import JobSize, LeftOut, PairedRows
from .ratio import FEW_ROWS, LEAST_ROWS, PairedSums
from .standing import agents_of
from .success import SuccessSums

BOOTSTRAP_ROWS = 500
"""Up to so many rows the interval of the mean is bootstrapped; beyond, the normal one differs by less than
what is printed."""
RESAMPLES = 1_000
CHUNK_ROWS = 1_000
"""Rows that are added up at a time: many at once take a tenth of the time, and memory does not grow with all rows."""
DECIMALS = 6
"""Of every ratio that is kept, so that all who show it show the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A ratio of sums over rows, and how the ratios of the rows lie."""

    ratio: float
    """The headline: sum over sum, rounded to `DECIMALS`."""
    low: float | None
    """Of its interval, 95 %; None where it has none."""
    high: float | None
    largest_row: float
    """The greatest share, 0 to 1, that one row has of the sum of a side."""
    mean: float
    """Of the rows' own ratios, each row alike, as the percentiles are."""
    p50: float
    p95: float
    ci95: tuple[float, float] | None
    """Interval of the mean, 95 %; None below five rows."""

    def data(self) -> Mapping[str, object]:
        """Return it as JSON-ready data, rounded to six decimals."""
        kept = ("ratio", "low", "high", "mean", "p50", "p95")
        rounded = {name: _rounded(getattr(self, name)) for name in kept}
        return rounded | {"ci95": None if self.ci95 is None else [_rounded(bound) for bound in self.ci95]}


class Bin(NamedTuple):
    """Rows whose value lies between two bounds, the upper one left out but in the last bin."""

    low: float
    high: float
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Multiplier:
    """Fan-out / baseline on the rows that both sides have ended, whatever the outcome, and whose cost is known."""

    rows: int
    tokens: Spread
    usd: Spread
    """With the writing of shared prefixes spread over all rows of the job, on both arms."""
    usd_raw: Spread
    """As paid: the row that came first carries the write."""
    per_success: Interval | None
    """Dollars for each row that succeeded, fan-out over baseline; None where a side has no success."""
    left_out: LeftOut
    """Rows of the run that are not among them."""
    is_own: bool
    """Whether the fan-out is the single agent itself."""
    cut_off: int
    """Rows among them in which the single agent's answer was cut off."""
    tokens_bins: tuple[Bin, ...] = ()
    usd_bins: tuple[Bin, ...] = ()

    @property
    def is_of_few_rows(self) -> bool:
        """Whether one row has more than a quarter of the sum of a side."""
        return max(self.tokens.largest_row, self.usd.largest_row) > FEW_ROWS

    def data(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        return {
            "tokens": self.tokens.data(),
            "usd": self.usd.data(),
            "usd_as_paid": self.usd_raw.data(),
            "baseline": "own" if self.is_own else "measured",
            "rows": self.rows,
            "left_out": asdict(self.left_out),
            "cut_off": self.cut_off,
            "few_rows": self.is_of_few_rows,
            "largest_row": {"tokens": _rounded(self.tokens.largest_row), "usd": _rounded(self.usd.largest_row)},
        }


def left_out_data(db: Book, measured: Multiplier | None) -> dict[str, int] | None:
    """Return how many rows of a run are not in its multiplier, by why; None where no single agent was to be asked.

    Args:
        db: The journal.
        measured: Its multiplier; None where it has none, which they say why.
    """
    if measured is not None:
        return asdict(measured.left_out)
    if not (has_baseline(db) or agents_of(db, baseline_arm(db))):
        return None
    rows = PairedRows(db)
    for _ in rows:
        pass
    return asdict(rows.left_out)


def per_success_data(multiplier: Multiplier | None) -> dict[str, float | None] | None:
    """Return dollars for each success, fan-out over baseline, as JSON-ready data; no interval below five rows."""
    if multiplier is None or multiplier.per_success is None:
        return None
    return interval_data(multiplier.per_success, multiplier.rows)


def interval_data(interval: Interval, rows: int) -> dict[str, float | None]:
    """Return a ratio over so many rows as JSON-ready data; no interval below five rows."""
    low, high = (interval.low, interval.high) if rows >= LEAST_ROWS else (None, None)
    return {"ratio": _rounded(interval.value), "low": _rounded(low), "high": _rounded(high)}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DECIMALS)


@dataclass(slots=True)
class RowRatios:
    """What rows took on two sides, in whole numbers of one unit: their sums, and the ratio of each."""

    sums: PairedSums = field(default_factory=PairedSums)
    values: array[float] = field(default_factory=lambda: array("d"))
    """Of the rows for which the side below took anything."""

    def add(self, tops: Sequence[int], bottoms: Sequence[int]) -> None:
        """Add rows: what each took on top, and what below."""
        self.sums.add(tops, bottoms)
        self.values.extend([top / bottom for top, bottom in zip(tops, bottoms, strict=True) if bottom > 0])

    def spread(self, seed: int = 0) -> Spread | None:
        """Return the ratio with its spread; None where the side below took nothing.

        Args:
            seed: Of the bootstrap.
        """
        ratio = self.sums.ratio()
        if ratio is None:
            return None
        ordered = sorted(self.values)
        mean = fmean(ordered)
        return Spread(
            ratio=round(ratio.value, DECIMALS),
            low=_rounded(ratio.low),
            high=_rounded(ratio.high),
            largest_row=self.sums.largest_share(),
            mean=mean,
            p50=percentile(ordered, 0.5),
            p95=percentile(ordered, 0.95),
            ci95=_interval(ordered, mean, seed) if len(ordered) >= LEAST_ROWS else None,
        )


def multiplier(db: Book, size: JobSize | None = None, *, seed: int = 0) -> Multiplier | None:
    """Return the multiplier of a run, or None where no row has both arms, or the baseline took nothing.

    Args:
        db: The journal.
        size: Of the job, where it is at hand: it is counted over the whole journal.
        seed: Of the bootstrap.
    """
    if not has_baseline(db):
        return None
    size, rows, success = size or JobSize(db), PairedRows(db), SuccessSums()
    tokens, usd, raw, cut_off, is_own = RowRatios(), RowRatios(), RowRatios(), 0, baseline_arm(db) == "fanout"
    pairs = iter(rows)
    while chunk := list(islice(pairs, CHUNK_ROWS)):
        fanout = baseline = _Side.of([row.fanout for row in chunk], size)
        if not is_own:
            baseline = _Side.of([row.baseline for row in chunk], size)
        tokens.add(fanout.tokens, baseline.tokens)
        raw.add(fanout.paid, baseline.paid)
        usd.add(fanout.usd, baseline.usd)
        cut_off += sum([row.cut_off for row in chunk])
        fanout_good, baseline_good = ([row.statuses[side] == "succeeded" for row in chunk] for side in (0, 1))
        success.add(fanout.usd, fanout_good, baseline.usd, baseline_good)
    spreads = [ratios.spread(seed) for ratios in (tokens, usd, raw)]
    if any(spread is None for spread in spreads):
        return None
    in_tokens, in_usd, as_paid = (spread for spread in spreads if spread is not None)
    return Multiplier(
        rows=success.rows,
        tokens=in_tokens,
        usd=in_usd,
        usd_raw=as_paid,
        per_success=success.ratio(),
        left_out=rows.left_out,
        is_own=is_own,
        cut_off=cut_off,
        tokens_bins=bins(tokens.values),
        usd_bins=bins(usd.values),
    )


class _Side(NamedTuple):
    """What some rows took on one side."""

    tokens: list[int]
    """Times the rows of the job."""
    usd: list[int]
    """Picodollars at the size of the job, times its rows."""
    paid: list[int]
    """Picodollars as they were billed."""

    @classmethod
    def of(cls, costs: Sequence[RowCost], size: JobSize) -> _Side:
        """Return what rows took that cost this much."""
        return cls([*map(size.tokens, costs)], [*map(size.cost, costs)], [cost.paid for cost in costs])


def bins(values: Sequence[float], most: int = 24) -> tuple[Bin, ...]:
    """Return a histogram of at least one value; bins are equally wide, and none where all values are equal."""
    low, high = min(values), max(values)
    if low == high:
        return (Bin(low, high, len(values)),)
    width, counts = (high - low) / most, [0] * most
    for value in values:
        counts[min(int((value - low) / width), most - 1)] += 1
    return tuple(Bin(low + place * width, low + (place + 1) * width, count) for place, count in enumerate(counts))


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return a percentile of sorted values, linear between neighbours."""
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _interval(values: Sequence[float], mean: float, seed: int) -> tuple[float, float]:
    """Return the interval of the mean of values in order, 95 %."""
    count = len(values)
    if count > BOOTSTRAP_ROWS:
        if values[0] == values[-1] == mean:  # as on both sides of a graph of one agent
            return mean, mean
        deviation = sqrt(sum([(value - mean) ** 2 for value in values]) / (count - 1))
        return mean - 1.96 * deviation / sqrt(count), mean + 1.96 * deviation / sqrt(count)
    chance = random.Random(seed)
    means = sorted(fmean(chance.choices(values, k=count)) for _ in range(RESAMPLES))
    return percentile(means, 0.025), percentile(means, 0.975)
