"""Values of which only is known what they follow from, since nobody has been asked yet, and what is made of them. Pure.

Two of them are equal where they follow from equal values in the same way: then the answers will be equal, whatever
they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from fanwise.canonical import canonical, digest, quoted, serialized, visible
from fanwise.graph.expr import Apply, Const, Expr, Make, UnsettledError, evaluate

Lookup = Callable[[int], Any]
"""Gives the value of a slot."""


class Unasked:
    """An answer that is not there yet, or a part of one: every field and item of it is another of these."""

    __slots__ = ("_source",)

    def __init__(self, source: str) -> None:
        self._source = source
        """Hash of what it follows from."""

    def __getattr__(self, name: str) -> Unasked:
        """Return a field of it."""
        return Unasked(digest(f"{self._source}.{name}"))

    def __getitem__(self, key: object) -> Unasked:
        """Return an item of it."""
        return Unasked(digest(f"{self._source}[{key!r}]"))


def source_of(value: Unasked) -> str:
    """Return the hash of what a value follows from."""
    return object.__getattribute__(value, "_source")


def follows_from(*parts: str) -> Unasked:
    """Return the value that follows from these, which are texts of values or hashes."""
    return Unasked(digest("\0".join(parts)))


def holds_unasked(value: Any) -> bool:
    """Return whether a value is not known, or has a part that is not."""
    kind = type(cast("object", value))
    if kind is Unasked:
        return True
    if kind is list or kind is tuple:
        return any(map(holds_unasked, value))
    return kind is dict and any(map(holds_unasked, value.values()))


def spelt(value: Any) -> str:
    """Return a value as a text that equal ones have in common: canonical JSON, with hashes for what is not known.

    What a serializer of the user's raises comes through.
    """
    kind = type(cast("object", value))
    if kind is str:  # by far the most
        return quoted(value)
    if kind is Unasked:
        return f"?{source_of(value)}"
    if not holds_unasked(value):
        return canonical(visible(serialized(value)))
    if isinstance(value, Mapping):
        record = cast("Mapping[Any, Any]", value)
        return "{" + ",".join(sorted(f"{canonical(str(name))}:{spelt(part)}" for name, part in record.items())) + "}"
    return "[" + ",".join(map(spelt, value)) + "]"


def value_of(expr: Expr, lookup: Lookup) -> Any:
    """Return the value of an expression, as far as it is known.

    Args:
        expr: The expression.
        lookup: Gives the value of a slot; may raise `UnsettledError`.

    Raises:
        AbsentError: A field, index or key does not exist, or two values cannot be compared.
    """
    match expr:
        case Make(kind, items, keys):
            values = [value_of(item, lookup) for item in items]
            if kind == "dict":
                return dict(zip(keys, values, strict=True))
            return values if kind == "list" else tuple(values)
        case Apply(op, operands):
            return _applied(op, [value_of(operand, lookup) for operand in operands])
        case _:
            return evaluate(expr, lookup)


def _applied(op: str, values: list[Any]) -> Any:
    """Return a comparison or a combination; what is known may decide it alone."""
    if not holds_unasked(values):
        return evaluate(Apply(op, tuple(map(Const, values))), _no_slots)
    sure = [bool(value) for value in values if not holds_unasked(value)]
    if op == "&" and not all(sure):
        return False
    if op == "|" and any(sure):
        return True
    return follows_from(op, *map(spelt, values))


def _no_slots(slot: int) -> Any:
    raise UnsettledError(slot)
