"""Nodes and expressions that read some values from another place than they were traced with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from .expr import Apply, Const, Expr, Get, Make
from .nodes import EachNode, GivenNode, Node, OptionalNode, TaskNode, Template, WhenNode


def begins(short: Get, long: Get) -> bool:
    """Return whether one value is the other, or a part of it."""
    return short.slot == long.slot and long.path[: len(short.path)] == short.path


def redirected(nodes: Iterable[Node], places: Mapping[Get, Get]) -> tuple[Node, ...]:
    """Return nodes that read some values from elsewhere, each from the place that stands for it."""
    return tuple(_redirected(node, places) for node in nodes)


def _redirected(node: Node, places: Mapping[Get, Get]) -> Node:
    def body(template: Template) -> Template:
        return Template(redirected(template.nodes, places), redirect(template.output, places))

    match node:
        case TaskNode():
            return replace(node, args={param: redirect(expr, places) for param, expr in node.args.items()})
        case EachNode():
            return replace(node, over=redirect(node.over, places), body=body(node.body))
        case WhenNode():
            otherwise = None if node.otherwise is None else body(node.otherwise)
            return replace(node, condition=redirect(node.condition, places), then=body(node.then), otherwise=otherwise)
        case GivenNode():
            return replace(node, value=redirect(node.value, places), body=body(node.body))
        case OptionalNode():
            return replace(node, value=redirect(node.value, places))


def redirect(expr: Expr, places: Mapping[Get, Get]) -> Expr:
    """Return an expression that reads some values from elsewhere."""
    match expr:
        case Get(path=path):
            for old, new in places.items():
                if begins(old, expr):
                    return Get(new.slot, (*new.path, *path[len(old.path) :]))
            return expr
        case Make(kind, items, keys):
            return Make(kind, tuple(redirect(item, places) for item in items), keys)
        case Apply(op, operands):
            return Apply(op, tuple(redirect(operand, places) for operand in operands))
        case Const():
            return expr
