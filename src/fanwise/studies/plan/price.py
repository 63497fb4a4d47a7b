"""From what a sample took to what all rows will cost: expected, range and worst case. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from fanwise.journal.records import ArmName, Channel
from fanwise.ledger.account import SharedWrite
from fanwise.ledger.forecast import Price
from fanwise.pricing.rates import known_rates
from fanwise.units import now

from .drawn import Drawn
from .estimate import SURE, AgentEstimate, RowUse, estimate_agents, scaled_usage
from .rehearsed import Rehearsed
from .simulated import LengthFactors, SampleUse, price_of

SHORTER, LONGER = 0.5, 2.0
"""How much shorter or longer a model's answers are taken to be than those of the stand-ins, for the range."""
FEWEST_HITS = 0.3
"""Least share of reads in batches, for the range ("Batch processing", read 2026-11-23)."""


def estimate_job(
    use: SampleUse, drawn: Drawn, rehearsed: Rehearsed, factors: LengthFactors, channel: Channel
) -> list[AgentEstimate]:
    """Return what each agent will take for all rows; what all rows share is written once.

    Args:
        use: What the sample took.
        drawn: The sample.
        rehearsed: The yardstick.
        factors: How much longer real prompts and answers are than those of the sample.
        channel: How requests travel.
    """
    uses = [_scaled(row, factors.get((row.arm, row.agent), (1.0, 1.0)), channel) for row in use.rows]
    agents = estimate_agents(uses, rehearsed, [row.number for row in drawn.rows], drawn.valid)
    return [_with_writes(agent, use.shared_writes) for agent in agents]


def _scaled(use: RowUse, factors: tuple[float, float], channel: Channel) -> RowUse:
    """Return what was simulated with prompts and answers as long as the real ones."""
    if factors == (1.0, 1.0):
        return use
    moment, usage = now().timestamp(), scaled_usage(use.usage, *factors)
    before = price_of(use.usage, use.model, channel, moment) or 1
    cost = use.cost * price_of(usage, use.model, channel, moment) // before
    return replace(use, usage=usage, cost=cost, output_cost=round(use.output_cost * factors[1]))


def _with_writes(agent: AgentEstimate, shared: Iterable[SharedWrite]) -> AgentEstimate:
    """Return an estimate with what was written for all rows, once."""
    writes = [write for write in shared if (write.arm, write.agent) == (agent.arm, agent.agent)]
    five, hour = sum(write.five for write in writes), sum(write.hour for write in writes)
    usage = agent.usage._replace(
        cache_write_5m=agent.usage.cache_write_5m + five,
        cache_write_1h=agent.usage.cache_write_1h + hour,
        cache_read=max(agent.usage.cache_read - five - hour, 0),
    )
    cost = replace(agent.cost, value=agent.cost.value + sum(write.extra for write in writes))
    return replace(agent, usage=usage, cost=cost)


def arm_price(channel: Channel, arm: ArmName, agents: Sequence[AgentEstimate], *, paid: bool) -> Price:
    """Return what one arm will cost.

    Args:
        channel: How its requests travel.
        arm: Which one.
        agents: What the agents of all arms will take.
        paid: Whether the answers are those of the models; else they may be shorter or longer.
    """
    of_arm = [agent for agent in agents if agent.arm == arm]
    expected = sum(agent.cost.value for agent in of_arm)
    error = SURE * sum(agent.cost.error for agent in of_arm)
    output = 0.0 if paid else sum(agent.output_cost for agent in of_arm)
    misses = sum(map(_misses, of_arm)) if channel == "batch" else 0.0
    low = expected - error - output * (1 - SHORTER)
    high = expected + error + output * (LONGER - 1) + misses
    worst = sum(agent.bound.value + SURE * agent.bound.error for agent in of_arm)
    return Price(
        channel=channel,
        arm=arm,
        expected=round(expected),
        low=max(round(low), 0),
        high=round(high),
        worst=max(round(worst), round(high)),
    )


def _misses(agent: AgentEstimate) -> float:
    """Return what an agent would cost more if batches found as few entries as they do at worst."""
    rate = known_rates(agent.model, now())
    if rate is None:
        return 0.0
    return agent.usage.cache_read * (1 - FEWEST_HITS) * (rate.write_5m - rate.read) / 2
