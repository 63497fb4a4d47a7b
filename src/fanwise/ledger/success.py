"""Dollars for each successful row, fan-out over single agent, with its interval. Pure; memory does not grow with rows.

It is a ratio of ratios: what a side has cost over how many of its rows succeeded, or over their scores. The interval is
that of its logarithm, by the delta method over rows, with the quantile of Student's t.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations_with_replacement
from operator import mul

from .intervals import LEVEL, Interval, student

SIGNS = (1, -1, -1, 1)
"""Of the fan-out's cost and successes, and of the single agent's: which stand on top of the ratio."""
PAIRS: tuple[tuple[int, int], ...] = tuple(combinations_with_replacement(range(len(SIGNS)), 2))
"""Of these four each two, a product each."""
SQUARES = [SIGNS[first] * SIGNS[second] * (1 if first == second else 2) for first, second in PAIRS]
"""Of each product, its part of the square of a row's influence on the logarithm of the ratio."""


@dataclass(slots=True)
class SuccessSums:
    """What rows add up to: costs and successes of both sides, and the products of each two of them."""

    rows: int = 0
    _sums: list[float] = field(default_factory=lambda: [0] * len(SIGNS))
    _products: list[float] = field(default_factory=lambda: [0] * len(PAIRS))

    def add(
        self,
        fanout: Sequence[float],
        fanout_points: Sequence[float],
        baseline: Sequence[float],
        baseline_points: Sequence[float],
    ) -> None:
        """Add rows: what each cost on each side, in any unit that is the same for both, and what that has bought.

        Points are 1 where it succeeded and else 0, or a score from 0 to 1.
        """
        columns = (fanout, fanout_points, baseline, baseline_points)
        self.rows += len(fanout)
        for place, column in enumerate(columns):
            self._sums[place] += sum(column)
        for place, (first, second) in enumerate(PAIRS):
            self._products[place] += sum(map(mul, columns[first], columns[second]))

    def ratio(self) -> Interval | None:
        """Return dollars for each success, fan-out over single agent; None where a side has no success or no cost."""
        if not all(self._sums):
            return None
        fanout, fanout_good, baseline, baseline_good = self._sums
        value = fanout * baseline_good / (baseline * fanout_good)
        variance = sum(
            part * product / (self._sums[first] * self._sums[second])
            for part, product, (first, second) in zip(SQUARES, self._products, PAIRS, strict=True)
        ) * self.rows / max(self.rows - 1, 1)  # fmt: skip
        half = student(LEVEL, max(self.rows - 1, 1)) * math.sqrt(max(variance, 0.0))
        return Interval(value, value * math.exp(-half), value * math.exp(half))
