"""Which values a condition can compare with what."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal, cast, get_args, get_origin

from fanwise.graph import types as ty
from fanwise.graph.fits import fits

from .taskplan import Comparison, Value

_EQUALITY = ("==", "!=")
_NUMBERS = (int, float, Decimal)


def needs_value(compare: Comparison) -> bool:
    """Return whether a comparison is of no use with what is missing."""
    return compare not in _EQUALITY


def comparison_fault(tp: Any, compare: Comparison, value: Value) -> str:
    """Return why a value of a type is never compared so; empty where it may be."""
    if ty.unclear(tp):
        return ""
    if value is None:
        return "" if compare in _EQUALITY and ty.may_be_none(tp) else "is never compared with nothing"
    present = ty.without_none(tp)
    if compare in _EQUALITY:
        wanted = float if isinstance(value, float) else Literal[value]
        return "" if any(fits(wanted, member) for member in ty.members(present)) else f"is never {value!r:.60}"
    is_text = isinstance(value, str)
    if isinstance(value, bool) or not all(_is_ordered(member, is_text=is_text) for member in ty.members(present)):
        return f"is not ordered with {value!r:.60}"
    return ""


def _is_ordered(member: Any, *, is_text: bool) -> bool:
    """Return whether all values of a type are texts, or all are numbers."""
    kinds: list[Any] = [type(value) for value in get_args(member)] if get_origin(member) is Literal else [member]
    wanted: tuple[type, ...] = (str,) if is_text else _NUMBERS
    return all(isinstance(kind, type) and _is_of(cast("type[Any]", kind), wanted) for kind in kinds)


def _is_of(kind: type[Any], wanted: tuple[type, ...]) -> bool:
    return issubclass(kind, wanted) and not issubclass(kind, bool)
