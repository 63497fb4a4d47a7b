"""The multiplier: fan-out over baseline, per row, with its spread."""

from __future__ import annotations

import random
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean
from typing import NamedTuple

from fanwise.journal.reader import Book
from fanwise.journal.records import ArmName

from .account import RowAccount, baseline_arm, has_baseline, paired_rows, shared_writes

BOOTSTRAP_ROWS = 500
"""Up to so many rows the interval is bootstrapped; beyond, the normal one differs by less than
what is printed."""
RESAMPLES = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A distribution over rows."""

    mean: float
    p50: float
    p95: float
    ci95: tuple[float, float]
    """Interval of the mean, 95 %."""

    def data(self) -> dict[str, object]:
        """Return it as JSON-ready data, rounded to six decimals."""
        low, high = self.ci95
        return {
            "mean": round(self.mean, 6),
            "p50": round(self.p50, 6),
            "p95": round(self.p95, 6),
            "ci95": [round(low, 6), round(high, 6)],
        }


class Bin(NamedTuple):
    """Rows whose value lies between two bounds, the upper one left out but in the last bin."""

    low: float
    high: float
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Multiplier:
    """Fan-out / baseline on the rows that have an output on both arms."""

    rows: int
    tokens: Spread
    usd: Spread
    """With the writing of shared prefixes spread over all rows of the job, on both arms."""
    usd_raw: Spread
    """As paid: the row that came first carries the write."""
    tokens_bins: tuple[Bin, ...] = ()
    usd_bins: tuple[Bin, ...] = ()


class Spreading:
    """What rows cost with the writing of shared prefixes spread over all rows of the job."""

    def __init__(self, db: Book, job_rows: int) -> None:
        self.rows = max(job_rows, 1)
        """Rows of the job."""
        self._by_row, self._by_arm = Counter[tuple[int, ArmName]](), Counter[ArmName]()
        for write in shared_writes(db):
            self._by_row[write.row, write.arm] += write.extra
            self._by_arm[write.arm] += write.extra

    def of(self, account: RowAccount) -> float:
        """Return picodollars of a row on its arm."""
        return self.spread(account.row, account.arm, account.cost)

    def spread(self, row: int, arm: ArmName, cost: int) -> float:
        """Return picodollars of a row on an arm that has cost so many as paid."""
        return cost - self._by_row.get((row, arm), 0) + self._by_arm.get(arm, 0) / self.rows


def multiplier(db: Book, job_rows: int, seed: int = 0) -> Multiplier | None:
    """Return the multiplier of a run, or None where no row has both arms.

    Args:
        db: The journal.
        job_rows: Rows of the job, over which the writes of shared prefixes are spread.
        seed: Of the bootstrap.
    """
    if not has_baseline(db):
        return None
    spreading, alone = Spreading(db, job_rows), baseline_arm(db)
    tokens, usd, raw = array("d"), array("d"), array("d")
    for row in paired_rows(db):
        if row.unknown or not row.baseline_tokens or not row.baseline_cost:
            continue
        tokens.append(row.tokens / row.baseline_tokens)
        as_paid = row.cost / row.baseline_cost
        raw.append(as_paid)
        single = spreading.spread(row.row, alone, row.baseline_cost)
        usd.append(spreading.spread(row.row, "fanout", row.cost) / single if single > 0 else as_paid)
    if not tokens:
        return None
    return Multiplier(
        rows=len(tokens),
        tokens=summarise(tokens, seed),
        usd=summarise(usd, seed),
        usd_raw=summarise(raw, seed),
        tokens_bins=bins(tokens),
        usd_bins=bins(usd),
    )


def bins(values: Sequence[float], most: int = 24) -> tuple[Bin, ...]:
    """Return a histogram of at least one value; bins are equally wide, and none where all values are equal."""
    low, high = min(values), max(values)
    if low == high:
        return (Bin(low, high, len(values)),)
    width, counts = (high - low) / most, [0] * most
    for value in values:
        counts[min(int((value - low) / width), most - 1)] += 1
    return tuple(Bin(low + place * width, low + (place + 1) * width, count) for place, count in enumerate(counts))


def summarise(values: Sequence[float], seed: int = 0) -> Spread:
    """Return the spread of at least one value; the interval is a percentile bootstrap of the mean."""
    ordered = sorted(values)
    mean = fmean(ordered)
    return Spread(
        mean=mean,
        p50=percentile(ordered, 0.5),
        p95=percentile(ordered, 0.95),
        ci95=_interval(ordered, mean, seed),
    )


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return a percentile of sorted values, linear between neighbours."""
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _interval(values: Sequence[float], mean: float, seed: int) -> tuple[float, float]:
    count = len(values)
    if count == 1:
        return mean, mean
    if count > BOOTSTRAP_ROWS:
        deviation = sqrt(sum((value - mean) ** 2 for value in values) / (count - 1))
        return mean - 1.96 * deviation / sqrt(count), mean + 1.96 * deviation / sqrt(count)
    chance = random.Random(seed)
    means = sorted(fmean(chance.choices(values, k=count)) for _ in range(RESAMPLES))
    return percentile(means, 0.025), percentile(means, 0.975)
