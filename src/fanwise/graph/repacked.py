"""A graph whose agents show another number of inputs in a request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from .nodes import EachNode, GivenNode, GraphSpec, Node, OptionalNode, Target, TaskNode, Template, WhenNode
from .spec import AgentSpec, PackIntent


def repacked(spec: GraphSpec, inputs: Mapping[str, PackIntent]) -> GraphSpec:
    """Return a graph of which some agents, by their names, show so many inputs in a request."""

    def pack_of(agent: AgentSpec) -> PackIntent:
        return inputs.get(agent.name, agent.pack)

    return replace(spec, template=_template(spec.template, pack_of))


def unpacked(spec: GraphSpec) -> GraphSpec:
    """Return a graph whose agents show an input at a time."""
    return replace(spec, template=_template(spec.template, lambda _: 1))


_PackOf = Callable[[AgentSpec], PackIntent]


def _template(template: Template, pack_of: _PackOf) -> Template:
    return Template(tuple(_nodes(template.nodes, pack_of)), template.output)


def _nodes(nodes: Iterable[Node], pack_of: _PackOf) -> Iterable[Node]:
    for node in nodes:
        match node:
            case TaskNode():
                agent = node.target.spec
                yield node if agent is None else replace(node, target=_Repacked(node.target, agent, pack_of(agent)))
            case EachNode() | GivenNode():
                yield replace(node, body=_template(node.body, pack_of))
            case WhenNode():
                otherwise = None if node.otherwise is None else _template(node.otherwise, pack_of)
                yield replace(node, then=_template(node.then, pack_of), otherwise=otherwise)
            case OptionalNode():
                yield node


class _Repacked:
    """An agent as a graph calls it, with another number of inputs."""

    def __init__(self, target: Target, agent: AgentSpec, pack: PackIntent) -> None:
        self.name, self.body, self.spec = target.name, target.body, replace(agent, pack=pack)

    @property
    def output(self) -> Any:
        """The type of its answers."""
        return self.spec.output
