"""Reading of Python types: fields, items, what fits where, and how a type is named in a message."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ForwardRef, Literal, Union, cast, get_args, get_origin, get_type_hints, is_typeddict

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from fanwise.blocks import Block
from fanwise.media import Media


class Unknown:
    """The type of a traced value that is not known; it fits everywhere and is asked nothing."""


def strip(tp: Any) -> Any:
    """Return the type without `Annotated`, or its value for a PEP 695 alias."""
    while True:
        if get_origin(tp) is Annotated:
            tp = get_args(tp)[0]
        elif hasattr(tp, "__value__"):
            tp = tp.__value__
        else:
            return tp


def is_block(tp: Any) -> bool:
    """Return whether the type travels as a block of the row: `Annotated[str, Block]`, or an image or PDF."""
    if Media in members(strip(tp)):
        return True
    if get_origin(tp) is not Annotated:
        return False
    return any(mark is Block or isinstance(mark, Block) for mark in get_args(tp)[1:])


def members(tp: Any) -> tuple[Any, ...]:
    """Return the members of a union, or the type alone."""
    tp = strip(tp)
    if get_origin(tp) in (Union, types.UnionType):
        return tuple(member for part in get_args(tp) for member in members(part))
    return (tp,)


def may_be_none(tp: Any) -> bool:
    """Return whether None is one of the type's values."""
    return any(member in (None, type(None)) for member in members(tp))


def without_none(tp: Any) -> Any:
    """Return the type with None taken out of the union."""
    rest = [member for member in members(tp) if member not in (None, type(None))]
    if len(rest) == len(members(tp)):
        return tp
    return union(rest)


def union(parts: Sequence[Any]) -> Any:
    """Return the union of some types, without repeats."""
    unique = list(dict.fromkeys(parts))
    if not unique:
        return type(None)
    result = unique[0]
    for part in unique[1:]:
        result = Union[result, part]  # noqa: UP007 - built at run time from values
    return result


def fields(tp: Any) -> dict[str, Any] | None:
    """Return the fields of a record type with their types, or None where it has none."""
    tp = strip(tp)
    if not isinstance(tp, type):
        return None
    if issubclass(tp, BaseModel):
        tp.model_rebuild(raise_errors=False)
        return {name: _annotation(info) for name, info in tp.model_fields.items()}
    record = cast("Any", tp)
    if is_typeddict(record):
        return get_type_hints(record, include_extras=True)
    if dataclasses.is_dataclass(record):
        hints = get_type_hints(record, include_extras=True)
        return {field.name: hints[field.name] for field in dataclasses.fields(record)}
    return None


def _annotation(info: FieldInfo) -> Any:
    """Return a field's type with its marks; Pydantic has resolved forward references in it."""
    if not info.metadata:
        return info.annotation
    return Annotated[(info.annotation, *info.metadata)]


def item_type(tp: Any) -> Any | None:
    """Return the type of a list's items, `Unknown` for a bare list, None where it is no list."""
    tp = strip(tp)
    origin, args = get_origin(tp) or tp, get_args(tp)
    if origin is tuple:
        return args[0] if len(args) == 2 and args[1] is Ellipsis else (union(args) if args else Unknown)
    if isinstance(origin, type) and issubclass(origin, Sequence) and not issubclass(origin, str | bytes):
        return args[0] if args else Unknown
    return None


def value_type(tp: Any) -> Any | None:
    """Return the type of a mapping's values, or None where it is no mapping."""
    tp = strip(tp)
    origin, args = get_origin(tp) or tp, get_args(tp)
    if isinstance(origin, type) and issubclass(origin, Mapping) and not is_typeddict(cast("Any", origin)):
        return args[1] if len(args) == 2 else Unknown
    return None


def unclear(tp: Any) -> bool:
    """Return whether nothing can be said about the type."""
    tp = strip(tp)
    return (
        tp is Unknown or tp is Any or tp is object or isinstance(tp, str | ForwardRef) or hasattr(tp, "__constraints__")
    )


def fits(given: Any, wanted: Any) -> bool:
    """Return whether a value of type `given` may stand where `wanted` is asked for.

    Literals fit their base type, int fits float, lists are covariant (values never change here).
    """
    if unclear(given) or unclear(wanted):
        return True
    given_members, wanted_members = members(given), members(wanted)
    if len(given_members) > 1 or len(wanted_members) > 1:
        return all(any(fits(one, other) for other in wanted_members) for one in given_members)
    given, wanted = next(iter(given_members)), next(iter(wanted_members))
    if given == wanted or wanted is object:
        return True
    if given in (None, type(None)) or wanted in (None, type(None)):
        return given in (None, type(None)) and wanted in (None, type(None))
    if get_origin(given) is Literal:
        values = get_args(given)
        if get_origin(wanted) is Literal:
            return set(values) <= set(get_args(wanted))
        return all(fits(type(value), wanted) for value in values)
    if get_origin(wanted) is Literal:
        return False
    given_item, wanted_item = item_type(given), item_type(wanted)
    if given_item is not None and wanted_item is not None:
        return fits(given_item, wanted_item)
    given_value, wanted_value = value_type(given), value_type(wanted)
    if given_value is not None and wanted_value is not None:
        return fits(given_value, wanted_value)
    return _class_fits(get_origin(given) or given, get_origin(wanted) or wanted)


def _class_fits(given: Any, wanted: Any) -> bool:
    if not isinstance(given, type) or not isinstance(wanted, type):
        return True
    if given is bool and wanted in (int, float):
        return True
    if given is int and wanted is float:
        return True
    try:
        return issubclass(cast("type[Any]", given), cast("type[Any]", wanted))
    except TypeError:
        return True


def name(tp: Any) -> str:
    """Return a type as a user would write it."""
    tp = strip(tp)
    if tp is type(None) or tp is None:
        return "None"
    if tp is Unknown:
        return "an unknown type"
    if len(members(tp)) > 1:
        return " | ".join(name(member) for member in members(tp))
    if get_origin(tp) is Literal:
        return f"Literal[{', '.join(repr(value) for value in get_args(tp))}]"
    if get_args(tp):
        return f"{name(get_origin(tp))}[{', '.join('...' if arg is Ellipsis else name(arg) for arg in get_args(tp))}]"
    return getattr(tp, "__name__", str(tp))
