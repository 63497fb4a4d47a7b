"""Agents whose inputs could stand together in a request."""

from __future__ import annotations

from collections.abc import Iterator

from fanwise.graph.nodes import GraphSpec
from fanwise.graph.packable import packable_inputs
from fanwise.graph.repacked import repacked

from .candidates import Candidate, agent_tasks


def packs(spec: GraphSpec) -> Iterator[Candidate]:
    """Yield for each agent that may pack inputs and does not the graph in which it does."""
    seen = set[str]()
    for node, agent in agent_tasks(spec):
        inputs = packable_inputs(agent)
        if agent.packs or inputs == 1 or agent.name in seen:
            continue
        seen.add(agent.name)
        yield Candidate(
            kind="pack",
            agents=(agent.name,),
            place=node.place,
            text=f"show {agent.name} up to {inputs} inputs in a request: {agent.name}.options(pack={inputs})",
            basis="planned with full packs; whether answers stay as good is for labelled rows to say",
            graph=repacked(spec, {agent.name: inputs}),
        )
