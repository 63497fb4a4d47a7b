"""Answers there and back: a value as the JSON text that a model would answer, and that text as a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from functools import lru_cache
from typing import Any, cast, get_args, get_origin

from pydantic import TypeAdapter, ValidationError

from fanwise.canonical import canonical, dumps, plain
from fanwise.errors import OutputError
from fanwise.jsonable import loads

from . import types as ty
from .schema import is_record


def encode(tp: Any, value: object) -> str:
    """Return a value of the output type as the JSON text that a model would answer."""
    wire = _to_wire(tp, value)
    return dumps(wire if is_record(tp) else {"value": wire})


def _to_wire(tp: Any, value: Any) -> Any:
    tp = ty.strip(tp)
    if value is None:
        return None
    if len(ty.members(tp)) > 1:
        fitting = [
            one
            for one in ty.members(tp)
            if isinstance(value, get_origin(one) or one if isinstance(get_origin(one) or one, type) else object)
        ]
        return _to_wire(fitting[0], value) if fitting else plain(value)
    known = ty.fields(tp)
    if known is not None:
        record = cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else None
        return {
            name: _to_wire(inner, record.get(name) if record is not None else getattr(cast("object", value), name))
            for name, inner in known.items()
        }
    if ty.value_type(tp) is not None:
        key, item = get_args(tp)
        pairs = cast("Mapping[Any, Any]", value).items()
        return sorted(({"key": _to_wire(key, k), "value": _to_wire(item, v)} for k, v in pairs), key=canonical)
    if get_origin(tp) is tuple and get_args(tp)[-1:] != (Ellipsis,):
        return {
            f"item_{index}": _to_wire(inner, part)
            for index, (inner, part) in enumerate(zip(get_args(tp), value, strict=True))
        }
    if get_origin(tp) in (list, set, frozenset, Sequence, Set, tuple):
        items = [_to_wire(get_args(tp)[0], item) for item in value]
        return sorted(items, key=dumps) if isinstance(value, Set) else items
    return plain(value)


def decode(tp: Any, text: str) -> Any:
    """Return the value that a model's answer means.

    A fence of three back-ticks around the JSON is taken off; nothing else is repaired.

    Raises:
        OutputError: The text is no JSON or does not fit the type; says where.
    """
    body = text.strip()
    if body.startswith("```") and body.endswith("```") and len(body) > 6:
        body = body[3:-3].removeprefix("json").strip()
    try:
        data = loads(body)
    except (ValueError, RecursionError) as error:
        raise OutputError(f"the answer is not JSON: {error}") from None
    if tp is str or not is_record(tp):
        if not isinstance(data, dict) or set(cast("dict[str, Any]", data)) != {"value"}:
            raise OutputError('the answer is not of the form {"value": ...}')
        data = cast("dict[str, Any]", data)["value"]
    if tp is str and isinstance(data, str) and data.isascii():
        return data  # by far the most; what is not ASCII may hold half a surrogate pair
    value = load(tp, _from_wire(tp, data))
    try:
        canonical(value)
    except TypeError as error:  # such as the number that "nan" is for a float
        raise OutputError(str(error)) from None
    return value


def _from_wire(tp: Any, data: Any) -> Any:
    if data is None or isinstance(data, str | int | float):  # what travels in another form is an object or a list
        return data
    tp = ty.strip(tp)
    if len(ty.members(tp)) > 1:
        present = [member for member in ty.members(tp) if member not in (None, type(None))]
        return _first_fitting(present, data)
    known = ty.fields(tp)
    if known is not None and isinstance(data, dict):
        record = cast("dict[str, Any]", data)
        return {name: _from_wire(known[name], item) if name in known else item for name, item in record.items()}
    if ty.value_type(tp) is not None and isinstance(data, list):
        key, value = get_args(tp)
        pairs = cast("list[Any]", data)
        if all(isinstance(pair, dict) and set(cast("dict[str, Any]", pair)) == {"key", "value"} for pair in pairs):
            return {_hashable(_from_wire(key, pair["key"])): _from_wire(value, pair["value"]) for pair in pairs}
        return pairs
    if get_origin(tp) is tuple and get_args(tp)[-1:] != (Ellipsis,) and isinstance(data, dict):
        record = cast("dict[str, Any]", data)
        return [_from_wire(inner, record.get(f"item_{index}")) for index, inner in enumerate(get_args(tp))]
    if get_origin(tp) in (list, set, frozenset, Sequence, Set, tuple) and isinstance(data, list):
        return [_from_wire(get_args(tp)[0], item) for item in cast("list[Any]", data)]
    return data


def _hashable(value: Any) -> Any:
    return dumps(cast("object", value)) if isinstance(value, dict | list) else value


def _first_fitting(candidates: list[Any], data: Any) -> Any:
    for candidate in candidates:
        translated = _from_wire(candidate, data)
        try:
            _adapter(candidate).validate_python(translated, by_name=True, by_alias=True)
        except ValidationError:
            continue
        return translated
    return data


@lru_cache(maxsize=1024)
def _adapter_cached(tp: Any) -> TypeAdapter[Any]:
    return TypeAdapter(tp)


def _adapter(tp: Any) -> TypeAdapter[Any]:
    try:
        return _adapter_cached(tp)
    except TypeError:  # an annotation that is not hashable
        return TypeAdapter(tp)


def load(tp: Any, data: Any) -> Any:
    """Return JSON-ready data, keyed by field names, as a value of the type.

    Raises:
        OutputError: The data does not fit the type; every place is named.
    """
    if tp is ty.Unknown:
        return data
    try:
        text = dumps(data)
    except ValueError as error:  # NaN, or a number beyond all floats
        raise OutputError(f"the answer holds what JSON does not: {error}") from None
    try:
        return _adapter(tp).validate_json(text, by_name=True, by_alias=True)
    except ValidationError as error:
        places = [f"{'.'.join(map(str, one['loc'])) or 'the value'}: {one['msg']}" for one in error.errors()[:5]]
        raise OutputError("; ".join(places)) from None
