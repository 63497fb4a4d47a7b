"""From what a sample took to what all rows will cost: expected, range and worst case. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from fanwise.dispatch.channel import ChannelChoice
from fanwise.journal.records import ArmName, RoleName
from fanwise.ledger.forecast import Price
from fanwise.units import now

from .estimate import AgentEstimate, RowUse, agent_estimate, scaled_usage
from .once import with_once
from .reach import OWN, Reach
from .scale import Scale
from .simulated import LengthFactors
from .sums import Estimate
from .used import SampleUse, prompt_of_call, tokens_price

SHORTER, LONGER = 0.5, 2.0
"""How much shorter or longer a model's answers, and lists in them, are taken to be than those of the stand-ins, for
the range."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """What a sample has cost that was carried out as the job itself would be."""

    cost: int
    """Picodollars."""
    once: int
    """Picodollars that the other rows pay once more where the cache has forgotten by then, and else do not."""


def estimate_job(use: SampleUse, scale: Scale, factors: LengthFactors, channel: ChannelChoice) -> list[AgentEstimate]:
    """Return what each agent will take for all rows; what all rows share is written once.

    Args:
        use: What the sample took.
        scale: How it stands for the job.
        factors: How much longer real prompts and answers are than those of the sample.
        channel: How requests travel.
    """
    by_role: dict[RoleName, dict[int, RowUse]] = {}
    for row in lengthened(use.rows, factors, channel):
        by_role.setdefault(row.role, {})[row.row] = row
    numbers = {row.number: row.weight for row in scale.drawn.rows}
    agents: list[AgentEstimate] = []
    for (arm, agent, _), uses in by_role.items():
        population = scale.population(arm)
        if population.rows:
            sizes = scale.rehearsed.yardstick(arm, agent)
            estimate = agent_estimate(uses, numbers, sizes, population, scale.equal_parts(arm, agent, uses))
            rest = 1 - _share(scale.owed.kept, arm, agent, estimate.tasks)
            perhaps = _share(scale.owed.perhaps, arm, agent, estimate.tasks)
            fewest = scale.fewest(arm, agent, estimate.asks)
            estimate = _part(estimate, rest) if rest < 1 else estimate
            agents.append(replace(estimate, perhaps=perhaps, fewest=fewest))
    return with_once(agents, use.once, scale.levels, scale.owed.alive)


def _share(answers: Mapping[tuple[ArmName, str], int], arm: ArmName, agent: str, tasks: int) -> float:
    """Return of how many of an agent's tasks answers are there, as a share."""
    return min(answers.get((arm, agent), 0) / max(tasks, 1), 1.0)


def lengthened(rows: Iterable[RowUse], factors: LengthFactors, channel: ChannelChoice) -> list[RowUse]:
    """Return what was simulated with prompts and answers as long as the real ones."""
    return [_lengthened(row, factors.get(row.role, (1.0, 1.0)), channel) for row in rows]


def _lengthened(use: RowUse, factors: tuple[float, float], channel: ChannelChoice) -> RowUse:
    if factors == (1.0, 1.0):
        return use
    prompt, output = factors
    moment, usage = now().timestamp(), scaled_usage(use.usage, prompt, output)
    way = channel if channel != "auto" else ("batch" if use.batch_calls * 2 > use.calls else "live")
    before = tokens_price(use.usage, use.model, way, moment, prompt_of_call(use.usage, use.calls)) or 1
    after = tokens_price(usage, use.model, way, moment, prompt_of_call(usage, use.calls))
    return replace(
        use,
        usage=usage,
        cost=use.cost * after // before,
        input_cost=round(use.input_cost * prompt),
        output_cost=round(use.output_cost * output),
        misses_cost=round(use.misses_cost * prompt),
    )


def without_rows(agent: AgentEstimate, rows: Iterable[RowUse], parts: Mapping[int, float]) -> AgentEstimate:
    """Return what an agent will take for the rows that are not among these.

    Args:
        agent: What it will take for all rows.
        rows: What these took, each by itself.
        parts: What counts of each, by its number: equal tasks of several of them were asked once.
    """
    own = [(row, parts.get(row.row, 1.0)) for row in rows if row.role == (agent.arm, agent.agent, agent.model)]
    cost, bound = sum(row.cost * part for row, part in own), sum(row.bound * part for row, part in own)
    return replace(
        agent,
        cost=replace(agent.cost, value=max(agent.cost.value - cost, 0.0)),
        misses_cost=max(agent.misses_cost - sum(row.misses_cost * part for row, part in own), 0.0),
        bound=replace(agent.bound, value=max(agent.bound.value - bound, 0.0)),
    )


def _part(agent: AgentEstimate, share: float) -> AgentEstimate:
    """Return a share of what an agent will take, without what is paid once for all rows."""

    def part(estimate: Estimate) -> Estimate:
        return Estimate(estimate.value * share, estimate.margin * share)

    return replace(
        agent,
        calls=round(agent.calls * share),
        batch_calls=round(agent.batch_calls * share),
        asks=round(agent.asks * share),
        tasks=round(agent.tasks * share),
        usage=scaled_usage(agent.usage, share, share),
        cost=part(agent.cost),
        input_cost=agent.input_cost * share,
        output_cost=agent.output_cost * share,
        misses_cost=agent.misses_cost * share,
        bound=part(agent.bound),
    )


def arm_price(
    channel: ChannelChoice,
    arm: ArmName,
    agents: Iterable[AgentEstimate],
    reaches: Mapping[str, Reach],
    *,
    paid: Paid | None = None,
) -> Price:
    """Return what one arm will cost.

    Args:
        channel: How its requests travel.
        arm: Which one.
        agents: What the agents of all arms will take, without the rows that were paid for.
        reaches: What of its agents' costs depends on the answers of others.
        paid: What the other rows have cost. Their answers are those of the models; else they may be shorter or
            longer, and so what is made of them.
    """
    of_arm = [agent for agent in agents if agent.arm == arm]
    expected = high = worst = 0.0 if paid is None else float(paid.cost)
    low = 0.0 if paid is None else float(paid.cost - paid.once)
    for agent in of_arm:
        reach = OWN if paid is not None else reaches.get(agent.agent, OWN)
        shown = agent.output_cost if paid is None else 0.0
        shown += agent.input_cost if reach.prompts else 0.0
        fewer, more = (SHORTER, LONGER) if reach.calls else (1.0, 1.0)
        expected += agent.cost.value
        shorter = (agent.cost.value - agent.warm_cost - shown * (1 - SHORTER)) * fewer - agent.cost.margin
        low += max(shorter * (1 - agent.perhaps) * agent.fewest, 0.0)
        high += (
            (agent.cost.value + shown * (LONGER - 1) + agent.misses_cost) * more + agent.cost.margin + agent.cold_cost
        )
        worst += (agent.bound.value + agent.bound.margin) * more
    return Price(
        channel=channel,
        arm=arm,
        expected=round(expected),
        low=max(round(low), 0),
        high=round(high),
        worst=max(round(worst), round(high)),
    )
