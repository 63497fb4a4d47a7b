"""A graph with some of its tasks changed or left out; everything else stays as it was traced."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from .nodes import EachNode, GivenNode, GraphSpec, OptionalNode, Target, TaskNode, Template, WhenNode
from .spec import AgentSpec

ChangeTask = Callable[[TaskNode], TaskNode | None]
"""Gives what stands in the place of a task; None: nothing does, and whoever reads it must be changed too."""


def rewritten(spec: GraphSpec, change: ChangeTask) -> GraphSpec:
    """Return a graph whose tasks, inner ones included, are what a function gives for them."""
    return replace(spec, template=_template(spec.template, change))


def _template(template: Template, change: ChangeTask) -> Template:
    return Template(tuple(_nodes(template, change)), template.output)


def _nodes(
    template: Template, change: ChangeTask
) -> Iterator[TaskNode | EachNode | WhenNode | GivenNode | OptionalNode]:
    for node in template.nodes:
        match node:
            case TaskNode():
                changed = change(node)
                if changed is not None:
                    yield changed
            case EachNode() | GivenNode():
                yield replace(node, body=_template(node.body, change))
            case WhenNode():
                otherwise = None if node.otherwise is None else _template(node.otherwise, change)
                yield replace(node, then=_template(node.then, change), otherwise=otherwise)
            case OptionalNode():
                yield node


class ChangedTarget:
    """An agent as a graph calls it, with other settings and perhaps another stand-in."""

    def __init__(self, target: Target, agent: AgentSpec, body: Callable[..., Any] | None = None) -> None:
        self.name, self.body, self.spec = agent.name, body or target.body, agent

    @property
    def output(self) -> Any:
        """The type of its answers."""
        return self.spec.output
