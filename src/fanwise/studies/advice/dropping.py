"""Values that a task is passed twice: by themselves, and inside of another value that it is passed too."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from fanwise.graph.expr import Get, evaluate
from fanwise.graph.nodes import GraphSpec, TaskNode
from fanwise.graph.redirect import begins
from fanwise.graph.rewritten import ChangedTarget, rewritten
from fanwise.graph.spec import AgentSpec
from fanwise.graph.types import is_block

from .candidates import Candidate, agent_tasks

T = TypeVar("T")


def drops(spec: GraphSpec) -> Iterator[Candidate]:
    """Yield for each parameter whose value stands inside of another's the graph without it.

    Not where one of the two is a block, which has a place of its own, nor where examples show both or the stand-in is
    asynchronous.
    """
    for node, agent in agent_tasks(spec):
        if agent.examples or inspect.iscoroutinefunction(node.target.body):
            continue
        for param, outer in _inside(node):
            whole, part = node.labels[outer], node.labels[param]
            yield Candidate(
                kind="drop",
                agents=(agent.name,),
                params=(f"{agent.name}({param})",),
                place=node.place,
                text=f"do not pass {part} to {agent.name} as {param}: it is inside of {whole}, passed as {outer}",
                basis="planned without the parameter; the instructions may have to name the field instead",
                graph=_without(spec, node, param, outer),
            )


def _inside(node: TaskNode) -> Iterator[tuple[str, str]]:
    """Yield parameters whose value is a part of another's, or the same as an earlier one's, with that other."""
    gets = {
        param: expr
        for param, expr in node.args.items()
        if isinstance(expr, Get) and param not in node.blocks and not _is_block(node, param)
    }
    names = list(gets)
    for param, get in gets.items():
        for outer, long in gets.items():
            is_repeat = long == get and names.index(outer) < names.index(param)
            if begins(long, get) and (long != get or is_repeat):
                yield param, outer
                break


def _is_block(node: TaskNode, param: str) -> bool:
    agent = node.target.spec
    return agent is not None and is_block(agent.params[param])


def _without(spec: GraphSpec, wanted: TaskNode, param: str, outer: str) -> GraphSpec:
    def change(node: TaskNode) -> TaskNode:
        if node.path != wanted.path or node.target.spec is None:
            return node
        agent = replace(node.target.spec, params=_less(node.target.spec.params, param))
        return replace(
            node,
            target=_narrowed(node, agent, param, outer),
            args=_less(node.args, param),
            labels=_less(node.labels, param),
        )

    return rewritten(spec, change)


def _narrowed(node: TaskNode, agent: AgentSpec, param: str, outer: str) -> ChangedTarget:
    """Return an agent whose stand-in takes the value of a parameter out of another's."""
    own, long, body = node.args[param], node.args[outer], node.target.body
    steps = own.path[len(long.path) :] if isinstance(own, Get) and isinstance(long, Get) else ()

    def stand_in(**values: Any) -> Any:
        return body(**values, **{param: evaluate(Get(0, steps), lambda _: values[outer])})

    return ChangedTarget(node.target, agent, stand_in)


def _less(mapping: Mapping[str, T], name: str) -> dict[str, T]:
    return {key: value for key, value in mapping.items() if key != name}
