"""The multiplier: fan-out over baseline, per row, with its spread."""

from __future__ import annotations

import random
import sqlite3
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean
from typing import NamedTuple

from .account import RowAccount, rows, shared_writes

BOOTSTRAP_ROWS = 500
"""Up to so many rows the interval is bootstrapped; beyond, the normal one differs by less than
what is printed."""
RESAMPLES = 1_000


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Multiplier:
    """Fan-out / baseline on the rows that have an output on both sides."""

    rows: int
    tokens: Spread
    usd: Spread
    """With the writing of shared prefixes spread over all rows of the job, on both sides."""
    usd_raw: Spread
    """As paid: the row that came first carries the write."""
    tokens_bins: tuple[Bin, ...] = ()
    usd_bins: tuple[Bin, ...] = ()


class Spreading:
    """What rows cost with the writing of shared prefixes spread over all rows of the job."""

    def __init__(self, db: sqlite3.Connection, job_rows: int) -> None:
        self.rows = max(job_rows, 1)
        """Rows of the job."""
        self._by_row: dict[tuple[int, str], int] = {}
        self._by_side: dict[str, int] = {}
        for write in shared_writes(db):
            self._by_row[write.row, write.arm] = self._by_row.get((write.row, write.arm), 0) + write.extra
            self._by_side[write.arm] = self._by_side.get(write.arm, 0) + write.extra

    def of(self, one: RowAccount) -> float:
        """Return picodollars of a row on its arm."""
        return one.cost - self._by_row.get((one.row, one.arm), 0) + self._by_side.get(one.arm, 0) / self.rows


def multiplier(db: sqlite3.Connection, job_rows: int, seed: int = 0) -> Multiplier | None:
    """Return the multiplier of a run, or None where no row has both sides.

    Args:
        db: The journal.
        job_rows: Rows of the job, over which the writes of shared prefixes are spread.
        seed: Of the bootstrap.
    """
    if db.execute("SELECT 1 FROM results WHERE arm='baseline' LIMIT 1").fetchone() is None:
        return None
    spreading = Spreading(db, job_rows)
    tokens, usd, raw = array("d"), array("d"), array("d")
    fanout: RowAccount | None = None
    for one in rows(db):
        if one.arm == "fanout":
            fanout = one
            continue
        pair = fanout if fanout is not None and fanout.row == one.row else None
        if (
            pair is None
            or "failed" in (pair.status, one.status)
            or not one.tokens
            or not one.cost
            or pair.unknown
            or one.unknown
        ):
            continue
        tokens.append(pair.tokens / one.tokens)
        raw.append(pair.cost / one.cost)
        many, single = spreading.of(pair), spreading.of(one)
        usd.append(many / single if single > 0 else pair.cost / one.cost)
    if not tokens:
        return None
    spreads = (summarise(tokens, seed), summarise(usd, seed), summarise(raw, seed))
    return Multiplier(len(tokens), *spreads, bins(tokens), bins(usd))


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
    return Spread(mean, percentile(ordered, 0.5), percentile(ordered, 0.95), _interval(ordered, mean, seed))


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
