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


def _has_part(schema: object, is_it: Callable[[Mapping[str, Any]], bool], seen: set[int]) -> bool:
    """Return whether a schema of Pydantic, or a part of it that takes part in validation, is of some kind."""
    if id(schema) in seen:
        return False
    seen.add(id(schema))
    if isinstance(schema, Mapping):
        part = cast("Mapping[str, Any]", schema)
        if is_it(part):
            return True
        return any(_has_part(value, is_it, seen) for name, value in part.items() if name not in _NO_VALIDATION)
    if isinstance(schema, list | tuple):
        return any(_has_part(value, is_it, seen) for value in cast("list[object]", schema))
    return False


_NO_VALIDATION = ("metadata", "serialization")
_RECORDS = ("model-fields", "typed-dict", "dataclass-args")


def _holds(is_it: Callable[[Mapping[str, Any]], bool]) -> Callable[[Any], bool]:
    """Return whether the schema of a type has a part of some kind, found once a type."""
    return PerType(lambda tp: tp is not ty.Unknown and _has_part(adapter(tp).core_schema, is_it, set()))


def _calls_validator(part: Mapping[str, Any]) -> bool:
    """Return whether a part of a schema calls a function of the user's to read a value."""
    if str(part.get("type", "")).startswith("function-") and not _is_own(part.get("function")):
        return True
    return bool(part.get("post_init") or part.get("custom_init"))


def _calls_serializer(part: Mapping[str, Any]) -> bool:
    """Return whether a part of a schema calls a function of the user's to write a value."""
    writing = part.get("serialization")
    if not isinstance(writing, Mapping):
        return False
    how = cast("Mapping[str, Any]", writing)
    return str(how.get("type", "")).startswith("function-") and not _is_own(how.get("function"))


def _borrows_names(part: Mapping[str, Any]) -> bool:
    """Return whether a part of a schema is a record with a field that is read of the name of another one."""
    fields: Any = part.get("fields") if part.get("type") in _RECORDS else None
    if part.get("type") == "dataclass-args":
        fields = {field.get("name"): field for field in cast("list[Mapping[str, Any]]", fields)}
    if not isinstance(fields, Mapping):
        return False
    named = cast("Mapping[str, Mapping[str, Any]]", fields)
    return any((_first_keys(field.get("validation_alias")) - {name}) & named.keys() for name, field in named.items())


def _first_keys(alias: Any) -> set[Any]:
    """Return the names in a record of which a field is read: of an alias, of each path of keys, or of its choices."""
    if alias is None or isinstance(alias, str):
        return {alias} - {None}
    paths = cast("list[Any]", alias)
    return {path[0] for path in paths if path} if isinstance(paths[0], list) else {paths[0]}


has_validators = _holds(_calls_validator)
"""Whether functions of the user's take part in the validation of a type: a value may not be what was read."""
has_serializers = _holds(_calls_serializer)
"""Whether functions of the user's write a value of a type, or a part of it, where Pydantic is asked to."""
borrows_names = _holds(_borrows_names)
"""Whether a record in a type has a field that is read of the name of another field: then data that is keyed by names is
read by names alone."""


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


def _is_own(function: Any) -> bool:
    called: Any = cast("Any", function).get("function") if isinstance(function, Mapping) else function
    module = getattr(called, "__module__", None) or type(getattr(called, "__self__", None)).__module__
    return str(module).partition(".")[0] in _OWN
