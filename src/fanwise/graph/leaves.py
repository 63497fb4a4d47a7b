"""Types without parts: of which of them JSON has all values, and what to write in the place of the others."""

from __future__ import annotations

import datetime as dt
import enum
from collections import Counter, abc, deque
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address
from pathlib import PurePath
from typing import Any, Literal, get_args, get_origin
from uuid import UUID

from pydantic import EncodedBytes, EncodedStr, ImportString, Secret, SecretBytes, SecretStr

from . import types as ty

_SCALARS = (str, int, float, bool)
_TEXTS = (*_SCALARS, Decimal, dt.date, dt.time, dt.timedelta, UUID, PurePath, IPv4Address, IPv6Address)
"""Types whose values JSON has, or has as texts; and what is derived from them."""
_PYDANTICS = ("pydantic.networks", "pydantic.types", "pydantic_extra_types")
"""Modules of types that are read of a text and written as one."""
_MANY = (abc.Iterable, abc.Iterator, abc.Collection, abc.MutableSequence, deque)
"""Generic types of many values of which a list is none, or of which Pydantic makes what can be read once."""


def is_secret(tp: Any) -> bool:
    """Return whether stars are written in the place of a type's values."""
    origin = get_origin(tp) or tp
    return isinstance(origin, type) and issubclass(origin, SecretStr | SecretBytes | Secret)


def is_imported(tp: Any) -> bool:
    """Return whether the values of a type are what a text says where to import."""
    imported: Any = ImportString
    return tp is imported


def is_encoded(tp: Any) -> bool:
    """Return whether a text is decoded where a value is read, such as `Base64Str`: it is written as it was read."""
    return any(isinstance(mark, EncodedStr | EncodedBytes) for mark in ty.marks(tp))


def is_carried(tp: Any) -> bool:
    """Return whether JSON has the values of a type without parts, so that they come back as they went."""
    if ty.is_none(tp):
        return True
    if get_origin(tp) is Literal:
        return all(type(value) in _SCALARS or value is None for value in get_args(tp))
    if not isinstance(tp, type):
        return False
    if issubclass(tp, enum.Enum):
        has_flags = issubclass(tp, enum.Flag)  # of which any combination is a value, and no schema says so
        return (
            not has_flags
            and len(tp) > 0
            and all(type(member.value) in _SCALARS or member.value is None for member in tp)
        )
    is_pydantics = tp.__module__.startswith(_PYDANTICS) and not is_secret(tp) and not is_imported(tp)
    return issubclass(tp, _TEXTS) or (is_pydantics and not issubclass(tp, bytes))


def way_out(tp: Any) -> str:
    """Return what to write in the place of a type without parts that the API cannot carry."""
    if get_origin(tp) is Literal and any(isinstance(value, enum.Enum) for value in get_args(tp)):
        return "use the enum itself, or a Literal of the values of its members"
    if get_origin(tp) in _MANY:
        return "use a list"
    if get_origin(tp) is not None and ty.is_record(get_origin(tp)):
        return "use a generic BaseModel, or a class of its own with these types"
    if is_secret(tp):
        return "use text: what is kept of a secret is stars"
    return _way_out_of_class(tp) if isinstance(tp, type) else "use text, numbers, lists or a model"


def _way_out_of_class(kind: type[Any]) -> str:
    if issubclass(kind, enum.Flag):
        return "use a list of an Enum, one member for each flag"
    if issubclass(kind, enum.Enum):
        return "give its members texts or numbers as values" if len(kind) else "give it members"
    if issubclass(kind, tuple):
        return "use a dataclass or a model with these fields"
    return "use text, numbers, lists or a model"


def counted_type(tp: Any) -> Any | None:
    """Return what a `Counter` counts; None of another type."""
    return get_args(tp)[0] if get_origin(tp) is Counter else None
