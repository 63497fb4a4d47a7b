"""Sums over all rows of what was seen on some: by regression on a yardstick, and how far they may be off.

What a row costs goes with what its rehearsal measures, which is known of many more rows than the
sample has; so the sample says how, and they say how much (double sampling). Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt

from fanwise.ledger.intervals import student

from .rehearsed import Yardstick

SURE = 0.99
"""Level of the range of an expected sum."""
FEWEST_DEGREES = 3
"""Degrees of freedom below which a range is no wider: a sample so small says nothing of its own spread."""
UNSEEN_SPREAD = 0.5
"""What rows of a sample too small to show it are taken to differ by, as a share of their mean."""
NOISE = 1e-6
"""Sizes that differ by less, as a share of the largest, are equal: what is left is of the arithmetic."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimated sum over all rows."""

    value: float
    margin: float
    """How far it may be off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """The rows that are estimated, and those that it is done by; equal rows count once as units."""

    rows: float
    """Rows that the arm is asked for."""
    all_rows: float
    """Rows of the job."""
    units: float
    sampled: int
    """Units in the sample."""
    rehearsed: int
    """Units that were rehearsed, the sample among them."""

    @property
    def is_complete(self) -> bool:
        """Whether nothing is to be estimated: all of them are in the sample."""
        return self.sampled >= self.units and self.rows >= self.all_rows


def scale_up(
    values: Sequence[float], sizes: Sequence[float], weights: Sequence[float], population: Population, all_: Yardstick
) -> Estimate:
    """Return the sum over all rows of what was seen on some of them.

    Args:
        values: What was seen, a row each; at least one.
        sizes: Sizes of these rows.
        weights: How many equal rows each stands for.
        population: What it is summed over.
        all_: The sizes of all rows that were rehearsed.
    """
    mass = sum(weights)

    def mean(numbers: Sequence[float]) -> float:
        return sum(weight * number for weight, number in zip(weights, numbers, strict=True)) / mass

    mean_value, mean_size = mean(values), mean(sizes)
    if population.is_complete:
        return Estimate(population.rows * mean_value, 0.0)
    spread = mean([(size - mean_size) ** 2 for size in sizes])
    slope, apart = 0.0, all_.mean - mean_size
    if spread > (NOISE * max(map(abs, sizes))) ** 2:
        slope = mean([(size - mean_size) * value for size, value in zip(sizes, values, strict=True)]) / spread
    expected = max(mean_value + slope * apart, 0.0)
    pairs = zip(sizes, values, strict=True)
    residual = mean([(value - mean_value - slope * (size - mean_size)) ** 2 for size, value in pairs])
    sampled, degrees = population.sampled, max(population.sampled - 2, 1)
    variance = residual * sampled / degrees
    if sampled < FEWEST_DEGREES:
        variance = max(variance, (UNSEEN_SPREAD * mean_value) ** 2)
    leverage = apart**2 / (spread * sampled) if slope else 0.0
    first_phase = variance * (max(1 / sampled - 1 / population.units, 0.0) + leverage)
    second_phase = slope**2 * all_.variance * max(1 / population.rehearsed - 1 / population.units, 0.0)
    # Rows that are drawn from these again, as the baseline's sample is, are not those of the mean.
    drawn_again = (variance + slope**2 * all_.variance) * max(1 / population.rows - 1 / population.all_rows, 0.0)
    error = population.rows * sqrt(first_phase + second_phase + drawn_again)
    return Estimate(population.rows * expected, student(SURE, max(degrees, FEWEST_DEGREES)) * error)


@dataclass(frozen=True, slots=True, kw_only=True)
class EqualParts:
    """How rows bear what is asked once for several equal tasks: each of these an equal part."""

    tasks: Mapping[int, float]
    """How many a row has, by its number."""
    parts: Mapping[int, float]
    """What is left of one of them, on average, likewise."""
    sizes: Yardstick
    """The sizes of rows, of which each counts as much as is left of its tasks."""
    share: float
    """What is asked of all tasks of the job."""
    different: float | None
    """How many these are; None: that is not known but as a share."""
    off: float
    """How far these may be off, as a share of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Sums over all rows of what was seen on some of them."""

    numbers: Mapping[int, float]
    """The rows of the sample, each with the number of rows that it stands for, or with what these count."""
    sizes: Yardstick
    population: Population
    factor: float = 1.0
    off: float = 0.0
    """How far the factor may be off, as a share of it."""

    def of(self, values: Mapping[int, float]) -> Estimate:
        """Return the sum of values, by the number of the row; a row without one has 0."""
        seen = [values.get(number, 0.0) for number in self.numbers]
        sizes, weights = [self.sizes.of(number) for number in self.numbers], list(self.numbers.values())
        total = scale_up(seen, sizes, weights, self.population, self.sizes)
        value = total.value * self.factor
        return Estimate(value, total.margin * self.factor + value * self.off)

    def with_equals(self, equal: EqualParts) -> Sums:
        """Return the sums of what is asked, where equal tasks are asked once.

        A row counts as much as is left of its tasks: what a task takes is learnt of those that are asked, which may
        be longer than those that repeat others. How many these are is known of the whole file.
        """
        numbers = {number: weight * equal.parts.get(number, 1.0) for number, weight in self.numbers.items()}
        sums = replace(self, numbers=numbers, sizes=equal.sizes)
        asked = equal.share * self.of(equal.tasks).value if equal.different is None else equal.different
        counted = sums.of(equal.tasks).value
        return replace(sums, factor=asked / counted if counted else equal.share, off=equal.off)
