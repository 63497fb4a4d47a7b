"""The JSON schema of an answer, in the form that the API can carry, and what it cannot.

Every field is required (beyond 16 unions those whose default is None are not), a dict is a list of
pairs, a tuple an object, Decimal and dates are text. An answer that is neither a record nor a text is
wrapped in `{"value": ...}`, since it has to be an object where it is sent by itself. What the API
cannot carry is refused with its path. Limits: platform.claude.com, page "Structured outputs", read
2026-11-23 (no recursion, 24 optional and 16 union parameters, no numeric or length constraints).
"""

from __future__ import annotations

import datetime as dt
import enum
from collections import abc, deque
from collections.abc import Mapping
from contextvars import ContextVar
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel, PydanticUserError, RootModel
from pydantic.fields import FieldInfo

from . import types as ty
from .kinds import LeafKind, ListKind, MapKind, RecordKind, TupleKind, UnionKind, kind_of
from .pertype import adapter
from .roundtrip import KEYS_HINT, key_loss

UNION_LIMIT, OPTIONAL_LIMIT = 16, 24
_TEXTS: dict[Any, tuple[str | None, str]] = {
    Decimal: (None, "a decimal number as text"),
    dt.datetime: ("date-time", "ISO 8601"),
    dt.date: ("date", "ISO 8601"),
    dt.time: ("time", "ISO 8601"),
    dt.timedelta: ("duration", "ISO 8601"),
    UUID: ("uuid", ""),
}
_SIMPLE: dict[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}


_leaves_out: ContextVar[bool] = ContextVar("leaves_out", default=False)
"""Whether fields that may be None are left out of an answer, since it has more unions than the API takes."""

_MANY = (abc.Iterable, abc.Iterator, abc.Collection, abc.MutableSequence, deque)
"""Generic types of many values of which a list is none, or of which Pydantic makes what can be read once."""
_WITHOUT_PARTS = (Any, object, dict, list, set, tuple, ty.Unknown)
"""Types that do not name the type of their parts."""


class _RefusedError(Exception):
    """A type has no form that the API can carry."""


def problems(tp: Any) -> list[tuple[str, str]]:
    """Return what the API cannot carry in an output type, as pairs of message and hint."""
    check = _Check()
    check.walk(tp, "the answer", ())
    if _has_many_unions(check) and not (check.absent <= OPTIONAL_LIMIT and check.unions - check.absent <= UNION_LIMIT):
        check.refuse(
            f"the answer has {check.unions} optional or union fields, the API takes {UNION_LIMIT}, "
            f"or {OPTIONAL_LIMIT} whose default is None",
            "split the agent or make fields required",
        )
    return check.problems


def _has_many_unions(check: _Check) -> bool:
    return check.unions > UNION_LIMIT


class _Check:
    """Collects what the API cannot carry, and counts unions, while it walks through a type."""

    def __init__(self) -> None:
        self.problems: list[tuple[str, str]] = []
        self.unions = 0
        self.absent = 0
        """Unions that are fields which may be left out instead."""

    def refuse(self, message: str, hint: str) -> None:
        self.problems.append((message, hint))

    def walk(self, tp: Any, path: str, chain: tuple[Any, ...]) -> None:
        """Look at a type and all its parts.

        Args:
            tp: The type.
            path: Where in the answer it stands, for messages.
            chain: Records around it, outermost first.
        """
        if ty.is_json_text(tp):
            self.refuse(f"{path} is JSON inside of a text", "name the type of what is in it, without Json")
            return
        tp = ty.strip(tp)
        if tp in _WITHOUT_PARTS or isinstance(tp, TypeVar):
            self.refuse(f"{path} has the type {ty.name(tp)}, which has no schema", "name the type of its parts")
        elif tp in chain:
            circle = " -> ".join(ty.name(record) for record in (*chain, tp))
            self.refuse(f"{path} is recursive ({circle})", "the API takes no recursion; use a list with parent ids")
        else:
            self._walk_parts(tp, path, chain)

    def _walk_parts(self, tp: Any, path: str, chain: tuple[Any, ...]) -> None:
        if isinstance(tp, type) and issubclass(tp, RootModel):
            self.refuse(f"{path} is the RootModel {ty.name(tp)}", "answer its inner type, or a model with a field")
            return
        self._walk_inside(tp, path, chain)

    def _walk_inside(self, tp: Any, path: str, chain: tuple[Any, ...]) -> None:
        match kind_of(tp):
            case UnionKind(members):
                self.unions += 1
                for member in members:
                    self.walk(member, path, chain)
            case RecordKind(fields):
                self.absent += len(ty.absent_as_none(tp))
                for name, inner in fields.items():
                    self.walk(inner, f"{path}.{name}" if path != "the answer" else f"field {name!r}", (*chain, tp))
            case MapKind(key, value):
                self.walk(key, f"{path} (key)", chain)
                if not isinstance(kind_of(key), LeafKind):
                    self.refuse(f"{path} has keys of the type {ty.name(key)}", "use a list of records with both")
                elif why := key_loss(key):
                    self.refuse(f"{path} has keys of the type {ty.name(key)}: {why}", KEYS_HINT)
                self.walk(value, f"{path} (value)", chain)
            case TupleKind(items):
                for inner in items:
                    self.walk(inner, f"{path} (item)", chain)
            case ListKind(inner):
                self.walk(inner, f"{path} (item)", chain)
            case LeafKind():
                self._try_leaf(tp, path)

    def _try_leaf(self, tp: Any, path: str) -> None:
        try:
            _leaf(tp)
        except _RefusedError:
            self.refuse(f"{path} has the type {ty.name(tp)}, which the API cannot carry", _way_out(tp))
            return
        try:
            adapter(tp)
        except PydanticUserError:  # such as a class of the user's that is a text, too
            hint = "use the type that it is derived from, or tell Pydantic how it is validated"
            self.refuse(f"{path} has the type {ty.name(tp)}, of which Pydantic makes no value", hint)


