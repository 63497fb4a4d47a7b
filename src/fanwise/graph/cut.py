"""Where a single agent begins and ends in a graph: behind the steps that need the row alone, before the last steps.

Steps cost nothing and are right; an agent that did their work too would be another job. What lies between is the
agent's: all agents, and the steps between them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, make_dataclass
from keyword import iskeyword
from typing import Any

from . import types as ty
from .answerable import problems
from .expr import Const, Expr, Get, gets
from .nodes import (
    EachNode,
    GivenNode,
    GraphSpec,
    Node,
    TaskNode,
    Template,
    parts,
    reads,
    walk,
)
from .redirect import begins
from .valuetypes import type_of, value_types


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A value that the agent gives, or that it is shown of an early step."""

    name: str
    """As an identifier."""
    get: Get
    """Where it stands in the graph."""
    type: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A graph in three parts."""

    early: tuple[Node, ...]
    """Steps that need nothing but the row."""
    middle: tuple[Node, ...]
    """What the agent does."""
    late: tuple[Node, ...]
    """Steps that no agent waits for."""
    shown: tuple[Passed, ...]
    """What of the early steps the middle reads."""
    answer: tuple[Passed, ...]
    """What of the middle the rest reads; empty where the agent gives the result of the graph itself."""
    answer_type: Any


def cut(spec: GraphSpec) -> Cut:
    """Return a graph in three parts; its agents are in the middle."""
    readable = set(spec.params.values())
    early: list[Node] = []
    for node in spec.template.nodes:
        if not _has_agent(node) and _needs(node) <= readable:
            early.append(node)
            readable.add(node.slot)
    rest = [node for node in spec.template.nodes if node not in early]
    middle = _middle(rest)
    late = [node for node in rest if node not in middle]
    types = value_types(spec)
    early_slots, middle_slots = {node.slot for node in early}, {node.slot for node in middle}
    answer = _passed((spec.template.output, *_exprs(late)), middle_slots, spec.slots, types)
    tp = _answer_type(answer)
    if [spec.template.output] == [passed.get for passed in answer]:
        answer, tp, late = (), spec.output_type, []
    elif not answer or ty.unclear(tp) or problems(tp):
        answer, tp, middle, late = (), spec.output_type, rest, []
    shown = _passed(asked(middle, answer, spec), early_slots, spec.slots, types)
    return Cut(
        early=tuple(early), middle=tuple(middle), late=tuple(late), shown=shown, answer=answer, answer_type=tp,
    )  # fmt: skip


def asked(middle: Iterable[Node], answer: Sequence[Passed], spec: GraphSpec) -> Iterator[Expr]:
    """Yield all expressions that an agent has to be able to work out: those of its part, and of the result it gives."""
    yield from _exprs(middle)
    if not answer:
        yield spec.template.output


def _middle(nodes: Sequence[Node]) -> list[Node]:
    """Return the nodes with agents, and those that an agent waits for."""
    awaited: set[int] = set()
    middle: list[Node] = []
    for node in reversed(nodes):
        if _has_agent(node) or node.slot in awaited:
            middle.insert(0, node)
            awaited |= _needs(node)
    return middle


def _has_agent(node: Node) -> bool:
    return any(
        isinstance(inner, TaskNode) and inner.target.spec is not None for inner in walk(Template((node,), Const(None)))
    )


def _exprs(nodes: Iterable[Node]) -> Iterator[Expr]:
    """Yield all expressions of nodes, those inside of them too."""
    for node in nodes:
        yield from reads(node)
        for part in parts(node):
            yield from _exprs(part.nodes)
            yield part.output


def _needs(node: Node) -> set[int]:
    """Return the slots outside of a node that it reads."""
    inside = {inner.slot for part in parts(node) for inner in walk(part)}
    inside |= {inner.item for inner in walk(Template((node,), Const(None))) if isinstance(inner, EachNode | GivenNode)}
    return {get.slot for expr in _exprs([node]) for get in gets(expr)} - inside


def _passed(
    exprs: Iterable[Expr], slots: set[int], names: Mapping[int, str], types: Mapping[int, Any]
) -> tuple[Passed, ...]:
    """Return what expressions read of some slots, in the order of reading; a part of what is read whole is left out."""
    read = list(dict.fromkeys(get for expr in exprs for get in gets(expr) if get.slot in slots))
    outermost = [get for get in read if not any(begins(outer, get) for outer in read if outer != get)]
    passed: dict[str, Passed] = {}
    for get in outermost:
        words = [names.get(get.slot, "value"), *(str(key) for _, key in get.path)]
        name = base = _identifier("_".join(words))
        number = 2
        while name in passed:
            name, number = f"{base}_{number}", number + 1
        passed[name] = Passed(name=name, get=get, type=type_of(get, types))
    return tuple(passed.values())


def _identifier(text: str) -> str:
    name = re.sub(r"\W+", "_", text).strip("_") or "value"
    return name if name.isidentifier() and not iskeyword(name) else f"value_{name}"


def _answer_type(answer: Sequence[Passed]) -> Any:
    """Return the type of an answer: that of its only value, or a record of them."""
    if len(answer) == 1:
        return answer[0].type
    return make_dataclass("Answer", [(passed.name, passed.type) for passed in answer])
