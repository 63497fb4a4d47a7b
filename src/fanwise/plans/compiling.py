"""A checked plan as a graph: the nodes that a function over the same agents traces to."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from fanwise.errors import DefinitionError
from fanwise.graph.agent import Agent
from fanwise.graph.expr import Get
from fanwise.graph.nodes import EachNode, GivenNode, GraphSpec, Node, Template, WhenNode
from fanwise.graph.reference import Ref, to_expr
from fanwise.graph.tracer import Tracer, active
from fanwise.graph.vocabulary import each, given, when

from .checking import CheckedPlan
from .offer import ITEM, ROW
from .shapes import Call, MaybeMissing, Read

Variables = Mapping[str, Any]
"""Traced values by the names of the variables that hold them."""
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def compile_plan(checked: CheckedPlan, name: str = "plan") -> GraphSpec:
    """Return the graph of a plan: its nodes, paths and keys are those of the frozen file.

    Args:
        checked: The plan.
        name: Name of the graph.

    Raises:
        DefinitionError: An agent cannot be called by the names of its parameters.
    """
    tracer = Tracer()
    variables: dict[str, Any] = {ROW: Ref(tracer, Get(tracer.new_slot(ROW)), checked.offer.row, ROW)}
    agents = _Agents()
    token = active.set(tracer)
    try:
        for call in checked.calls:
            before = len(tracer.bodies[0])
            variables[call.name] = _traced(call, agents.of(call), variables)
            tracer.bodies[0][before:] = [_placed(node, f"tasks[{call.number}]") for node in tracer.bodies[0][before:]]
    finally:
        active.reset(token)
    if tracer.mistakes:
        raise DefinitionError(f"graph {name!r}", tuple(mistake.shown() for mistake in tracer.mistakes))
    return GraphSpec(
        name=name,
        place="task plan",
        params={ROW: 0},
        param_types={ROW: checked.offer.row},
        output_type=checked.output,
        template=tracer.template(tracer.bodies[0], to_expr(_value(checked.result, variables))),
        slots=dict(tracer.slots),
        task_plan=checked.plan.hash,
    )


class _Agents:
    """The agents of calls, those with more context made once for all calls with the same."""

    def __init__(self) -> None:
        self._agents: dict[tuple[str, tuple[str, ...]], Agent[..., Any]] = {}

    def of(self, call: Call) -> Agent[..., Any]:
        """Return the agent of a call."""
        if not call.blocks:
            return call.agent
        key = call.agent.name, tuple(call.blocks)
        if key not in self._agents:
            context = [*call.agent.spec.context, *call.blocks.values()]
            self._agents[key] = call.agent.options(context=context)
        return self._agents[key]


def _traced(call: Call, agent: Agent[..., Any], variables: Variables) -> Any:
    """Add a call to the trace that is going on, with what stands around it; return its result."""

    def ask(inner: Variables) -> Any:
        return agent(**{name: _value(read, inner) for name, read in call.values.items()})

    def item(inner: Variables) -> Any:
        return _guarded(call.item_guards, inner, ask)

    def loop(inner: Variables) -> Any:
        if call.over is None:
            return ask(inner)
        items = _value(call.over, inner)
        bounds: dict[str, Any] = {"need": call.need, "most": call.most}
        return each(items, lambda value: item({**inner, ITEM: value}), **bounds)

    def tested(inner: Variables) -> Any:
        if call.test is None:
            return loop(inner)
        condition = _COMPARE[call.test.compare](_value(call.test.left, inner), call.test.right)
        return when(condition, lambda: loop(inner))

    return _guarded(call.guards, variables, tested)


def _guarded(guards: tuple[MaybeMissing, ...], variables: Variables, then: Callable[[Variables], Any]) -> Any:
    """Return what a function makes of variables, where all values are there that may be missing."""
    if not guards:
        return then(variables)
    first, *rest = guards
    value = _value(first.value, variables)
    return given(value, lambda present: _guarded(tuple(rest), {**variables, first.variable: present}, then))


def _value(read: Read, variables: Variables) -> Any:
    value = variables[read.variable]
    for field in read.path:
        value = getattr(value, field)
    return value


def _placed(node: Node, place: str) -> Node:
    """Return a node, and those inside of it, with the place of their task in the plan."""
    match node:
        case EachNode() | GivenNode():
            return replace(node, place=place, body=_placed_in(node.body, place))
        case WhenNode():
            return replace(node, place=place, then=_placed_in(node.then, place))
        case _:
            return replace(node, place=place)


def _placed_in(template: Template, place: str) -> Template:
    return Template(tuple(_placed(node, place) for node in template.nodes), template.output)
