"""From a sample to all rows: totals by regression on a yardstick, and how far they may be off.

What a row costs goes with what its rehearsal measures, which is known of many more rows than the
sample has; so the sample says how, and they say how much. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import sqrt
from statistics import fmean

from fanwise.journal.records import ArmName
from fanwise.pricing.usage import Usage

from .rehearsed import Rehearsed

KINDS = ("input", "cache_write_5m", "cache_write_1h", "cache_read", "output")
SURE = 3.0
"""Standard errors on both sides of an expected sum: about 99 % for samples of twenty rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowUse:
    """What one agent took for one row of a sample; what all rows share counts as read."""

    row: int
    arm: ArmName
    agent: str
    model: str
    calls: int
    usage: Usage
    cost: int
    """Picodollars."""
    output_cost: int
    """Of it, for answers."""
    bound: int
    """Picodollars that it might have cost at most."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimated sum over all rows, and its standard error."""

    value: float
    error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentEstimate:
    """What one agent will take for all rows."""

    arm: ArmName
    agent: str
    model: str
    calls: int
    usage: Usage
    cost: Estimate
    """Picodollars."""
    output_cost: float
    """Of it, for answers."""
    bound: Estimate
    """Picodollars that it may cost at most."""


def scale_up(values: Sequence[float], sizes: Sequence[float], count: int, mean_size: float) -> Estimate:
    """Return the sum over all rows of what was seen on some of them.

    Args:
        values: What was seen, a row each; at least one.
        sizes: Sizes of these rows.
        count: All rows.
        mean_size: Their mean size.
    """
    sampled, mean_value, sampled_size = len(values), fmean(values), fmean(sizes)
    if sampled >= count:
        return Estimate(sum(values), 0.0)
    pairs = list(zip(sizes, values, strict=True))
    spread = sum((size - sampled_size) ** 2 for size in sizes)
    slope, leverage = 0.0, 0.0
    if spread:
        slope = sum((size - sampled_size) * (value - mean_value) for size, value in pairs) / spread
        leverage = (mean_size - sampled_size) ** 2 / spread
    residual = sum((value - mean_value - slope * (size - sampled_size)) ** 2 for size, value in pairs)
    total = count * max(mean_value + slope * (mean_size - sampled_size), 0.0)
    degrees_of_freedom = max(sampled - 2, 1)
    share = 1 / sampled - 1 / count + leverage
    return Estimate(total, count * sqrt(residual / degrees_of_freedom * share))


def estimate_agents(
    uses: Sequence[RowUse], rehearsed: Rehearsed, numbers: Sequence[int], count: int
) -> list[AgentEstimate]:
    """Return what each agent will take for all rows.

    Args:
        uses: What was seen.
        rehearsed: The yardstick.
        numbers: The rows of the sample.
        count: All rows.
    """
    by_agent: dict[tuple[str, str, str], dict[int, RowUse]] = {}
    for use in uses:
        by_agent.setdefault((use.arm, use.agent, use.model), {})[use.row] = use
    return [_agent_estimate(rows, rehearsed, numbers, count) for rows in by_agent.values()]


def _agent_estimate(
    rows: Mapping[int, RowUse], rehearsed: Rehearsed, numbers: Sequence[int], count: int
) -> AgentEstimate:
    """Return what one agent will take for all rows, from the rows of the sample for which it was asked."""
    example = next(iter(rows.values()))
    arm, agent = example.arm, example.agent
    sizes = [rehearsed.of(number, arm, agent) for number in numbers]
    mean_size = rehearsed.mean(arm, agent)

    def total(value: Callable[[RowUse], float]) -> Estimate:
        values = [float(value(rows[number])) if number in rows else 0.0 for number in numbers]
        return scale_up(values, sizes, count, mean_size)

    return AgentEstimate(
        arm=arm,
        agent=agent,
        model=example.model,
        calls=round(total(lambda use: use.calls).value),
        usage=Usage(**{kind: round(total(partial(_tokens, kind)).value) for kind in KINDS}),
        cost=total(lambda use: use.cost),
        output_cost=total(lambda use: use.output_cost).value,
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
