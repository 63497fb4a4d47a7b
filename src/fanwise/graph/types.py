"""Reading of Python types: fields, items, members of unions, and how a type is named in a message."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping, Sequence
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
from pydantic.json_schema import SkipJsonSchema
from typing_extensions import ReadOnly, is_typeddict

from fanwise.blocks import Block
from fanwise.media import Media

_MARKS = (Annotated, NotRequired, Required, ReadOnly)


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


def marks(tp: Any) -> tuple[Any, ...]:
    """Return what `Annotated` says of a type, also inside of `NotRequired` and its like."""
    said: tuple[Any, ...] = ()
    while get_origin(tp) in _MARKS:
        if get_origin(tp) is Annotated:
            said = (*get_args(tp)[1:], *said)
        tp = get_args(tp)[0]
    return said


def is_block(tp: Any) -> bool:
    """Return whether the type travels as a block of the row: `Annotated[str, Block]`, or an image or PDF."""
    if Media in members(strip(tp)):
        return True
    if get_origin(tp) is not Annotated:
        return False
    return any(mark is Block or isinstance(mark, Block) for mark in get_args(tp)[1:])


def is_record(tp: Any) -> bool:
    """Return whether values of a type are objects with fields."""
    return fields(tp) is not None


def is_text(tp: Any) -> bool:
    """Return whether an answer of the type is a text as it is: `str`, by any name, with any validators."""
    return strip(tp) is str


def is_json_text(tp: Any) -> bool:
    """Return whether the type is that of what stands as JSON inside of a text, Pydantic's `Json[X]`."""
    mark: Any = Json
    return get_origin(tp) is Annotated and any(part is mark or type(part) is mark for part in get_args(tp)[1:])


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


def is_hidden(tp: Any) -> bool:
    """Return whether a field is left out of what a model is asked for, by Pydantic's `SkipJsonSchema`."""
    mark: Any = SkipJsonSchema
    return any(part is mark or type(part) is mark for part in marks(tp))


def is_required(tp: Any, name: str) -> bool:
    """Return whether a record has no value of a field that is not given."""
    record: Any = strip(tp)
    if issubclass(record, BaseModel):
        return record.model_fields[name].is_required()
    if dataclasses.is_dataclass(record):
        field = next(field for field in dataclasses.fields(record) if field.name == name)
        return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    return name in record.__required_keys__


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
    return tp in (Unknown, Any, object) or isinstance(tp, str | ForwardRef) or hasattr(tp, "__constraints__")


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
