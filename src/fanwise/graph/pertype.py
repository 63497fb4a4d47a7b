"""What is made of a type once: what it is made of, how it is validated, whether that calls users' functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar, cast

from pydantic import TypeAdapter

from . import types as ty
from .kinds import Kind, LeafKind, ListKind, MapKind, RecordKind, TupleKind, UnionKind, kind_of

T = TypeVar("T")
_MOST_TYPES = 4_096
_OWN = ("pydantic", "pydantic_core", "fanwise", "operator")
"""Packages whose functions read a value in validation, and do not change what was read before; Pydantic takes the value
of an enum's member by `operator`."""


class PerType(Generic[T]):
    """What a function makes of a type, made once.

    Types are told apart by identity: `int | str` equals `str | int`, and yet another member is tried first.
    """

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self._made: dict[int, tuple[T, Any]] = {}

    def __call__(self, tp: Any) -> T:
        entry = self._made.get(id(tp))
        if entry is None:
            if len(self._made) >= _MOST_TYPES:
                self._made.clear()
            entry = self._made[id(tp)] = self._make(tp), tp  # the type is kept, so that no other gets its id
        return entry[0]


kind: Callable[[Any], Kind] = PerType(kind_of)
adapter: Callable[[Any], TypeAdapter[Any]] = PerType(lambda tp: TypeAdapter(tp))


def _looked_through(tp: Any) -> bool:
    return tp is not ty.Unknown and _calls_users(adapter(tp).core_schema, set())


has_validators: Callable[[Any], bool] = PerType(_looked_through)
"""Whether functions of the user's take part in the validation of a type: a value may not be what was read."""


def _hides(tp: Any, seen: set[Any]) -> bool:
    """Return whether a record in a type has a field that is excluded and has no default."""
    match kind(tp):
        case RecordKind(fields):
            record: Any = ty.strip(tp)
            if record in seen:
                return False
            infos = getattr(record, "model_fields", {}).values()
            inner, seen = list(fields.values()), seen | {record}
            return any(info.exclude and info.is_required() for info in infos) or any(_hides(of, seen) for of in inner)
        case ListKind(item):
            return _hides(item, seen)
        case MapKind(_, value):
            return _hides(value, seen)
        case TupleKind(parts) | UnionKind(parts):
            return any(_hides(part, seen) for part in parts)
        case LeafKind():
            return False


hides_required: Callable[[Any], bool] = PerType(lambda tp: tp is not ty.Unknown and _hides(tp, set()))
"""Whether a value of a type cannot be made of what a model is shown of it: a required field is excluded."""


def _calls_users(schema: object, seen: set[int]) -> bool:
    """Return whether a schema of Pydantic, or a part of it, calls a function of the user's."""
    if id(schema) in seen:
        return False
    seen.add(id(schema))
    if isinstance(schema, Mapping):
        part = cast("Mapping[str, Any]", schema)
        if str(part.get("type", "")).startswith("function-") and not _is_own(part.get("function")):
            return True
        if part.get("post_init") or part.get("custom_init"):
            return True
        return any(_calls_users(value, seen) for name, value in part.items() if name not in _NO_VALIDATION)
    if isinstance(schema, list | tuple):
        return any(_calls_users(value, seen) for value in cast("list[object]", schema))
    return False


_NO_VALIDATION = ("metadata", "serialization")


def _is_own(function: Any) -> bool:
    called: Any = cast("Any", function).get("function") if isinstance(function, Mapping) else function
    module = getattr(called, "__module__", None) or type(getattr(called, "__self__", None)).__module__
    return str(module).partition(".")[0] in _OWN
