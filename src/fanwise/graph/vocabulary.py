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
        chosen = list(items)[:most]
        return [fn(item) for item in chosen]
    if not isinstance(items, Ref):
        tracer.found(
            "each",
            f"each() got {label_of(items)}, which is not a traced list",
            "use a plain Python loop over plain values",
        )
        return _unknown(tracer, "each")
    for label, number in (("need", need), ("most", most)):
        if number is not None and (type(number) is not int or number < 1):
            tracer.found("each", f"each({label}={number!r}) is not a whole number of at least 1")
            return _unknown(tracer, "each")
    given = type_of(items)
    item_type = ty.Unknown if ty.unclear(given) else ty.item_type(given)
    if item_type is None:
        hint = "use given(value, lambda v: each(v, ...))" if ty.may_be_none(given) else "each() takes a list"
        tracer.found("each", f"each() over {label_of(items)} ({ty.name(given)}), which is not a list", hint)
        item_type = ty.Unknown
    item = Ref(tracer, Get(tracer.slot(f"{label_of(items)}[]")), item_type, f"{label_of(items)}[]")
    body, result = _body(tracer, lambda: fn(cast("Any", item)))
    path = tracer.path("each")
    slot = tracer.slot(f"each {label_of(items)}")
    tracer.add(EachNode(slot, path, place(), expr_of(items), cast("Get", expr_of(item)).slot, body, need, most))
    inner = type_of(result)
    inner = ty.union([inner, type(None)]) if need is not None and inner is not ty.Unknown else inner
    return Ref(tracer, Get(slot), list[inner], f"each({label_of(items)})")


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
        tracer.found("when", f"when() got {label_of(condition)}, which is known before the run", "use a plain `if`")
        return _unknown(tracer, "when")
    yes, result = _body(tracer, then)
    no, other = _body(tracer, otherwise) if otherwise is not None else (None, None)
    path, slot = tracer.path("when"), tracer.slot(f"when {label_of(condition)}")
    tracer.add(WhenNode(slot, path, place(), expr_of(traced), yes, no))
    kinds = [type_of(result), type_of(other) if otherwise is not None else type(None)]
    kind = ty.Unknown if ty.Unknown in kinds else ty.union(kinds)
    return Ref(tracer, Get(slot), kind, f"when({label_of(condition)})")


def given(value: T | None, fn: Callable[[T], R]) -> R | None:
    """Run `fn` on a value that may be missing; None where it is missing."""
    tracer = active.get()
    if tracer is None:
        return None if value is None else fn(value)
    if not isinstance(value, Ref):
        tracer.found("given", f"given() got {label_of(value)}, which is known before the run", "use a plain `if`")
        return cast("R", _unknown(tracer, "given"))
    inner = ty.without_none(type_of(value)) if not ty.unclear(type_of(value)) else ty.Unknown
    item = Ref(tracer, Get(tracer.slot(label_of(value))), inner, label_of(value))
    body, result = _body(tracer, lambda: fn(cast("Any", item)))
    path, slot = tracer.path("given"), tracer.slot(f"given {label_of(value)}")
    tracer.add(GivenNode(slot, path, place(), expr_of(value), cast("Get", expr_of(item)).slot, body))
    kind = type_of(result)
    kind = ty.Unknown if kind is ty.Unknown else ty.union([kind, type(None)])
    return cast("R", Ref(tracer, Get(slot), kind, f"given({label_of(value)})"))


def optional(value: R) -> R | None:
    """Let a value be missing: where its task fails, the row goes on with None."""
    tracer = active.get()
    if tracer is None:
        return value
    if not isinstance(value, Ref):
        tracer.found(
            "optional", f"optional() got {label_of(value)}, which is no task's output", "pass optional(agent(...))"
        )
        return cast("R", _unknown(tracer, "optional"))
    path, slot = tracer.path("optional"), tracer.slot(f"optional {label_of(value)}")
    tracer.add(OptionalNode(slot, path, place(), expr_of(value)))
    kind = type_of(value)
    kind = ty.Unknown if kind is ty.Unknown else ty.union([kind, type(None)])
    return cast("R", Ref(tracer, Get(slot), kind, label_of(value)))


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
    with tracer.body() as nodes:
        result = fn()
        output: Expr = to_expr(result)
    return tracer.template(nodes, output), result


def _unknown(tracer: Tracer, name: str) -> Any:
    return Ref(tracer, Const(None), ty.Unknown, name)
