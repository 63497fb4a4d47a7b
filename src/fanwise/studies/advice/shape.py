"""Whether the work of a graph decomposes: what runs at once, how deep it is, what it shares and sends twice."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fanwise.graph.dag import dag, independent_parts, rounds, side_by_side
from fanwise.graph.nodes import GraphSpec
from fanwise.journal.records import ArmName
from fanwise.ledger.advice import WorkShape
from fanwise.ledger.forecast import AgentForecast, Forecast, PlannedChannel

from .candidates import agent_tasks


def work_shape(spec: GraphSpec, forecast: Forecast, channel: PlannedChannel) -> WorkShape:
    """Return the shape of a graph's work.

    Args:
        spec: The graph.
        forecast: Its plan, with the single agent where there can be one.
        channel: The channel of the plan that counts.
    """
    fanout, alone = (_of_arm(forecast, channel, arm) for arm in ("fanout", "baseline"))
    sent = [part for part in forecast.slices if part.arm == "fanout"]
    price, single = forecast.price(channel), forecast.price(channel, "baseline")
    prompts = sum(agent.usage.prompt for agent in fanout)
    return WorkShape(
        agents=len(agent_tasks(spec)),
        at_once=side_by_side(spec),
        depth=rounds(spec),
        per_item=_per_item(spec),
        parts=independent_parts(spec),
        shared=_shared(spec),
        sent=sum(part.tokens for part in sent),
        sent_twice=sum(part.repeated for part in sent),
        read=sum(agent.usage.cache_read for agent in fanout) / prompts if prompts else 0.0,
        tokens=_tokens(fanout) / _tokens(alone) if alone and _tokens(alone) else None,
        usd=price.expected / single.expected if price and single and single.expected else None,
    )


def _of_arm(forecast: Forecast, channel: PlannedChannel, arm: ArmName) -> list[AgentForecast]:
    return [agent for agent in forecast.agents if (agent.channel, agent.arm) == (channel, arm)]


def _tokens(agents: Iterable[AgentForecast]) -> int:
    return sum(agent.usage.prompt + agent.usage.output for agent in agents)


def _per_item(spec: GraphSpec) -> tuple[str, ...]:
    """Return the agents that are inside of an `each`."""
    nodes: Any = dag(spec).nodes
    tasks = [task for _, task in nodes(data=True) if task["kind"] == "agent" and "each" in task["inside"]]
    return tuple(dict.fromkeys(task["node"].target.name for task in tasks))


def _shared(spec: GraphSpec) -> dict[str, tuple[str, ...]]:
    """Return the blocks of context that several agents are shown, by name, with who is."""
    readers: dict[str, dict[str, None]] = {}
    for _, agent in agent_tasks(spec):
        for block in agent.context:
            readers.setdefault(block.name, {})[agent.name] = None
    return {name: tuple(agents) for name, agents in readers.items() if len(agents) > 1}
