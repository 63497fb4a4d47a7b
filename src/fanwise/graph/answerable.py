"""What the API cannot carry of an answer's type, each with the place where it stands and what to write instead.

Limits: platform.claude.com, page "Structured outputs", read 2026-11-23 (no recursion, 24 optional and 16 union
parameters).
"""

from __future__ import annotations

import datetime as dt
import enum
from collections import abc, deque
from collections.abc import Iterator
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address
from pathlib import PurePath
from typing import Any, Literal, TypeVar, get_args, get_origin
from uuid import UUID

from pydantic import PydanticUserError, RootModel, SecretBytes, SecretStr
from pydantic.errors import PydanticInvalidForJsonSchema

from . import types as ty
from .carried import NotCarriedError
from .kinds import LeafKind, ListKind, MapKind, RecordKind, TupleKind, UnionKind, kind_of
from .pertype import adapter
from .roundtrip import KEYS_HINT, key_loss
from .schema import OPTIONAL_LIMIT, UNION_LIMIT, choices, schema

_SCALARS = (str, int, float, bool)
_TEXTS = (*_SCALARS, Decimal, dt.date, dt.time, dt.timedelta, UUID, PurePath, IPv4Address, IPv6Address)
"""Types whose values JSON has, or has as texts; and what is derived from them."""
_PYDANTICS = ("pydantic.networks", "pydantic.types", "pydantic_extra_types")
"""Modules of types that are read of a text and written as one."""
_NAME_IT = "name its type, at a plain validator by json_schema_input_type=..., or give a WithJsonSchema"
_SECRET = (SecretStr, SecretBytes, bytes)
_MANY = (abc.Iterable, abc.Iterator, abc.Collection, abc.MutableSequence, deque)
"""Generic types of many values of which a list is none, or of which Pydantic makes what can be read once."""
_WITHOUT_PARTS = (Any, object, dict, list, set, tuple, ty.Unknown)
"""Types that do not name the type of their parts."""


def problems(tp: Any) -> list[tuple[str, str]]:
    """Return what the API cannot carry in an output type, as pairs of message and hint."""
    check = _Check()
    check.walk(tp, "the answer", ())
    return check.problems or list(_unformed(tp))


def _unformed(tp: Any) -> Iterator[tuple[str, str]]:
    """Yield why there is no schema of a type, or none of the size that the API takes."""
    try:
        schema(tp)
        has = choices(tp)
    except NotCarriedError as error:
        yield f"{error.path} has no schema that the API can carry", _NAME_IT
        return
    except PydanticInvalidForJsonSchema:
        yield "the answer has a part of which Pydantic knows no JSON schema", _NAME_IT
        return
    if not has.fit:
        text = (
            f"the answer has {has.unions + has.optional} optional or union fields, the API takes {UNION_LIMIT}, "
            f"or {OPTIONAL_LIMIT} whose default is None"
        )
        yield text, "split the agent or make fields required"


class _Check:
    """Collects what the API cannot carry while it walks through a type."""

    def __init__(self) -> None:
        self.problems: list[tuple[str, str]] = []

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
                for member in members:
                    self.walk(member, path, chain)
            case RecordKind(fields):
                for name, inner in fields.items():
                    place = f"{path}.{name}" if path != "the answer" else f"field {name!r}"
                    if not ty.is_hidden(inner):
                        self.walk(inner, place, (*chain, tp))
                    elif ty.is_required(tp, name):
                        self.refuse(f"{place} is hidden from the schema and has no default", "give it a default")
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
        if not _is_carried(tp):
            self.refuse(f"{path} has the type {ty.name(tp)}, which the API cannot carry", _way_out(tp))
            return
        try:
            adapter(tp)
        except PydanticUserError:  # such as a class of the user's that is a text, too
            hint = "use the type that it is derived from, or tell Pydantic how it is validated"
            self.refuse(f"{path} has the type {ty.name(tp)}, of which Pydantic makes no value", hint)


def _is_carried(tp: Any) -> bool:
    """Return whether JSON has the values of a type without parts, so that they come back as they went."""
    if ty.is_none(tp):
        return True
    if get_origin(tp) is Literal:
        return all(type(value) in _SCALARS or value is None for value in get_args(tp))
    if not isinstance(tp, type):
        return False
    if issubclass(tp, enum.Enum):
        return all(type(member.value) in _SCALARS or member.value is None for member in tp)
    return issubclass(tp, _TEXTS) or (tp.__module__.startswith(_PYDANTICS) and not issubclass(tp, _SECRET))


def _way_out(tp: Any) -> str:
    """Return what to write in the place of a type without parts that the API cannot carry."""
    if get_origin(tp) is Literal and any(isinstance(value, enum.Enum) for value in get_args(tp)):
        return "use the enum itself, or a Literal of the values of its members"
    if get_origin(tp) in _MANY:
        return "use a list"
    if isinstance(tp, type) and issubclass(tp, enum.Enum):
        return "give its members texts or numbers as values"
    if isinstance(tp, type) and issubclass(tp, SecretStr | SecretBytes):
        return "use text: what is kept of a secret is stars"
    if isinstance(tp, type) and issubclass(tp, tuple):
        return "use a dataclass or a model with these fields"
    return "use text, numbers, lists or a model"
