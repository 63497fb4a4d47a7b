"""Reading of Python types: fields, items, kinds, what fits where, and how a type is named in a message."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import (
    Annotated,
    Any,
    ForwardRef,
    Literal,
    NewType,
    NotRequired,
    Required,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic import BaseModel, Json
from pydantic.fields import FieldInfo
from typing_extensions import is_typeddict

from fanwise.blocks import Block
from fanwise.media import Media

_MARKS = (Annotated, NotRequired, Required)


class Unknown:
    """The type of a traced value that is not known; it fits everywhere and is asked nothing."""


def strip(tp: Any) -> Any:
    """Return the type without `Annotated` and its like, what a NewType is of, or the value of a PEP 695 alias."""
    while True:
        if get_origin(tp) in _MARKS:
            tp = get_args(tp)[0]
        elif isinstance(tp, NewType):
            tp = tp.__supertype__
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


def is_json_text(tp: Any) -> bool:
    """Return whether the type is that of what stands as JSON inside of a text, Pydantic's `Json[X]`."""
    mark: Any = Json
    return get_origin(tp) is Annotated and any(part is mark or type(part) is mark for part in get_args(tp)[1:])


def holds_media(tp: Any, chain: tuple[Any, ...] = ()) -> bool:
    """Return whether a value of the type may be an image or a PDF, or have one inside."""
    tp = strip(tp)
    if tp is Media:
        return True
    if tp in chain or unclear(tp):
        return False
    match kind_of(tp):
        case UnionKind(members=parts) | TupleKind(items=parts):
            pass
        case RecordKind(fields=fields_):
            parts = tuple(fields_.values())
        case MapKind(key=key, value=value):
            parts = (key, value)
        case ListKind(item=item):
            parts = (item,)
        case LeafKind():
            parts = ()
    return any(holds_media(part, (*chain, tp)) for part in parts)


def members(tp: Any) -> tuple[Any, ...]:
    """Return the members of a union, or the type alone."""
    tp = strip(tp)
    if get_origin(tp) in (Union, types.UnionType):
        return tuple(member for part in get_args(tp) for member in members(part))
    return (tp,)


def is_none(tp: Any) -> bool:
    """Return whether a type is that of None."""
    return tp is None or tp is type(None)


def may_be_none(tp: Any) -> bool:
    """Return whether None is one of the type's values."""
    return any(is_none(member) for member in members(tp))


def without_none(tp: Any) -> Any:
    """Return the type with None taken out of the union."""
    rest = [member for member in members(tp) if not is_none(member)]
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


def field_type(tp: Any, name: str) -> Any | None:
    """Return the type of a record's field, a computed one too, or of one that all members of a union have."""
    tp = strip(tp)
    parts = members(tp)
    if len(parts) > 1:
        types_of_parts = [field_type(part, name) for part in parts]
        return None if None in types_of_parts else union(types_of_parts)
    computed = tp.model_computed_fields if isinstance(tp, type) and issubclass(tp, BaseModel) else {}
    if name in computed:
        return computed[name].return_type
    return (fields(tp) or {}).get(name)


def absent_as_none(tp: Any) -> frozenset[str]:
    """Return the fields of a record whose absence means None, and which are of one type beside that."""
    tp = strip(tp)
    if not isinstance(tp, type):
        return frozenset()
    if issubclass(tp, BaseModel):
        defaults: dict[str, Any] = {name: info.default for name, info in tp.model_fields.items()}
    else:
        defaults = {name: field.default for name, field in getattr(cast("Any", tp), "__dataclass_fields__", {}).items()}
    types = fields(tp) or {}
    return frozenset(
        name for name, default in defaults.items() if default is None and len(members(types.get(name))) == 2
    )


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


@dataclass(frozen=True, slots=True)
class UnionKind:
    """One of several types."""

    members: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class RecordKind:
    """A model, a dataclass or a typed dict: fields by name."""

    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class MapKind:
    """A mapping of keys that are not known beforehand; both types are `Unknown` where it does not name two."""

    key: Any
    value: Any


@dataclass(frozen=True, slots=True)
class TupleKind:
    """So many values, each of its own type."""

    items: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class ListKind:
    """Any number of values of one type: a list, a set, or `tuple[X, ...]`."""

    item: Any


@dataclass(frozen=True, slots=True)
class LeafKind:
    """A type without parts that we look into."""


Kind = UnionKind | RecordKind | MapKind | TupleKind | ListKind | LeafKind
"""What a type is made of: the cases of everything that walks through the types of an answer."""


def kind_of(tp: Any) -> Kind:
    """Return what a type is made of."""
    tp = strip(tp)
    if len(members(tp)) > 1:
        return UnionKind(members(tp))
    record = fields(tp)
    if record is not None:
        return RecordKind(record)
    origin, args = get_origin(tp), get_args(tp)
    if value_type(tp) is not None:
        return MapKind(*args) if len(args) == 2 else MapKind(Unknown, Unknown)
    if origin is tuple and args[-1:] != (Ellipsis,):
        return TupleKind(args)
    if origin in (list, set, frozenset, Sequence, Set, tuple):
        return ListKind(args[0])
    return LeafKind()


def unclear(tp: Any) -> bool:
    """Return whether nothing can be said about the type."""
    tp = strip(tp)
    return tp in (Unknown, Any, object) or isinstance(tp, str | ForwardRef) or hasattr(tp, "__constraints__")


def fits(actual: Any, expected: Any) -> bool:
    """Return whether a value of the type `actual` may stand where `expected` is asked for.

    Literals fit their base type, int fits float, lists are covariant (values never change here).
    """
    return all(any(_member_fits(member, wider) for wider in members(expected)) for member in members(actual))


def _member_fits(actual: Any, expected: Any) -> bool:
    """Return whether a type fits another one, neither of which is a union."""
    if unclear(actual) or unclear(expected) or actual == expected:
        return True
    if is_none(actual) or is_none(expected):
        return is_none(actual) and is_none(expected)
    if get_origin(actual) is Literal or get_origin(expected) is Literal:
        return _literal_fits(actual, expected)
    for part_of in (item_type, value_type):
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


def name(tp: Any) -> str:
    """Return a type as a user would write it."""
    tp = strip(tp)
    if is_none(tp):
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
