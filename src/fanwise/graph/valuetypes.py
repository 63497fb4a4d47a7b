"""The types of the values in a traced graph, as far as they can be told without a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from . import types as ty
from .expr import Apply, Const, Expr, Get, Make
from .nodes import EachNode, GivenNode, GraphSpec, OptionalNode, TaskNode, Template, WhenNode, parts


def value_types(spec: GraphSpec) -> dict[int, Any]:
    """Return the type of the value in every slot, as far as it is known."""
    types: dict[int, Any] = {slot: spec.param_types[name] for name, slot in spec.params.items()}
    _add_types(spec.template, types)
    return types


def _add_types(template: Template, types: dict[int, Any]) -> None:
    for node in template.nodes:
        match node:
            case TaskNode(target=target):
                types[node.slot] = getattr(target, "output", ty.Unknown) if target.spec is None else target.spec.output
            case EachNode():
                types[node.item] = ty.item_type(type_of(node.over, types)) or ty.Unknown
                _add_types(node.body, types)
                item = type_of(node.body.output, types)
                types[node.slot] = list[item if node.need is None else _or_none(item)]
            case WhenNode():
                for part in parts(node):
                    _add_types(part, types)
                outputs = [type_of(part.output, types) for part in parts(node)]
                types[node.slot] = _or_none(outputs[0]) if node.otherwise is None else _union(outputs)
            case GivenNode():
                types[node.item] = ty.without_none(type_of(node.value, types))
                _add_types(node.body, types)
                types[node.slot] = _or_none(type_of(node.body.output, types))
            case OptionalNode():
                types[node.slot] = _or_none(type_of(node.value, types))


def type_of(expr: Expr, types: Mapping[int, Any]) -> Any:
    """Return the type of an expression's value; `Unknown` where it cannot be told."""
    match expr:
        case Const(value):
            return cast("object", value).__class__
        case Apply():
            return bool
        case Make(kind, items):
            inner: list[Any] = [type_of(item, types) for item in items]
            if kind == "tuple" and inner:
                record: Any = tuple[tuple(inner)]
                return record
            item: Any = _union(inner) if kind == "list" and inner else ty.Unknown
            return ty.Unknown if item is ty.Unknown else list[item]
        case Get(slot, path):
            tp = types.get(slot, ty.Unknown)
            for kind, key in path:
                tp = _part_type(tp, kind, key)
            return tp


def _part_type(tp: Any, kind: str, key: Any) -> Any:
    if kind == "field":
        tp = ty.field_type(tp, key)
        return ty.Unknown if tp is None else tp
    values = ty.value_type(tp)
    return (ty.item_type(tp) or ty.Unknown) if values is None else values


def _or_none(tp: Any) -> Any:
    return tp if tp is ty.Unknown else ty.union([tp, type(None)])


def _union(types: Sequence[Any]) -> Any:
    return ty.Unknown if ty.Unknown in types else ty.union(types)
