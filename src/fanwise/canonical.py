"""Canonical JSON: equal values give equal bytes on every machine and in every run.

Sets are sorted, keys are sorted, models and dataclasses become objects by field name, and
everything else takes the form that Pydantic gives it in JSON (Decimal and datetime as text).
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping, Sequence, Set
from functools import lru_cache
from typing import Any, cast

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from fanwise.media import Media

_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode
"""Made once: `json.dumps` with arguments makes one for every call."""


def plain(value: object) -> Any:
    """Return `value` as JSON-ready data in canonical form.

    Raises:
        TypeError: A value has no form in JSON, such as a function or a float that is no number.
    """
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise TypeError(f"{value!r} has no form in JSON")
        return value
    if isinstance(value, Media):
        return value.shown()
    if isinstance(value, BaseModel):
        known = type(value).model_fields
        fields = {name: item for name, item in value.__dict__.items() if name in known}
        return {name: plain(item) for name, item in (fields | (value.__pydantic_extra__ or {})).items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        mapping = cast("Mapping[object, object]", value)
        return {_key(key): plain(item) for key, item in mapping.items()}
    if isinstance(value, Set):
        items = [plain(item) for item in cast("Set[object]", value)]
        return sorted(items, key=dumps)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray):
        return [plain(item) for item in cast("Sequence[object]", value)]
    try:
        return to_jsonable_python(value)
    except ValueError as error:
        raise TypeError(f"{type(value).__name__} has no form in JSON") from error


def _key(key: object) -> str:
    if isinstance(key, str) and type(key) is str:
        return key
    text = plain(key)
    return text if isinstance(text, str) else dumps(text)


def dumps(data: object) -> str:
    """Return JSON-ready data as text: sorted keys, no white space, UTF-8 kept as it is."""
    return _encode(data)


def canonical(value: object) -> str:
    """Return any value as canonical JSON text.

    Raises:
        TypeError: A value has no form in JSON.
    """
    kind = type(value)
    if kind is str:
        return _encode(value)
    if kind is int:
        return repr(value)
    if value is None or kind is bool:
        return "null" if value is None else "true" if value else "false"
    if kind is list:
        return "[" + ",".join(map(canonical, cast("list[object]", value))) + "]"
    members = _members(kind)
    if members is not None and not cast("BaseModel", value).__pydantic_extra__:
        # The most frequent kind of row and of output, written without a detour: every task has some.
        have = value.__dict__
        return "{" + ",".join([head + canonical(have[name]) for name, head in members if name in have]) + "}"
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
