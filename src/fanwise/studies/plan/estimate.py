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

from fanwise.pricing.usage import Usage

from .rehearsed import Rehearsed

KINDS = ("input", "cache_write_5m", "cache_write_1h", "cache_read", "output")
SURE = 3.0
"""Standard errors on both sides of an expected sum: about 99 % for samples of twenty rows."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What one agent did for one row; what all rows share counts as read."""

    row: int
    arm: str
    agent: str
    model: str
    calls: int
    usage: Usage
    cost: int
    """Picodollars."""
    output_cost: int
    """Of it, for answers."""
    bound: int
    """What it might have cost at most."""


@dataclass(frozen=True, slots=True)
class Sum:
    """An estimated sum over all rows, and its standard error."""

    value: float
    error: float


@dataclass(frozen=True, slots=True)
class AgentSum:
    """What one agent will do for all rows."""

    arm: str
    agent: str
    model: str
    calls: int
    usage: Usage
    cost: Sum
    output_cost: float
    bound: Sum


def scale_up(values: Sequence[float], sizes: Sequence[float], count: int, mean_size: float) -> Sum:
    """Return the sum over all rows of what was seen on some of them.

    Args:
        values: What was seen, a row each; at least one.
        sizes: Sizes of these rows.
        count: All rows.
        mean_size: Their mean size.
    """
    seen, value, size = len(values), fmean(values), fmean(sizes)
    if seen >= count:
        return Sum(sum(values), 0.0)
    spread = sum((one - size) ** 2 for one in sizes)
    slope = sum((one - size) * (two - value) for one, two in zip(sizes, values, strict=True)) / spread if spread else 0
    left = sum((two - value - slope * (one - size)) ** 2 for one, two in zip(sizes, values, strict=True))
    total = count * max(value + slope * (mean_size - size), 0.0)
    free = max(seen - 2, 1)
    share = 1 / seen - 1 / count + ((mean_size - size) ** 2 / spread if spread else 0)
    return Sum(total, count * sqrt(left / free * share))


def by_agent(observed: Sequence[Observed], rehearsed: Rehearsed, numbers: Sequence[int], count: int) -> list[AgentSum]:
    """Return what each agent will do for all rows.

    Args:
        observed: What was seen.
        rehearsed: The yardstick.
        numbers: The rows of the sample.
        count: All rows.
    """
    groups: dict[tuple[str, str, str], dict[int, Observed]] = {}
    for one in observed:
        groups.setdefault((one.arm, one.agent, one.model), {})[one.row] = one
    found: list[AgentSum] = []
    for (arm, agent, model), rows in groups.items():
        sizes = [rehearsed.of(number, arm, agent) for number in numbers]
        mean = rehearsed.mean(arm, agent)

        def total(value: Callable[[Observed], float], rows: Mapping[int, Observed] = rows) -> Sum:
            values = [float(value(rows[number])) if number in rows else 0.0 for number in numbers]
            return scale_up(values, sizes, count, mean)  # noqa: B023 - called before the next turn

        usage = Usage(**{kind: round(total(partial(_tokens, kind)).value) for kind in KINDS})
        found.append(
            AgentSum(
                arm,
                agent,
                model,
                round(total(lambda one: one.calls).value),
                usage,
                total(lambda one: one.cost),
                total(lambda one: one.output_cost).value,
                total(lambda one: one.bound),
            )
        )
    return found


def _tokens(kind: str, one: Observed) -> int:
    return getattr(one.usage, kind)


def times(usage: Usage, prompt: float, output: float) -> Usage:
    """Return a usage with its input and its output scaled."""
    scaled = {
        kind: round(count * (output if kind == "output" else prompt))
        for kind, count in usage._asdict().items()
        if kind in KINDS
    }
    return Usage(**scaled)
