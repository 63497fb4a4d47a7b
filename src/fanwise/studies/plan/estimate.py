"""From a sample to all rows: totals by regression on a yardstick, and how far they may be off.

What a row costs goes with what its rehearsal measures, which is known of many more rows than the
sample has; so the sample says how, and they say how much (double sampling). Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import sqrt

from fanwise.journal.records import ArmName, RoleName
from fanwise.ledger.intervals import student
from fanwise.pricing.usage import Usage

from .rehearsed import Yardstick

KINDS = ("input", "cache_write_5m", "cache_write_1h", "cache_read", "output")
SURE = 0.99
"""Level of the range of an expected sum."""
FEWEST_DEGREES = 3
"""Degrees of freedom below which a range is no wider: a sample so small says nothing of its own spread."""
UNSEEN_SPREAD = 0.5
"""What rows of a sample too small to show it are taken to differ by, as a share of their mean."""
NOISE = 1e-6
"""Sizes that differ by less, as a share of the largest, are equal: what is left is of the arithmetic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowUse:
    """What one agent took for one row of a sample; what all rows share counts as read."""

    row: int
    arm: ArmName
    agent: str
    model: str
    calls: float
    """Requests; of one that serves several tasks its part."""
    batch_calls: float
    """Of them, those in batches."""
    asks: int
    """Tasks that were asked in them."""
    usage: Usage
    cost: int
    """Picodollars."""
    input_cost: int
    """Of it, for what was neither written nor read."""
    output_cost: int
    """Of it, for answers."""
    misses_cost: int
    """Picodollars that it would cost more if batches read as little as they do at worst."""
    bound: int
    """Picodollars that it might have cost at most."""

    @property
    def role(self) -> RoleName:
        """Who it was."""
        return RoleName(self.arm, self.agent, self.model)


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimated sum over all rows."""

    value: float
    margin: float
    """How far it may be off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentEstimate:
    """What one agent will take for all rows."""

    arm: ArmName
    agent: str
    model: str
    calls: int
    batch_calls: int
    """Of them, those in batches."""
    asks: int
    """Tasks that are asked in them."""
    usage: Usage
    cost: Estimate
    """Picodollars."""
    input_cost: float
    """Of it, for what is neither written nor read."""
    output_cost: float
    """Of it, for answers."""
    misses_cost: float
    """Picodollars that it would cost more if batches read as little as they do at worst."""
    bound: Estimate
    """Picodollars that it may cost at most."""
    cold_cost: float = 0.0
    """Picodollars that it would cost more if the cache had forgotten what it should still have."""
    warm_cost: float = 0.0
    """Picodollars that it would cost less if the cache had what it writes, as a level of another prefix."""
    perhaps: float = 0.0
    """Share of the calls that are not made if answers which are asked again come out as they were."""


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


def agent_estimate(
    uses: Mapping[int, RowUse], numbers: Mapping[int, float], sizes: Yardstick, population: Population
) -> AgentEstimate:
    """Return what one agent will take for all rows.

    Args:
        uses: What it took, by the number of the row; at least one.
        numbers: The rows of the sample, each with the number of rows that it stands for.
        sizes: Its yardstick.
        population: What it is summed over.
    """
    example = next(iter(uses.values()))
    sampled_sizes, weights = [sizes.of(number) for number in numbers], list(numbers.values())

    def total(value: Callable[[RowUse], float]) -> Estimate:
        values = [float(value(uses[number])) if number in uses else 0.0 for number in numbers]
        return scale_up(values, sampled_sizes, weights, population, sizes)

    return AgentEstimate(
        arm=example.arm,
        agent=example.agent,
        model=example.model,
        calls=round(total(lambda use: use.calls).value),
        batch_calls=round(total(lambda use: use.batch_calls).value),
        asks=round(total(lambda use: use.asks).value),
        usage=Usage(**{kind: round(total(partial(_tokens, kind)).value) for kind in KINDS}),
        cost=total(lambda use: use.cost),
        input_cost=total(lambda use: use.input_cost).value,
        output_cost=total(lambda use: use.output_cost).value,
        misses_cost=total(lambda use: use.misses_cost).value,
        bound=total(lambda use: use.bound),
    )


def _tokens(kind: str, use: RowUse) -> int:
    return getattr(use.usage, kind)


def scaled_usage(usage: Usage, prompt: float, output: float) -> Usage:
    """Return a usage with its input and its output scaled."""
    scaled = {
        kind: round(count * (output if kind == "output" else prompt))
        for kind, count in usage._asdict().items()
        if kind in KINDS
    }
    return Usage(**scaled)
