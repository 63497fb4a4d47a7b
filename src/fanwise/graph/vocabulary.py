"""The words of a graph beside agents and steps: `each`, `when`, `given`, `optional`, `not_`.

Outside of a trace they do the same on plain values, so that a stand-in body may use them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast, overload

from . import types as ty
from .expr import Apply, Const, Expr, Get
from .nodes import EachNode, GivenNode, OptionalNode, Template, WhenNode
from .reference import Ref, expr_of, label_of, to_expr, type_of
from .signature import place
from .tracer import Tracer, active

T = TypeVar("T")
R = TypeVar("R")
S = TypeVar("S")


@overload
def each(items: Sequence[T], fn: Callable[[T], R], *, need: None = None, most: int | None = None) -> list[R]: ...
@overload
def each(items: Sequence[T], fn: Callable[[T], R], *, need: int, most: int | None = None) -> list[R | None]: ...


def each(items: Sequence[T], fn: Callable[[T], R], *, need: int | None = None, most: int | None = None) -> Any:
    """Map an agent, step, graph or lambda over a list that is known only at run time, and join.

    Args:
        items: A traced list.
        fn: What is done with one item.
        need: Join when at least so many items succeeded; failed items are None, in item order.
            Without it one failed item skips what depends on the join.
        most: Take at most so many items, from the front: a bound for a list that a model made.

    Returns:
        A traced list, one result per item, in item order.
    """
    tracer = active.get()
    if tracer is None:
        return [fn(item) for item in list(items)[:most]]
    label = label_of(items)
    if not isinstance(items, Ref):
        hint = "use a plain Python loop over plain values"
        tracer.add_mistake("each", f"each() got {label}, which is not a traced list", hint)
        return _unknown(tracer, "each")
    for bound, number in (("need", need), ("most", most)):
        if number is not None and (type(number) is not int or number < 1):
            tracer.add_mistake("each", f"each({bound}={number!r}) is not a whole number of at least 1")
            return _unknown(tracer, "each")
    item = Get(tracer.new_slot(f"{label}[]"))
    item_ref = Ref(tracer, item, _item_type(tracer, items), f"{label}[]")
    body, result = _body(tracer, lambda: fn(cast("Any", item_ref)))
    path = tracer.new_path("each")
    slot = tracer.new_slot(f"each {label}")
    tracer.add_node(
        EachNode(
            slot=slot, path=path, place=place(), over=expr_of(items), item=item.slot, body=body, need=need, most=most
        )
    )
    result_type = type_of(result)
    return Ref(tracer, Get(slot), list[result_type if need is None else _or_none(result_type)], f"each({label})")


def _item_type(tracer: Tracer, items: Ref) -> Any:
    """Return the type of one item of what `each` goes over; what is no list is a mistake."""
    over = type_of(items)
    item_type = ty.Unknown if ty.unclear(over) else ty.item_type(over)
    if item_type is not None:
        return item_type
    hint = "use given(value, lambda v: each(v, ...))" if ty.may_be_none(over) else "each() takes a list"
    tracer.add_mistake("each", f"each() over {label_of(items)} ({ty.name(over)}), which is not a list", hint)
    return ty.Unknown


def _or_none(tp: Any) -> Any:
    """Return a type with None as one of its values."""
    return tp if tp is ty.Unknown else ty.union([tp, type(None)])


@overload
def when(condition: bool, then: Callable[[], R]) -> R | None: ...
@overload
def when(condition: bool, then: Callable[[], R], otherwise: Callable[[], S]) -> R | S: ...


def when(condition: bool, then: Callable[[], Any], otherwise: Callable[[], Any] | None = None) -> Any:
    """Run one branch or the other, by a traced condition such as `topic.label == "bug"`.

    Returns:
        The result of the branch taken; None where the condition is false and there is no other.
    """
    tracer = active.get()
    if tracer is None:
        return then() if condition else (otherwise() if otherwise is not None else None)
    traced = cast("object", condition)
    if not isinstance(traced, Ref):
        tracer.add_mistake(
            "when", f"when() got {label_of(condition)}, which is known before the run", "use a plain `if`"
        )
        return _unknown(tracer, "when")
    then_body, result = _body(tracer, then)
    types, else_body = [type_of(result), type(None)], None
    if otherwise is not None:
        else_body, result = _body(tracer, otherwise)
        types[1] = type_of(result)
    path, slot = tracer.new_path("when"), tracer.new_slot(f"when {label_of(condition)}")
    tracer.add_node(
        WhenNode(slot=slot, path=path, place=place(), condition=expr_of(traced), then=then_body, otherwise=else_body)
    )
    result_type = ty.Unknown if ty.Unknown in types else ty.union(types)
    return Ref(tracer, Get(slot), result_type, f"when({label_of(condition)})")


def given(value: T | None, fn: Callable[[T], R]) -> R | None:
    """Run `fn` on a value that may be missing; None where it is missing."""
    tracer = active.get()
    if tracer is None:
        return None if value is None else fn(value)
    if not isinstance(value, Ref):
        tracer.add_mistake("given", f"given() got {label_of(value)}, which is known before the run", "use a plain `if`")
        return cast("R", _unknown(tracer, "given"))
    present_type = ty.Unknown if ty.unclear(type_of(value)) else ty.without_none(type_of(value))
    present = Get(tracer.new_slot(label_of(value)))
    present_ref = Ref(tracer, present, present_type, label_of(value))
    body, result = _body(tracer, lambda: fn(cast("Any", present_ref)))
    path, slot = tracer.new_path("given"), tracer.new_slot(f"given {label_of(value)}")
    tracer.add_node(GivenNode(slot=slot, path=path, place=place(), value=expr_of(value), item=present.slot, body=body))
    return cast("R", Ref(tracer, Get(slot), _or_none(type_of(result)), f"given({label_of(value)})"))


def optional(value: R) -> R | None:
    """Let a value be missing: where its task fails, the row goes on with None."""
    tracer = active.get()
    if tracer is None:
        return value
    if not isinstance(value, Ref):
        tracer.add_mistake(
            "optional", f"optional() got {label_of(value)}, which is no task's output", "pass optional(agent(...))"
        )
        return cast("R", _unknown(tracer, "optional"))
    path, slot = tracer.new_path("optional"), tracer.new_slot(f"optional {label_of(value)}")
    tracer.add_node(OptionalNode(slot=slot, path=path, place=place(), value=expr_of(value)))
    return cast("R", Ref(tracer, Get(slot), _or_none(type_of(value)), label_of(value)))


def not_(condition: bool) -> bool:
    """Return the opposite of a traced condition."""
    tracer = active.get()
    traced = cast("object", condition)
    if tracer is None or not isinstance(traced, Ref):
        return not condition
    return cast("bool", Ref(tracer, Apply("not", (expr_of(traced),)), bool, f"not {label_of(condition)}"))


VOCABULARY = frozenset[Any]({each, when, given, optional, not_})
"""Functions whose result is a traced value, for the reader of the syntax tree."""


def _body(tracer: Tracer, fn: Callable[[], Any]) -> tuple[Template, Any]:
    """Trace a function as an inner template; return that, and what the function returned."""
    with tracer.body() as nodes:
        result = fn()
        output: Expr = to_expr(result)
    return tracer.template(nodes, output), result


def _unknown(tracer: Tracer, name: str) -> Any:
    """Return a traced value of which nothing is known, for what goes on behind a mistake."""
    return Ref(tracer, Const(None), ty.Unknown, name)
