"""Expressions over values that exist only at run time: fields, items, comparisons, containers.

An expression is what tracing leaves behind of the user's Python; `evaluate` computes it for one
row. It knows nothing of tasks or of types.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, cast

Step = tuple[Literal["field", "item"], Any]
"""One step from a value to a part of it: `("field", "body")` or `("item", 0)`."""


@dataclass(frozen=True, slots=True)
class Const:
    """A plain value that the graph function itself supplied."""

    value: Any


@dataclass(frozen=True, slots=True)
class Get:
    """A part of a parameter or of a task's output."""

    slot: int
    path: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Make:
    """A list, tuple or dict with expressions inside."""

    kind: Literal["list", "tuple", "dict"]
    items: tuple[Expr, ...]
    keys: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Apply:
    """A comparison or a combination of conditions."""

    op: str
    operands: tuple[Expr, ...]


Expr = Const | Get | Make | Apply

OPERATORS: dict[str, Callable[..., Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "&": lambda *sides: all(sides),
    "|": lambda *sides: any(sides),
    "not": operator.not_,
}


class AbsentError(Exception):
    """A field or an item that an expression asks for does not exist in this row's value."""


class UnsettledError(Exception):
    """A slot has no value yet, or never will; `slot` says which."""

    def __init__(self, slot: int) -> None:
        super().__init__(slot)
        self.slot = slot


def slots(expr: Expr) -> Iterator[int]:
    """Yield every slot that the expression reads, in order, with repeats."""
    for get in gets(expr):
        yield get.slot


def gets(expr: Expr) -> Iterator[Get]:
    """Yield every reference in the expression, in order, with repeats."""
    if isinstance(expr, Get):
        yield expr
    elif isinstance(expr, Make):
        for item in expr.items:
            yield from gets(item)
    elif isinstance(expr, Apply):
        for operand in expr.operands:
            yield from gets(operand)


def evaluate(expr: Expr, lookup: Callable[[int], Any]) -> Any:
    """Return the value of an expression.

    Args:
        expr: The expression.
        lookup: Gives the value of a slot; may raise `UnsettledError`.

    Raises:
        AbsentError: A field, index or key does not exist, or two values cannot be compared.
    """
    if isinstance(expr, Get):  # by far the most, and a pattern takes three times as long
        value = lookup(expr.slot)
        for kind, key in expr.path:
            value = _part(value, kind, key)
        return value
    match expr:
        case Const(value):
            return value
        case Make(kind, items, keys):
            values = [evaluate(item, lookup) for item in items]
            if kind == "dict":
                return dict(zip(keys, values, strict=True))
            return values if kind == "list" else tuple(values)
        case Apply(op, operands):
            values = [evaluate(operand, lookup) for operand in operands]
            try:
                return OPERATORS[op](*values)
            except TypeError as error:
                raise AbsentError(f"cannot compare: {error}") from None


def _part(value: Any, kind: str, key: Any) -> Any:
    try:
        if kind == "item":
            return value[key]
        return (
            cast("Mapping[Any, Any]", value)[key] if _has_keys(cast("object", value).__class__) else getattr(value, key)
        )
    except (LookupError, AttributeError, TypeError):
        raise AbsentError(
            f"there is no {kind} {key!r} in a value of type {_type_name(cast('object', value))}"
        ) from None


@lru_cache(maxsize=1024)
def _has_keys(kind: type) -> bool:
    """Return whether values of a type have keys; remembered, since the question itself is slow."""
    return issubclass(kind, Mapping)


def _type_name(value: object) -> str:
    return type(value).__name__
