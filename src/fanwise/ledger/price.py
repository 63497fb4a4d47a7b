"""Dollars for each success, fan-out over single agent, as a verdict must be sure of them. Pure.

The bounds are those of the logarithm by the delta method, with Student's quantile, and are made wider by what few rows
do not show: by what one row more on each side could do that takes `UNSEEN` times as much as the others, by one success
more on each, and by the skewness of the rows (the first term of Edgeworth's). Without these, forty rows that have not
met the expensive ones would decide. `bench/peeking.py` measures how often a word is wrong.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from itertools import combinations_with_replacement, permutations
from math import prod
from operator import add

from .intervals import student
from .looks import Levels
from .quality import Bounds
from .success import PAIRS, SIGNS, SQUARES

UNSEEN = 4
"""Times the mean that a row may take which was not seen."""
_THIRDS: tuple[tuple[int, int, int], ...] = tuple(combinations_with_replacement(range(4), 3))
_STEPS = [(PAIRS.index(places[:2]), places[2]) for places in _THIRDS]
"""Of each product of three, that of its first two, and the third."""
_ORDERS = [Counter(permutations(places)) for places in _THIRDS]
_CUBES = [prod(SIGNS[place] for place in places) * len(orders) for places, orders in zip(_THIRDS, _ORDERS, strict=True)]
"""Of each product of three, its part of the cube of that influence."""
_LEVERS = [sum(SIGNS[first] * SIGNS[second] for first, second, _ in orders) / 2 for orders in _ORDERS]
"""Of each product of three, its part of what a row's own weight hides of its influence, as in `ratio`."""


@dataclass(slots=True, kw_only=True)
class PriceSums:
    """What rows add up to: cost and points of both sides, and the products of each two and three of them."""

    rows: float = 0
    sums: list[float] = field(default_factory=lambda: [0.0] * 4)
    """Cost and points of the fan-out, and of the single agent."""
    products: list[float] = field(default_factory=lambda: [0.0] * len(PAIRS))
    thirds: list[float] = field(default_factory=lambda: [0.0] * len(_THIRDS))

    def add(self, *values: float) -> None:
        """Add a row: the cost and the points of the fan-out, and of the single agent."""
        self.rows += 1
        products = [values[first] * values[second] for first, second in PAIRS]
        self.sums = list(map(add, self.sums, values))
        self.products = list(map(add, self.products, products))
        self.thirds = list(map(add, self.thirds, [products[two] * values[third] for two, third in _STEPS]))

    def times(self, factor: float) -> PriceSums:
        """Return what so many times these rows would add up to."""
        sums, products, thirds = (
            [value * factor for value in part] for part in (self.sums, self.products, self.thirds)
        )
        return PriceSums(rows=self.rows * factor, sums=sums, products=products, thirds=thirds)

    def of_rows(self) -> PriceSums:
        """Return these rows as if each had succeeded on both sides: what a row costs, whatever came of it."""
        moments: dict[tuple[int, ...], float] = dict(
            zip((*PAIRS, *_THIRDS), (*self.products, *self.thirds), strict=True)
        )

        def of(places: tuple[int, ...]) -> float:
            costs = tuple(place for place in places if place in (0, 2))
            return moments[costs] if len(costs) > 1 else self.sums[costs[0]] if costs else self.rows

        return PriceSums(
            rows=self.rows,
            sums=[of((place,)) for place in range(4)],
            products=[of(places) for places in PAIRS],
            thirds=[of(places) for places in _THIRDS],
        )

    def bounds(self, levels: Levels, unseen: float) -> Bounds:
        """Return the bounds of the ratio; both sides have a cost and a success, and there are two rows or more.

        Args:
            levels: Chance that it lies below the lower bound (`no`), and above the upper (`yes`).
            unseen: Share of the job's rows that are not among these, 0 to 1.
        """
        value, deviation, skew = self._shape()
        deviation *= math.sqrt(unseen)
        no, yes = (student(1 - 2 * level, int(self.rows) - 1) for level in (levels.no, levels.yes))
        low = value - (no + max(-skew * (2 * no**2 + 1) / 6, 0.0)) * deviation
        high = value + (yes + max(skew * (2 * yes**2 + 1) / 6, 0.0)) * deviation
        return Bounds(_exp(low), _exp(high))

    def _shape(self) -> tuple[float, float, float]:
        """Return the logarithm of the ratio, its standard deviation, and its skewness."""
        fanout, fanout_points, baseline, baseline_points = self.sums
        value = math.log(fanout * baseline_points / (baseline * fanout_points))
        scales = [1 / total for total in self.sums]
        squares = sum(
            part * product * scales[first] * scales[second]
            for part, product, (first, second) in zip(SQUARES, self.products, PAIRS, strict=True)
        )
        shares = [
            product * scales[first] * scales[second] * scales[third]
            for product, (first, second, third) in zip(self.thirds, _THIRDS, strict=True)
        ]
        levers = sum(part * share for part, share in zip(_LEVERS, shares, strict=True))
        cubes = sum(part * share for part, share in zip(_CUBES, shares, strict=True))
        variance = max((squares + levers) * self.rows / (self.rows - 1), 0.0)
        variance += 2 * (UNSEEN / self.rows) ** 2 + fanout_points**-2 + baseline_points**-2
        return value, math.sqrt(variance), cubes / variance**1.5


def _exp(logarithm: float) -> float:
    return math.exp(logarithm) if logarithm < 700 else math.inf
