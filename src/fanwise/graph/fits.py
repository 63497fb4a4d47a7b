"""Whether a value of one type may stand where another one is asked for."""

from __future__ import annotations

from typing import Any, Literal, cast, get_args, get_origin

from . import types as ty


def fits(actual: Any, expected: Any) -> bool:
    """Return whether a value of the type `actual` may stand where `expected` is asked for.

    Literals fit their base type, int fits float, lists are covariant (values never change here).
    """
    return all(any(_member_fits(member, wider) for wider in ty.members(expected)) for member in ty.members(actual))


def _member_fits(actual: Any, expected: Any) -> bool:
    """Return whether a type fits another one, neither of which is a union."""
    if ty.unclear(actual) or ty.unclear(expected) or actual == expected:
        return True
    if ty.is_none(actual) or ty.is_none(expected):
        return ty.is_none(actual) and ty.is_none(expected)
    if get_origin(actual) is Literal or get_origin(expected) is Literal:
        return _literal_fits(actual, expected)
    for part_of in (ty.item_type, ty.value_type):
        actual_part, expected_part = part_of(actual), part_of(expected)
        if actual_part is not None and expected_part is not None:
            return fits(actual_part, expected_part)
    return _class_fits(get_origin(actual) or actual, get_origin(expected) or expected)


def _literal_fits(actual: Any, expected: Any) -> bool:
    """Return whether a type fits another one, where one of them names its values."""
    if get_origin(actual) is not Literal:
        return False
    values = get_args(actual)
    if get_origin(expected) is Literal:
        return set(values) <= set(get_args(expected))
    return all(fits(type(value), expected) for value in values)


def _class_fits(actual: Any, expected: Any) -> bool:
    if not isinstance(actual, type) or not isinstance(expected, type):
        return True
    if actual is bool and expected in (int, float):
        return True
    if actual is int and expected is float:
        return True
    try:
        return issubclass(cast("type[Any]", actual), cast("type[Any]", expected))
    except TypeError:
        return True