def _way_out(tp: Any) -> str:
    """Return what to write in the place of a type without parts that the API cannot carry."""
    if get_origin(tp) is Literal and any(isinstance(value, enum.Enum) for value in get_args(tp)):
        return "use the enum itself, or a Literal of the values of its members"
    if get_origin(tp) in _MANY:
        return "use a list"
    if isinstance(tp, type) and issubclass(tp, enum.Enum):
        return "give its members texts or numbers as values"
    if isinstance(tp, type) and issubclass(tp, tuple):
        return "use a dataclass or a model with these fields"
    return "use text, numbers, lists or a model"


def schema(tp: Any) -> dict[str, Any]:
    """Return the JSON schema of an answer's value; `tp` has no `problems`."""
    check = _Check()
    check.walk(tp, "the answer", ())
    token = _leaves_out.set(_has_many_unions(check))
    try:
        return _schema(tp)
    finally:
        _leaves_out.reset(token)


def as_object_schema(tp: Any, value: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of an answer as an object: of a record its own, else that of an object around the value.

    Args:
        tp: The type of the answer.
        value: Its `schema`.
    """
    return dict(value) if ty.is_record(tp) else _object({"value": dict(value)})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _schema(tp: Any) -> dict[str, Any]:
    """Return the schema of a type, with what its annotation says as its description."""
    note = _note(tp)
    bare = _bare(ty.strip(tp))
    if not note:
        return bare
    return {**bare, "description": _joined(bare.get("description"), note)}


def _joined(*notes: str | None) -> str:
    """Return texts in one, those left out that say nothing."""
    return "; ".join(note for note in notes if note)


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
    return _joined(*notes)


def _constraint(mark: Any) -> str:
    """Return a constraint of Pydantic or annotated-types in words, empty where it is none."""
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
    """Return the schema of a type without annotation."""
    match kind_of(tp):
        case UnionKind(members):
            return {"anyOf": [_schema(member) for member in members]}
        case RecordKind(fields):
            return _record(tp, fields)
        case MapKind(key, value):
            return {"type": "array", "items": _object({"key": _schema(key), "value": _schema(value)})}
        case TupleKind(items):
            return _object({f"item_{index}": _schema(inner) for index, inner in enumerate(items)})
        case ListKind(inner):
            return {"type": "array", "items": _schema(inner)}
        case LeafKind():
            return _leaf(tp)


def _record(tp: Any, fields: Mapping[str, Any]) -> dict[str, Any]:
    absent = ty.absent_as_none(tp) if _leaves_out.get() else frozenset[str]()
    properties = {name: _schema(ty.without_none(inner) if name in absent else inner) for name, inner in fields.items()}
    if isinstance(tp, type) and issubclass(tp, BaseModel):
        for name, info in tp.model_fields.items():
            note = _joined(info.description, *map(_constraint, info.metadata))
            if note:
                properties[name] = {**properties[name], "description": note}
    return _object(properties) | {"required": [name for name in properties if name not in absent]}


def _leaf(tp: Any) -> dict[str, Any]:
    """Return the schema of a type without parts.

    Raises:
        _RefusedError: It has none.
    """
    if ty.is_none(tp):
        return {"type": "null"}
    if get_origin(tp) is Literal:
        return _choice(list(get_args(tp)), tp)
    if not isinstance(tp, type):
        raise _RefusedError(ty.name(tp))
    if issubclass(tp, enum.Enum):
        return _choice([member.value for member in tp], tp)
    return _plain_leaf(tp)


def _plain_leaf(tp: Any) -> dict[str, Any]:
    if tp in _SIMPLE:
        return {"type": _SIMPLE[tp]}
    for base, (form, text) in _TEXTS.items():
        if issubclass(tp, base):
            return {"type": "string"} | ({"format": form} if form else {}) | ({"description": text} if text else {})
    for base, simple in _SIMPLE.items():
        if issubclass(tp, base):
            return {"type": simple}
    raise _RefusedError(ty.name(tp))


def _choice(values: list[Any], tp: Any) -> dict[str, Any]:
    """Return a closed set of values, with their type where it is one.

    Raises:
        _RefusedError: One of them is not of JSON's own types: the API would hand back another value.
    """
    if not all(type(value) in _SIMPLE or value is None for value in values):
        raise _RefusedError(ty.name(tp))
    kinds = {_SIMPLE.get(type(value)) for value in values}
    kind = kinds.pop() if len(kinds) == 1 else None
    return ({"type": kind} if kind else {}) | {"enum": values}
