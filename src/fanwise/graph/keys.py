"""Keys of what steps return: JSON has texts alone for keys, and only a type says what a key was.

Types that name what their keys are come back, or are refused where the step is defined (`roundtrip`). Where none is
named, as in a bare `dict`, the value itself is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from typing import Any, cast, get_origin

from pydantic import BaseModel

from fanwise.canonical import dumps, plain
from fanwise.errors import NoFormError
from fanwise.foreign import shown

from . import types as ty
from .kinds import LeafKind, ListKind, MapKind, RecordKind, TupleKind, UnionKind
from .pertype import PerType, kind

_CONTAINERS = (Mapping, list, tuple, Set)


def check_keys(tp: Any, value: Any) -> None:
    """Check that the keys in a value of a type come back from JSON as they are.

    Raises:
        NoFormError: One would be a text where it was none, or be lost beside another.
    """
    if not _has_keys(tp):
        return
    match kind(tp):
        case UnionKind(members):
            member = next((part for part in members if _is_instance(value, part)), ty.Unknown)
            check_keys(member, value)
        case RecordKind(fields):
            for name, part in _parts(fields, value).items():
                check_keys(fields.get(name, ty.Unknown), part)
        case MapKind(key, inner) if isinstance(value, Mapping):
            _check_mapping(key, inner, cast("Mapping[Any, Any]", value))
        case TupleKind(items) if isinstance(value, tuple | list):
            for item, part in zip(items, cast("list[Any]", value), strict=False):
                check_keys(item, part)
        case ListKind(item) if isinstance(value, list | tuple | Set):
            for part in cast("list[Any]", value):
                check_keys(item, part)
        case _:
            _check_untyped(value)


def _check_mapping(key: Any, inner: Any, mapping: Mapping[Any, Any]) -> None:
    texts: dict[str, Any] = {}
    for name, part in mapping.items():
        form = plain(name)
        text = form if isinstance(form, str) else dumps(form)
        if text in texts:
            both = f"{shown(texts[text])} and {shown(name)}"
            raise NoFormError(f"its keys {both} are the same text in JSON, so that one would be lost; keep one")
        if not isinstance(name, str) and ty.unclear(key):
            of = f"of the type {type(name).__name__}, and JSON has texts alone for keys"
            raise NoFormError(f"its key {shown(name)} is {of}; name their type, as in dict[int, str], or use texts")
        texts[text] = name
        check_keys(inner, part)


def _check_untyped(value: Any) -> None:
    """Check a value of which no type says what is in it."""
    if isinstance(value, Mapping):
        _check_mapping(ty.Unknown, ty.Unknown, cast("Mapping[Any, Any]", value))
    elif isinstance(value, list | tuple):
        for part in cast("list[Any]", value):
            _check_untyped(part)


def _parts(fields: Mapping[str, Any], record: Any) -> Mapping[str, Any]:
    """Return what a record holds by name, of fields or beside them."""
    if isinstance(record, Mapping):
        return cast("Mapping[str, Any]", record)
    more = record.__pydantic_extra__ if isinstance(record, BaseModel) else None
    return {name: getattr(record, name) for name in fields if hasattr(record, name)} | (more or {})


def _is_instance(value: object, member: Any) -> bool:
    base = get_origin(ty.strip(member)) or ty.strip(member)
    return isinstance(base, type) and base is not object and isinstance(value, base)


def _holds_keys(tp: Any, seen: set[Any]) -> bool:
    """Return whether a value of a type may have keys."""
    tp = ty.strip(tp)
    match kind(tp):
        case RecordKind(fields):
            if tp in seen:
                return False
            return any(_holds_keys(part, seen | {tp}) for part in fields.values())
        case ListKind(item):
            return _holds_keys(item, seen)
        case TupleKind(parts) | UnionKind(parts):
            return any(_holds_keys(part, seen) for part in parts)
        case MapKind():
            return True
        case LeafKind():
            return ty.unclear(tp) or (isinstance(tp, type) and issubclass(tp, _CONTAINERS))


_has_keys: Callable[[Any], bool] = PerType(lambda tp: _holds_keys(tp, set()))
