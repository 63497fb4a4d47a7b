"""The JSON schema of an answer, in the form that the API can carry, and what it cannot.

Every field is required, a dict is a list of pairs, a tuple an object, Decimal and dates are
text, and an answer that is no record is wrapped in `{"value": ...}`. What the API cannot carry
is refused with its path. Limits: platform.claude.com, page "Structured outputs", read 2026-11-23
(no recursion, 24 optional and 16 union parameters, no numeric or length constraints).
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Sequence, Set
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel
from pydantic.fields import FieldInfo

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
    if is_record(tp):
        return inner
    return _object({"value": inner})


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


def is_record(tp: Any) -> bool:
    """Return whether an answer is an object by itself, and not wrapped."""
    return ty.fields(tp) is not None
