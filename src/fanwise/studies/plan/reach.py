"""How far what models answer reaches: into the prompts of other agents, and into how often these are asked. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from fanwise.graph.dag import answers_behind
from fanwise.graph.nodes import GraphSpec


@dataclass(frozen=True, slots=True)
class Reach:
    """What of an agent's cost depends on the answers of other agents."""

    prompts: bool = False
    """Whether it is shown some."""
    calls: bool = False
    """Whether it is asked for each item of a list that they hold."""


OWN = Reach()


def reach_of(spec: GraphSpec) -> dict[str, Reach]:
    """Return what depends on other agents' answers, by the agent's name."""
    reaches: dict[str, Reach] = {}
    for node, (shown, listed) in answers_behind(spec).items():
        name = next(task.target.name for task in spec.tasks() if task.path == node)
        before = reaches.get(name, OWN)
        reaches[name] = Reach(before.prompts or shown, before.calls or listed)
    return reaches
