"""Canonical JSON: equal values give equal bytes on every machine and in every run.

Sets are sorted, keys are sorted, models and dataclasses become objects by field name, and
everything else takes the form that Pydantic gives it in JSON (Decimal and datetime as text).
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import operator
from collections.abc import Callable, Mapping, Sequence, Set
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import PurePath
from typing import Any, cast
from uuid import UUID

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from fanwise.errors import NoFormError
from fanwise.media import Media

_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode
"""Made once: `json.dumps` with arguments makes one for every call."""
_encode_in_order = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode
quoted: Callable[[str], str] = json.encoder.encode_basestring
"""A text as JSON: what the encoder does with one, without its detours; every task has ten of them."""


_WORDS: dict[object, str] = {None: "null", True: "true", False: "false"}


def plain(value: object) -> Any:
    """Return `value` as JSON-ready data in canonical form.

    Raises:
        NoFormError: A value has no form in JSON, such as a function or a float that is no number.
    """
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return value
    return _form(kind)(value)


@lru_cache(maxsize=1024)
def _form(kind: type) -> Callable[[Any], Any]:
    """Return what brings values of a type into canonical form; remembered, since the question itself is slow."""
    if dataclasses.is_dataclass(kind):
        return _plain_dataclass
    return next((form for base, form in _FORMS if issubclass(kind, base)), _plain_otherwise)


def _plain_float(value: float) -> float:
    if not math.isfinite(value):
        raise NoFormError(f"{value!r} has no form in JSON")
    return value


def _plain_model(value: BaseModel) -> dict[str, Any]:
    return {name: plain(part) for name, part in _fields(value).items()}


def _fields(value: BaseModel) -> dict[str, Any]:
    """Return what a model holds by name, without what it has only remembered, such as a cached property."""
    declared = type(value).model_fields
    fields = {name: part for name, part in value.__dict__.items() if name in declared}
    return fields | (value.__pydantic_extra__ or {})


def _plain_dataclass(value: Any) -> dict[str, Any]:
    return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}


def _plain_mapping(value: Mapping[object, object]) -> dict[str, Any]:
    return {key if type(key) is str else _plain_key(key): plain(part) for key, part in value.items()}


def _plain_key(key: object) -> str:
    text = plain(key)
    return text if isinstance(text, str) else dumps(text)


def _plain_set(value: Set[object]) -> list[Any]:
    return sorted(map(plain, value), key=dumps)


def _plain_sequence(value: Sequence[object]) -> list[Any]:
    return list(map(plain, value))


def _plain_otherwise(value: object) -> Any:
    """Return the form that Pydantic gives a value."""
    try:
        return to_jsonable_python(value)
    except ValueError as error:
        raise NoFormError(f"{type(value).__name__} has no form in JSON") from error


def serialized(value: Any) -> Any:
    """Return a value such that no code of its type is called any more where it is made canonical: equal, and safe.

    A type of the user's may have a serializer that raises, or gives another text each time. What a task's key was made
    of is what is sent. Files stay as they are; most values are returned themselves. Of a model that is not, fields
    that are declared `Field(exclude=True)` are left out.

    Raises:
        NoFormError: A value has no form in JSON.
    """
    if _is_plain(value):
        return value
    match value:
        case BaseModel():
            hidden = _hidden_fields(type(value))  # of a mapping nobody can tell any more what a model may not see
            return {name: serialized(part) for name, part in _fields(value).items() if name not in hidden}
        case Mapping():
            return {_plain_key(key): serialized(part) for key, part in cast("Mapping[Any, Any]", value).items()}
        case str() | bytes() | bytearray() | Set():
            return plain(cast("object", value))
        case Sequence():
            return [serialized(part) for part in cast("Sequence[Any]", value)]
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {field.name: serialized(getattr(value, field.name)) for field in dataclasses.fields(value)}
        case _:
            return plain(value)


def visible(value: Any) -> Any:
    """Return a value as a model may see it: without fields of models that are declared `Field(exclude=True)`.

    A value that hides nothing is returned itself.
    """
    kind = type(cast("object", value))
    if kind in _PLAIN_TYPES:
        return value
    if isinstance(value, BaseModel):
        record = value.__dict__ | (value.__pydantic_extra__ or {})
        hidden = _hidden_fields(type(value))
        shown = {name: visible(part) for name, part in record.items() if name not in hidden}
        return value if _is_same(shown, record) else shown
    if isinstance(value, dict):
        mapping = cast("dict[Any, Any]", value)
        shown = {name: visible(part) for name, part in mapping.items()}
        return cast("object", value) if _is_same(shown, mapping) else shown
    if isinstance(value, list | tuple):
        items = cast("Sequence[Any]", value)
        parts = [visible(part) for part in items]
        return items if all(map(operator.is_, parts, items)) else parts
    return value


@lru_cache(maxsize=1024)
def _hidden_fields(kind: type[BaseModel]) -> frozenset[str]:
    return frozenset(name for name, field in kind.model_fields.items() if field.exclude)


def _is_same(shown: Mapping[Any, Any], parts: Mapping[Any, Any]) -> bool:
    return len(shown) == len(parts) and all(shown[name] is part for name, part in parts.items())


def _is_plain(value: Any) -> bool:
    """Return whether no code of a type of the user's is called where a value is made canonical."""
    kind = type(cast("object", value))
    if kind in _PLAIN_TYPES:
        return True
    if kind is list or kind is tuple:
        return all(map(_is_plain, value))
    if kind is dict:
        return all(type(key) is str and _is_plain(part) for key, part in value.items())
    return isinstance(value, BaseModel) and all(map(_is_plain, (*value.__dict__.values(), value.__pydantic_extra__)))


