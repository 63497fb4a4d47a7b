"""A difference in quality on the same rows, with its bounds: Tango's score test, and exactly where none is worse."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

from .intervals import LEVEL, Interval

NORMAL = NormalDist()


class Bounds(NamedTuple):
    """Between what a figure lies, as far as a verdict must be sure of it."""

    low: float
    high: float
    """Infinite where nothing bounds it."""


@dataclass(slots=True, kw_only=True)
class QualitySums:
    """What paired differences of scores add up to, each from -1 to 1."""

    rows: float = 0
    better: float = 0.0
    """Sum of those above nothing."""
    worse: float = 0.0
    """Sum of those below, without their sign."""
    squares: float = 0.0
    worse_rows: float = 0

    def add(self, difference: float) -> None:
        """Add a row."""
        self.rows += 1
        self.better += max(difference, 0.0)
        self.worse += max(-difference, 0.0)
        self.squares += difference**2
        self.worse_rows += difference < 0

    def times(self, factor: float) -> QualitySums:
        """Return what so many times these rows would add up to."""
        return QualitySums(
            rows=self.rows * factor,
            better=self.better * factor,
            worse=self.worse * factor,
            squares=self.squares * factor,
            worse_rows=self.worse_rows * factor,
        )

    @property
    def mean(self) -> float:
        """The mean difference; 0 where there is no row."""
        return (self.better - self.worse) / self.rows if self.rows else 0.0

    def bounds(self, low: float, high: float, unseen: float = 1.0) -> Bounds:
        """Return the bounds of the mean.

        Args:
            low: Chance that it lies below the lower bound.
            high: Chance that it lies above the upper bound.
            unseen: Share of all rows that are not among these, 0 to 1.
        """
        if not self.rows:
            return Bounds(-1.0, 1.0)
        root = math.sqrt(unseen)
        lowest, highest = self._edge(-1.0, -NORMAL.inv_cdf(low) * root), self._edge(1.0, -NORMAL.inv_cdf(high) * root)
        if not self.worse_rows:  # a mean of -m needs worse rows in a share of m, at least
            lowest = max(lowest, low ** (1 / self.rows) - 1)
        return Bounds(lowest, highest)

    def _edge(self, end: float, z: float) -> float:
        """Return where a mean is too far from what was seen, towards an end."""
        # Where scores are fractions, rows count as more than they are, since such differences vary less. One row that
        # differs wholly is taken as seen: that none did is no proof.
        factor = (self.better + self.worse + 1) / (self.squares + 1)
        rows, up, down = self.rows * factor, self.better * factor, self.worse * factor

        def far(true: float) -> bool:
            linear = -up - down + (2 * rows - up + down) * true
            root = math.sqrt(max(linear**2 + 8 * rows * down * true * (1 - true), 0.0))
            chance = (root - linear) / (4 * rows)
            variance = rows * (2 * chance + true * (1 - true))
            return abs(up - down - rows * true) > z * math.sqrt(max(variance, 0.0))

        return _edge(far, self.mean, end)


def difference(values: Sequence[float]) -> Interval:
    """Return the mean of paired differences of scores, each from -1 to 1, with its interval at `LEVEL`."""
    sums = QualitySums()
    for value in values:
        sums.add(value)
    bounds = sums.bounds((1 - LEVEL) / 2, (1 - LEVEL) / 2)
    return Interval(sums.mean, *bounds)


def _edge(far: Callable[[float], bool], near: float, end: float) -> float:
    """Return where a difference begins to be too far, between what was seen and an end."""
    if not far(end):
        return end
    for _ in range(40):
        middle = (near + end) / 2
        near, end = (near, middle) if far(middle) else (middle, end)
    return near
