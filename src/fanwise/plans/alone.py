"""`alone`: the single agent as a member of the roster, so that a coordinator can say "do not fan out"."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fanwise.errors import DefinitionError, Mistake
from fanwise.graph.agent import Agent, agent
from fanwise.graph.baseline import LEAST_CAP
from fanwise.graph.graphs import Graph
from fanwise.models import strongest

from .offer import ROW, Offer

ALONE = "alone"
"""Its name."""


def with_alone(goal: str, offer: Offer) -> Offer:
    """Return an offer with the single agent among its agents.

    It is told the goal and the instructions of all agents, is shown the row, and answers what a row's output is. Its
    model is the strongest of theirs, and its cap is never less than theirs: a cap of ours must not cut it off.

    Args:
        goal: What is to be done with each row.
        offer: What a plan may name; its type of output is that of the single agent.

    Raises:
        DefinitionError: An agent has its name.
    """
    agents = offer.by_name()
    if ALONE in agents:
        message = f"agent {ALONE!r} has the name of the single agent, which is one of those that a plan may take"
        raise DefinitionError("agents", (Mistake(agents[ALONE].spec.place, message, "give it another name"),))
    specs = [member.spec for member in agents.values()]

    def alone(row: Any) -> Any:
        raise NotImplementedError

    alone.__annotations__ = {ROW: offer.row, "return": offer.output}
    alone.__doc__ = _instructions(goal, agents)
    single = agent(
        name=ALONE,
        model=strongest([spec.model for spec in specs]),
        max_tokens=max([LEAST_CAP, *(spec.max_tokens for spec in specs)]),
    )(alone)
    return replace(offer, agents={**agents, ALONE: single}, taken=(*offer.taken, ALONE))


def graph_of_alone(offer: Offer) -> Graph[..., Any]:
    """Return the graph in which the single agent of an offer does each row."""
    single = offer.agents[ALONE]

    def alone(row: Any) -> Any:
        return single(row)

    alone.__annotations__ = {ROW: offer.row, "return": offer.output}
    return Graph(alone)


def _instructions(goal: str, agents: Mapping[str, Agent[..., Any]]) -> str:
    """Return what the single agent is told."""
    parts = [goal.strip(), "Do all of it yourself. The agents that could share the work are told:"]
    parts += [f"## {name}\n\n{member.spec.instructions}" for name, member in agents.items()]
    return inspect.cleandoc("\n\n".join(parts))
