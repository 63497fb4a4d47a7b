"""The traced graph as data: nodes, templates, and what each task is shown.

A template is what tracing makes of a function: nodes in topological order and the expression of
its result. The body of `each`, `when` and `given` is a template of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from .expr import Expr
from .spec import AgentSpec


class Target(Protocol):
    """What a task carries out: an agent (by a model) or a step (a function, here)."""

    @property
    def name(self) -> str:
        """Name of the agent or the step."""
        ...

    @property
    def body(self) -> Callable[..., Any]:
        """The Python function: the stand-in of an agent, the work of a step."""
        ...

    @property
    def spec(self) -> AgentSpec | None:
        """The agent's settings, or None for a step."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskNode:
    """One call of an agent or a step."""

    slot: int
    path: str
    """Unique name in the graph, such as `draft`, `draft#2` or `inner/draft`."""
    place: str
    target: Target
    args: Mapping[str, Expr]
    """One expression per parameter, in the order of the signature."""
    blocks: Mapping[str, str]
    """Parameters that travel as blocks of the row, with the name of the block."""
    labels: Mapping[str, str]
    """Parameters with the field that is shown, as the user wrote it (`ticket.body`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EachNode:
    """A map over a list that is known only at run time, and its join."""

    slot: int
    path: str
    place: str
    over: Expr
    item: int
    body: Template
    need: int | None
    most: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WhenNode:
    """A branch on a condition."""

    slot: int
    path: str
    place: str
    condition: Expr
    then: Template
    otherwise: Template | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenNode:
    """A body that runs where a value is present."""

    slot: int
    path: str
    place: str
    value: Expr
    item: int
    body: Template


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionalNode:
    """A value that may be missing: a failure upstream becomes None."""

    slot: int
    path: str
    place: str
    value: Expr


Node = TaskNode | EachNode | WhenNode | GivenNode | OptionalNode


@dataclass(frozen=True, slots=True)
class Template:
    """Nodes in topological order, and the result."""

    nodes: tuple[Node, ...]
    output: Expr


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphSpec:
    """A traced graph with its row."""

    name: str
    place: str
    params: Mapping[str, int]
    """Parameter names with their slots, in order."""
    param_types: Mapping[str, Any]
    defaults: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Of the parameters that have one."""
    output_type: Any
    template: Template
    slots: Mapping[int, str] = field(default_factory=dict[int, str])
    """Every slot with the name that a user knows it by."""
    task_plan: str = ""
    """Hash of the task plan that it was compiled from; empty where it was none. It is in no key of a task."""

    def tasks(self) -> tuple[TaskNode, ...]:
        """Return every task node, inner ones included, in topological order."""
        return tuple(node for node in walk(self.template) if isinstance(node, TaskNode))


def parts(node: Node) -> tuple[Template, ...]:
    """Return the templates inside a node, in order."""
    match node:
        case EachNode() | GivenNode():
            return (node.body,)
        case WhenNode():
            return (node.then,) if node.otherwise is None else (node.then, node.otherwise)
        case TaskNode() | OptionalNode():
            return ()


def walk(template: Template) -> Iterator[Node]:
    """Yield every node of a template, each before those inside of it."""
    for node in template.nodes:
        yield node
        for part in parts(node):
            yield from walk(part)


def reads(node: Node) -> tuple[Expr, ...]:
    """Return the expressions that a node itself evaluates, bodies left out."""
    match node:
        case TaskNode():
            return tuple(node.args.values())
        case EachNode():
            return (node.over,)
        case WhenNode():
            return (node.condition,)
        case GivenNode() | OptionalNode():
            return (node.value,)
