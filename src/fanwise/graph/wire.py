"""How an answer travels: a JSON schema that the API can carry, and the way there and back.

Every field is required, a dict is a list of pairs, a tuple an object, Decimal and dates are
text, and an answer that is no record is wrapped in `{"value": ...}`. What the API cannot carry
is refused with its path. Limits: platform.claude.com, page "Structured outputs", read 2026-11-23
(no recursion, 24 optional and 16 union parameters, no numeric or length constraints).
"""

from __future__ import annotations

import datetime as dt
import enum
import json
from collections.abc import Mapping, Sequence, Set
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, Literal, TypeVar, cast, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from fanwise.canonical import canonical, dumps, plain
from fanwise.errors import OutputError

from . import types as ty

UNION_LIMIT = 16
_TEXTS: dict[Any, tuple[str | None, str]] = {
    Decimal: (None, "a decimal number as text"),
    dt.datetime: ("date-time", "ISO 8601"),
    dt.date: ("date", "ISO 8601"),
    dt.time: ("time", "ISO 8601"),
    dt.timedelta: ("duration", "ISO 8601"),
    UUID: ("uuid", ""),
}
_SIMPLE: dict[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}


class _Refused(Exception):
    pass


def problems(tp: Any) -> list[tuple[str, str]]:
    """Return what the API cannot carry in an output type, as pairs of message and hint."""
    found: list[tuple[str, str]] = []
    unions = [0]
    _check(tp, "the answer", (), found, unions)
    if unions[0] > UNION_LIMIT:
        found.append(
            (
                f"the answer has {unions[0]} optional or union fields, the API takes {UNION_LIMIT}",
                "split the agent or make fields required",
            )
        )
    return found


def _check(tp: Any, path: str, chain: tuple[Any, ...], found: list[tuple[str, str]], unions: list[int]) -> None:
    tp = ty.strip(tp)
    if tp in (Any, object, dict, list, set, tuple) or isinstance(tp, TypeVar):
        found.append((f"{path} has the type {ty.name(tp)}, which has no schema", "name the type of its parts"))
        return
    if tp in chain:
        found.append(
            (
                f"{path} is recursive ({' -> '.join(ty.name(one) for one in (*chain, tp))})",
                "the API takes no recursion; use a list with parent ids",
            )
        )
        return
    if len(ty.members(tp)) > 1:
        unions[0] += 1
        for member in ty.members(tp):
            _check(member, path, chain, found, unions)
        return
    known = ty.fields(tp)
    if known is not None:
        for name, inner in known.items():
            _check(inner, f"{path}.{name}" if path != "the answer" else f"field {name!r}", (*chain, tp), found, unions)
        return
    if ty.value_type(tp) is not None:
        for part, inner in zip(("key", "value"), get_args(tp), strict=False):
            _check(inner, f"{path} ({part})", chain, found, unions)
        return
    origin = get_origin(tp)
    if origin is not None and origin is not Literal:
        for inner in get_args(tp):
            if inner is not Ellipsis:
                _check(inner, f"{path} (item)", chain, found, unions)
        return
    try:
        _leaf(tp)
    except _Refused:
        found.append(
            (f"{path} has the type {ty.name(tp)}, which the API cannot carry", "use text, numbers, lists or a model")
        )


def schema(tp: Any) -> dict[str, Any]:
    """Return the JSON schema of an answer; `tp` has no `problems`."""
    inner = _schema(tp)
    if _is_record(tp):
        return inner
    return _object({"value": inner})


def _is_record(tp: Any) -> bool:
    return ty.fields(tp) is not None


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _schema(tp: Any) -> dict[str, Any]:
    note = _note(tp)
    tp = ty.strip(tp)
    result = _bare(tp)
    if note:
        result = {**result, "description": "; ".join(part for part in (result.get("description"), note) if part)}
    return result


