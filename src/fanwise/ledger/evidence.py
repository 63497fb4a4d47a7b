"""What rows of both sides add up to, and what it says of price and quality at a level of doubt. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from .looks import Levels
from .price import PriceSums
from .quality import Bounds, QualitySums


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One row on both arms."""

    fanout: float
    """What it cost, in whatever unit."""
    baseline: float
    fanout_score: float
    """0 to 1; 1 where it is right, or answered where there are no labels."""
    baseline_score: float
    fanout_points: float
    """What its dollars have bought: 1 where it counts as successful, else 0; its score where scores are fractions."""
    baseline_points: float
    cut_off: bool = False
    """Whether the single agent's answer was cut off: nothing is known of its quality then."""


@dataclass(slots=True, kw_only=True)
class Evidence:
    """Sums over rows; memory does not grow with them."""

    costs: PriceSums = field(default_factory=PriceSums)
    quality: QualitySums = field(default_factory=QualitySums)
    positive: list[float] = field(default_factory=lambda: [0.0, 0.0])
    """Rows with points, by side."""
    fewest: list[float] = field(default_factory=lambda: [1.0, 1.0])
    """The fewest points of such a row, by side."""

    @classmethod
    def of(cls, pairs: Iterable[Pair]) -> Evidence:
        """Return what rows add up to."""
        evidence = cls()
        for pair in pairs:
            evidence.add(pair)
        return evidence

    def add(self, pair: Pair) -> None:
        """Add a row."""
        self.costs.add(float(pair.fanout), pair.fanout_points, float(pair.baseline), pair.baseline_points)
        for side, points in enumerate((pair.fanout_points, pair.baseline_points)):
            if points > 0:
                self.positive[side] += 1
                self.fewest[side] = min(self.fewest[side], points)
        if not pair.cut_off:
            self.quality.add(pair.fanout_score - pair.baseline_score)

    def times(self, factor: float) -> Evidence:
        """Return what so many times these rows would add up to."""
        positive = [count * factor for count in self.positive]
        costs, quality = self.costs.times(factor), self.quality.times(factor)
        return Evidence(costs=costs, quality=quality, positive=positive, fewest=self.fewest)

    @property
    def rows(self) -> float:
        """How many they are."""
        return self.costs.rows

    @property
    def has_price(self) -> bool:
        """Whether a price can be told: a side has had a success, and both have cost something."""
        fanout, fanout_points, baseline, baseline_points = self.costs.sums
        return min(fanout, baseline) > 0 and max(fanout_points, baseline_points) > 0

    def price(self, levels: Levels, unseen: float) -> Bounds:
        """Return the bounds of dollars for each success, fan-out over single agent.

        Args:
            levels: Chance that it lies below the lower bound (`no`), and above the upper (`yes`).
            unseen: Share of the job's rows that are not among these, 0 to 1.
        """
        if not self.has_price or self.rows < 2:
            return Bounds(0.0, math.inf)
        if self.costs.sums[1] and self.costs.sums[3]:
            return self.costs.bounds(levels, unseen)
        return self._one_sided(levels, unseen)

    def _one_sided(self, levels: Levels, unseen: float) -> Bounds:
        """Return the bounds where one side has no success: by exact binomial ones, and by the price of a row.

        Three things are bounded, so that each has a third of the doubt.
        """
        side = 0 if self.costs.sums[1] else 1
        if not unseen:
            return Bounds(0.0, 0.0) if side == 0 else Bounds(math.inf, math.inf)
        level = (levels.yes if side == 0 else levels.no) / 3
        cost = self.costs.of_rows().bounds(Levels(level, level), unseen)
        most_of_other = 1 - level ** (1 / self.rows)
        least = self.fewest[side] * least_chance(round(self.positive[side]), round(self.rows), level)
        if side == 0:
            return Bounds(0.0, cost.high * most_of_other / least if least else math.inf)
        return Bounds(cost.low * least / most_of_other, math.inf)


def least_chance(successes: int, rows: int, level: float) -> float:
    """Return the lower bound of a chance, by Clopper and Pearson: below it, so many successes are less likely than so.

    Args:
        successes: How many there were.
        rows: In so many rows.
        level: How unlikely.
    """
    low, high = 0.0, successes / rows
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if at_least(successes, rows, middle) < level else (low, middle)
    return low


def at_least(successes: int, rows: int, chance: float) -> float:
    """Return how likely so many successes or more are, exactly."""
    if not 0 < chance < 1:
        return float(chance >= 1 or successes <= 0)
    logs = [
        math.lgamma(rows + 1) - math.lgamma(count + 1) - math.lgamma(rows - count + 1)
        + count * math.log(chance) + (rows - count) * math.log1p(-chance)
        for count in range(successes, rows + 1)
    ]  # fmt: skip
    return math.fsum(math.exp(log) for log in logs)


def largest_share(pairs: Iterable[Pair]) -> float:
    """Return the greatest share, 0 to 1, that one row has of what a side cost."""
    sides = list(zip(*((pair.fanout, pair.baseline) for pair in pairs), strict=True))
    return max((max(costs) / sum(costs) for costs in sides if sum(costs) > 0), default=0.0)
