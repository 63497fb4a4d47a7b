"""What rows took and what agents will take: one row of a sample, and all rows of a job. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from fanwise.journal.records import ArmName, RoleName
from fanwise.pricing.usage import Usage

from .rehearsed import Yardstick
from .sums import EqualParts, Estimate, Population, Sums

KINDS = ("input", "cache_write_5m", "cache_write_1h", "cache_read", "output")


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
    tasks: int
    """Tasks that are answered by them: those that are asked, and those that are equal to one of these."""
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
    fewest: float = 1.0
    """Share of the calls that are made all the same if answers come out equal, which makes more tasks equal."""


def agent_estimate(
    uses: Mapping[int, RowUse],
    numbers: Mapping[int, float],
    sizes: Yardstick,
    population: Population,
    equal: EqualParts | None = None,
) -> AgentEstimate:
    """Return what one agent will take for all rows.

    Args:
        uses: What it took, by the number of the row; at least one.
        numbers: The rows of the sample, each with the number of rows that it stands for.
        sizes: Its yardstick.
        population: What it is summed over.
        equal: How many of its tasks are equal to others; None: none is.
    """
    example = next(iter(uses.values()))
    whole_sums = Sums(numbers=numbers, sizes=sizes, population=population)
    sums_of_asked = whole_sums if equal is None else whole_sums.with_equals(equal)

    def total(value: Callable[[RowUse], float], sums: Sums = sums_of_asked) -> Estimate:
        return sums.of({number: float(value(use)) for number, use in uses.items()})

    return AgentEstimate(
        arm=example.arm,
        agent=example.agent,
        model=example.model,
        calls=round(total(lambda use: use.calls).value),
        batch_calls=round(total(lambda use: use.batch_calls).value),
        asks=round(total(lambda use: use.asks).value),
        tasks=round(total(lambda use: use.asks, whole_sums).value),
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
