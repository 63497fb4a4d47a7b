"""The ratio of two sums over the same rows, with its interval. Pure; memory does not grow with the rows.

The interval is that of the ratio's logarithm by the delta method: a row moves the logarithm by `f/F - b/B`, its
parts of both sums. A row that carries much of a sum draws the ratio towards itself, so that what it seems to move is
too little; therefore its square counts `1 + f/F + b/B` times. Both sides enter alike, so that swapping them inverts
the interval. `bench/coverage.py` measures how often it holds the truth; `docs/decisions/` has the reasons.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul
from typing import NamedTuple

from .intervals import LEVEL, student

LEAST_ROWS = 5
"""Below so many rows no interval is given."""
FEW_ROWS = 0.25
"""Where one row has a greater share of a sum than this, few rows carry the bill."""


class Ratio(NamedTuple):
    """A ratio with its interval at `LEVEL`."""

    value: float
    low: float | None
    """None: there are fewer than `LEAST_ROWS` rows, or nothing on top."""
    high: float | None


@dataclass(slots=True, kw_only=True)
class PairedSums:
    """What rows add up to on two sides, in whole numbers: sums, products of two and of three."""

    rows: int = 0
    top: int = 0
    bottom: int = 0
    most_top: int = 0
    """The largest row on top."""
    most_bottom: int = 0
    _tt: int = 0
    _tb: int = 0
    _bb: int = 0
    _ttt: int = 0
    _ttb: int = 0
    _tbb: int = 0
    _bbb: int = 0

    def add(self, tops: Sequence[int], bottoms: Sequence[int]) -> None:
        """Add rows, in any unit that is the same for both sides: what each took on top, and what below.

        Many at a time take a tenth of what they take one by one.
        """
        top_squares = products = bottom_squares = [*map(mul, tops, tops)]
        if bottoms is not tops:  # else a graph of one agent, whose sides are one
            products, bottom_squares = [*map(mul, tops, bottoms)], [*map(mul, bottoms, bottoms)]
        self.rows += len(tops)
        self.top += sum(tops)
        self.bottom += sum(bottoms)
        self.most_top = max(self.most_top, max(tops, default=0))
        self.most_bottom = max(self.most_bottom, max(bottoms, default=0))
        self._tt += sum(top_squares)
        self._tb += sum(products)
        self._bb += sum(bottom_squares)
        self._ttt += sum(map(mul, top_squares, tops))
        self._ttb += sum(map(mul, top_squares, bottoms))
        self._tbb += sum(map(mul, products, bottoms))
        self._bbb += sum(map(mul, bottom_squares, bottoms))

    def ratio(self) -> Ratio | None:
        """Return the sum on top over the other; None where that is nothing."""
        if self.bottom <= 0:
            return None
        value = self.top / self.bottom
        if self.rows < LEAST_ROWS or self.top <= 0:
            return Ratio(value, None, None)
        half = student(LEVEL, self.rows - 1) * math.sqrt(self._variance())
        return Ratio(value, value * math.exp(-half), value * math.exp(half))

    def largest_share(self) -> float:
        """Return the greatest share, 0 to 1, that one row has of the sum of a side."""
        sides = ((self.most_top, self.top), (self.most_bottom, self.bottom))
        return max((most / whole for most, whole in sides if whole > 0), default=0.0)

    def _variance(self) -> float:
        """Return the variance of the logarithm of the ratio, from whole numbers up to the last division."""
        top, bottom = self.top, self.bottom
        squares = self._tt * bottom**2 - 2 * self._tb * top * bottom + self._bb * top**2
        thirds = (
            self._ttt * bottom**3 - self._ttb * top * bottom**2 - self._tbb * top**2 * bottom + self._bbb * top**3
        )  # fmt: skip
        return max((squares * top * bottom + thirds) / (top * bottom) ** 3, 0.0)
