"""A graph whose agents show another number of inputs in a request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from .nodes import GraphSpec, TaskNode
from .rewritten import ChangedTarget, rewritten
from .spec import AgentSpec, PackIntent


def repacked(spec: GraphSpec, inputs: Mapping[str, PackIntent]) -> GraphSpec:
    """Return a graph of which some agents, by their names, show so many inputs in a request."""
    return _with_packs(spec, lambda agent: inputs.get(agent.name, agent.pack))


def unpacked(spec: GraphSpec) -> GraphSpec:
    """Return a graph whose agents show an input at a time."""
    return _with_packs(spec, lambda _: 1)


def _with_packs(spec: GraphSpec, pack_of: Callable[[AgentSpec], PackIntent]) -> GraphSpec:
    def change(node: TaskNode) -> TaskNode:
        agent = node.target.spec
        if agent is None:
            return node
        return replace(node, target=ChangedTarget(node.target, replace(agent, pack=pack_of(agent))))

    return rewritten(spec, change)
