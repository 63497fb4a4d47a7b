"""From what a sample did to what all rows will cost: expected, range and worst case. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from fanwise.journal.records import ArmName, Channel
from fanwise.ledger.forecast import Price
from fanwise.pricing.rates import known_rates
from fanwise.units import now

from .drawn import Drawn
from .estimate import SURE, AgentSum, Observed, by_agent, times
from .rehearsed import Rehearsed
from .simulated import Seen, priced

SHORTER, LONGER = 0.5, 2.0
"""How much shorter or longer a model's answers are taken to be than those of the stand-ins, for the range."""
FEWEST_HITS = 0.3
"""Least share of reads in batches, for the range ("Batch processing", read 2026-11-23)."""

Factors = Mapping[tuple[str, str], tuple[float, float]]
"""By arm and agent: how many times longer real prompts and answers are than simulated ones."""


def sums(found: Seen, drawn: Drawn, rehearsed: Rehearsed, by: Factors, channel: Channel) -> list[AgentSum]:
    """Return what each agent will do for all rows; what all rows share is written once."""
    observed = [_scaled(one, by.get((one.arm, one.agent), (1.0, 1.0)), channel) for one in found.observed]
    whole: list[AgentSum] = []
    for one in by_agent(observed, rehearsed, [row.number for row in drawn.rows], drawn.valid):
        writes = [each for each in found.once if (each.arm, each.agent) == (one.arm, one.agent)]
        five, hour = sum(each.five for each in writes), sum(each.hour for each in writes)
        usage = one.usage._replace(
            cache_write_5m=one.usage.cache_write_5m + five,
            cache_write_1h=one.usage.cache_write_1h + hour,
            cache_read=max(one.usage.cache_read - five - hour, 0),
        )
        cost = replace(one.cost, value=one.cost.value + sum(each.extra for each in writes))
        whole.append(replace(one, usage=usage, cost=cost))
    return whole


def price(channel: Channel, arm: ArmName, agents: Sequence[AgentSum], *, paid: bool) -> Price:
    """Return what one arm will cost.

    Args:
        channel: How its requests travel.
        arm: Which one.
        agents: What its agents will do.
        paid: Whether the answers are those of the models; else they may be shorter or longer.
    """
    mine = [one for one in agents if one.arm == arm]
    expected, error = sum(one.cost.value for one in mine), SURE * sum(one.cost.error for one in mine)
    output = sum(one.output_cost for one in mine)
    shorter, longer = (0.0, 0.0) if paid else (output * (1 - SHORTER), output * (LONGER - 1))
    misses = sum(map(_misses, mine)) if channel == "batch" else 0.0
    low, high = expected - error - shorter, expected + error + longer + misses
    worst = sum(one.bound.value + SURE * one.bound.error for one in mine)
    return Price(
        channel=channel,
        arm=arm,
        expected=round(expected),
        low=max(round(low), 0),
        high=round(high),
        worst=max(round(worst), round(high)),
    )


def _scaled(one: Observed, by: tuple[float, float], channel: Channel) -> Observed:
    """Return what was simulated with prompts and answers as long as the real ones."""
    if by == (1.0, 1.0):
        return one
    moment, usage = now().timestamp(), times(one.usage, *by)
    before = priced(one.usage, one.model, channel, moment) or 1
    scaled = one.cost * priced(usage, one.model, channel, moment) // before
    return replace(one, usage=usage, cost=scaled, output_cost=round(one.output_cost * by[1]))


def _misses(one: AgentSum) -> float:
    """Return what it would cost more if batches found as few entries as they do at worst."""
    rate = known_rates(one.model, now())
    if rate is None:
        return 0.0
    return one.usage.cache_read * (1 - FEWEST_HITS) * (rate.write_5m - rate.read) / 2
