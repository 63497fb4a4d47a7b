"""A valid value of an output type, for an agent without a stand-in."""

from __future__ import annotations

import datetime as dt
import enum
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address
from pathlib import PurePath
from typing import Any, Literal, get_args, get_origin
from uuid import UUID

from pydantic import AnyUrl

from . import types as ty
from .kinds import LeafKind, ListKind, MapKind, RecordKind, TupleKind, UnionKind, kind_of
from .wire import load

_LEAVES: dict[Any, Any] = {
    str: "text",
    bool: True,
    int: 1,
    float: 0.5,
    Decimal: "1.00",
    dt.datetime: "2026-01-01T00:00:00Z",
    dt.date: "2026-01-01",
    dt.time: "00:00:00",
    dt.timedelta: "PT1H",
    UUID: "00000000-0000-4000-8000-000000000000",
    PurePath: "text",
    IPv4Address: "192.0.2.1",
    IPv6Address: "2001:db8::1",
    AnyUrl: "https://example.org/",
}


def sample(tp: Any) -> Any:
    """Return the same valid value of the type every time.

    Raises:
        OutputError: A constraint of the type refuses the value; the agent needs a stand-in.
    """
    return load(tp, _data(tp))


def _data(tp: Any) -> Any:
    """Return JSON-ready data, keyed by field names, that is valid for a type without constraints."""
    match kind_of(tp):
        case UnionKind():
            return _data(ty.members(ty.without_none(tp))[0])
        case RecordKind(fields):
            return {name: _data(inner) for name, inner in fields.items() if not ty.is_hidden(inner)}
        case MapKind():
            return {}
        case TupleKind(items):
            return [_data(inner) for inner in items]
        case ListKind(inner):
            return [_data(inner)]
        case LeafKind():
            return _leaf(ty.strip(tp))


def _leaf(tp: Any) -> Any:
    if get_origin(tp) is Literal:
        return get_args(tp)[0]
    if isinstance(tp, type) and issubclass(tp, enum.Enum):
        return next(iter(tp)).value
    if isinstance(tp, type):
        return next((_LEAVES[base] for base in (bool, *_LEAVES) if issubclass(tp, base)), None)
    return None
