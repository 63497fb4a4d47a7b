"""How the ratios of rows lie: sum over sum, and the rows' own, each row alike. Pure."""

from __future__ import annotations

import random
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from statistics import fmean
from typing import NamedTuple

from .ratio import LEAST_ROWS, PairedSums

BOOTSTRAP_ROWS = 500
"""Up to so many rows the interval of the mean is bootstrapped; beyond, the normal one differs by less than
what is printed."""
RESAMPLES = 1_000
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
        own = {name: rounded(getattr(self, name)) for name in kept}
        return own | {"ci95": None if self.ci95 is None else [rounded(bound) for bound in self.ci95]}


class Bin(NamedTuple):
    """Rows whose value lies between two bounds, the upper one left out but in the last bin."""

    low: float
    high: float
    rows: int


def rounded(value: float | None) -> float | None:
    """Return a ratio as it is kept."""
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

    def bins(self) -> tuple[Bin, ...]:
        """Return the histogram of the rows' ratios, of which there is one or more."""
        return bins(self.values)

    def spread(self) -> Spread | None:
        """Return the ratio with its spread; None where the side below took nothing."""
        ratio = self.sums.ratio()
        if ratio is None:
            return None
        ordered = sorted(self.values)
        mean = fmean(ordered)
        return Spread(
            ratio=round(ratio.value, DECIMALS),
            low=rounded(ratio.low),
            high=rounded(ratio.high),
            largest_row=self.sums.largest_share(),
            mean=mean,
            p50=percentile(ordered, 0.5),
            p95=percentile(ordered, 0.95),
            ci95=_interval(ordered, mean) if len(ordered) >= LEAST_ROWS else None,
        )


@dataclass(slots=True, kw_only=True)
class EqualRatios:
    """What rows took where both sides are one: the sums are enough, since the ratio of each row is 1."""

    rows: int = 0
    total: int = 0
    most: int = 0
    """The largest row."""
    took_any: int = 0
    """Rows that took anything."""

    def add(self, amounts: Sequence[int]) -> None:
        """Add rows: what each took."""
        self.rows += len(amounts)
        self.total += sum(amounts)
        self.most = max(self.most, max(amounts, default=0))
        self.took_any += sum([amount > 0 for amount in amounts])

    def bins(self) -> tuple[Bin, ...]:
        """Return the histogram of the rows' ratios, of which there is one or more."""
        return (Bin(1.0, 1.0, self.took_any),)

    def spread(self) -> Spread | None:
        """Return the ratio with its spread, as `RowRatios` has it of such rows; None where they took nothing."""
        if self.total <= 0:
            return None
        bound = 1.0 if self.rows >= LEAST_ROWS else None
        return Spread(
            ratio=1.0, low=bound, high=bound, largest_row=self.most / self.total, mean=1.0, p50=1.0, p95=1.0,
            ci95=(1.0, 1.0) if self.took_any >= LEAST_ROWS else None,
        )  # fmt: skip


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


def _interval(values: Sequence[float], mean: float) -> tuple[float, float]:
    """Return the interval of the mean of values in order, 95 %."""
    count = len(values)
    if count > BOOTSTRAP_ROWS:
        if values[0] == values[-1] == mean:  # as on both sides of a graph of one agent
            return mean, mean
        deviation = sqrt(sum([(value - mean) ** 2 for value in values]) / (count - 1))
        return mean - 1.96 * deviation / sqrt(count), mean + 1.96 * deviation / sqrt(count)
    chance = random.Random(0)
    means = sorted(fmean(chance.choices(values, k=count)) for _ in range(RESAMPLES))
    return percentile(means, 0.025), percentile(means, 0.975)