def _note(tp: Any) -> str:
    """Return constraints and descriptions of an annotation as text; the API enforces none of them."""
    if get_origin(tp) is not Annotated:
        return ""
    notes: list[str] = []
    for mark in get_args(tp)[1:]:
        if isinstance(mark, FieldInfo):
            notes += [mark.description] if mark.description else []
            notes += [_constraint(part) for part in mark.metadata]
        elif not isinstance(mark, type):
            notes.append(_constraint(mark))
    return "; ".join(note for note in notes if note)


def _constraint(mark: Any) -> str:
    words = {
        "gt": "more than",
        "ge": "at least",
        "lt": "less than",
        "le": "at most",
        "min_length": "length at least",
        "max_length": "length at most",
        "multiple_of": "a multiple of",
        "pattern": "matching",
    }
    return "; ".join(
        f"{text} {value}" for name, text in words.items() if (value := getattr(mark, name, None)) is not None
    )


def _bare(tp: Any) -> dict[str, Any]:
    if len(ty.members(tp)) > 1:
        return {"anyOf": [_schema(member) for member in ty.members(tp)]}
    known = ty.fields(tp)
    if known is not None:
        properties = {name: _schema(inner) for name, inner in known.items()}
        if isinstance(tp, type) and issubclass(tp, BaseModel):
            for name, info in tp.model_fields.items():
                note = "; ".join(part for part in (info.description, *map(_constraint, info.metadata)) if part)
                if note:
                    properties[name] = {**properties[name], "description": note}
        return _object(properties)
    if ty.value_type(tp) is not None:
        key, value = get_args(tp)
        return {"type": "array", "items": _object({"key": _schema(key), "value": _schema(value)})}
    if get_origin(tp) is tuple and get_args(tp)[-1:] != (Ellipsis,):
        return _object({f"item_{index}": _schema(inner) for index, inner in enumerate(get_args(tp))})
    item = get_args(tp)[0] if get_origin(tp) in (list, set, frozenset, Sequence, Set, tuple) else None
    if item is not None:
        return {"type": "array", "items": _schema(item)}
    return _leaf(tp)


def _leaf(tp: Any) -> dict[str, Any]:
    if tp in (None, type(None)):
        return {"type": "null"}
    if get_origin(tp) is Literal:
        return _choice(list(get_args(tp)))
    if isinstance(tp, type):
        if issubclass(tp, enum.Enum):
            return _choice([member.value for member in tp])
        if tp in _SIMPLE:
            return {"type": _SIMPLE[tp]}
        for base, (form, text) in _TEXTS.items():
            if issubclass(tp, base):
                return {"type": "string"} | ({"format": form} if form else {}) | ({"description": text} if text else {})
        for base, simple in _SIMPLE.items():
            if issubclass(tp, base):
                return {"type": simple}
    raise _Refused(ty.name(tp))


def _choice(values: list[Any]) -> dict[str, Any]:
    """Return a closed set of values, with their type where it is one."""
    kinds = {_SIMPLE.get(type(value)) for value in values}
    kind = kinds.pop() if len(kinds) == 1 else None
    return ({"type": kind} if kind else {}) | {"enum": values}


def encode(tp: Any, value: object) -> str:
    """Return a value of the output type as the JSON text that a model would answer."""
    wire = _to_wire(tp, value)
    return dumps(wire if _is_record(tp) else {"value": wire})


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
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise OutputError(f"the answer is not JSON: {error}") from None
    if not _is_record(tp):
        if not isinstance(data, dict) or set(cast("dict[str, Any]", data)) != {"value"}:
            raise OutputError('the answer is not of the form {"value": ...}')
        data = cast("dict[str, Any]", data)["value"]
    return load(tp, _from_wire(tp, data))


def _from_wire(tp: Any, data: Any) -> Any:
    tp = ty.strip(tp)
    if len(ty.members(tp)) > 1:
        present = [member for member in ty.members(tp) if member not in (None, type(None))]
        return data if data is None else _first_fitting(present, data)
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
        return _adapter(tp).validate_json(dumps(data), by_name=True, by_alias=True)
    except ValidationError as error:
        places = [f"{'.'.join(map(str, one['loc'])) or 'the value'}: {one['msg']}" for one in error.errors()[:5]]
        raise OutputError("; ".join(places)) from None