_PLAIN_TYPES = frozenset(
    {str, int, float, bool, type(None), bytes, Media, Decimal, datetime, date, time, timedelta, UUID}
)


_FORMS: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (float, _plain_float),
    (Media, Media.shown),
    (BaseModel, _plain_model),
    (Mapping, _plain_mapping),
    (Set, _plain_set),
    (PurePath, str),  # Pydantic writes those of the machine alone
    (str, _plain_otherwise),  # these three are sequences too, and are none to us
    (bytes, _plain_otherwise),
    (bytearray, _plain_otherwise),
    (Sequence, _plain_sequence),
)
"""The first base of a type in this list decides on the form of its values."""


def dumps(data: object) -> str:
    """Return JSON-ready data as text: sorted keys, no white space, UTF-8 kept as it is."""
    return _encode(data)


def in_order(data: object) -> str:
    """Return JSON-ready data as text, its keys in the order in which they came."""
    return _encode_in_order(data)


def canonical(value: object) -> str:
    """Return any value as canonical JSON text.

    Raises:
        NoFormError: A value has no form in JSON.
    """
    kind = type(value)
    if kind is str:
        return quoted(cast("str", value))
    if kind is int:
        return repr(value)
    if value is None or kind is bool:
        return _WORDS[value]
    if kind is list:
        return "[" + ",".join(map(canonical, cast("list[object]", value))) + "]"
    members = _members(kind)
    if members is not None and not cast("BaseModel", value).__pydantic_extra__:
        # The most frequent kind of row and of output, written without a detour: every task has some.
        fields = value.__dict__
        return "{" + ",".join([head + canonical(fields[name]) for name, head in members if name in fields]) + "}"
    return _encode(plain(value))


@lru_cache(maxsize=1024)
def _members(kind: type) -> tuple[tuple[str, str], ...] | None:
    """Return the fields of a model in the order of their names, each with its name as JSON; None of another type."""
    if not issubclass(kind, BaseModel):
        return None
    return tuple((name, f"{_encode(name)}:") for name in sorted(kind.model_fields))


def digest(text: str | bytes) -> str:
    """Return the SHA-256 of text (UTF-8) as 64 hexadecimal characters."""
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return hashlib.sha256(data).hexdigest()
