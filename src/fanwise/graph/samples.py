"""A valid value of an output type, for an agent without a stand-in."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Sequence, Set
from decimal import Decimal
from typing import Any, Literal, get_args, get_origin
from uuid import UUID

from . import types as ty
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
}


def sample(tp: Any) -> Any:
    """Return the same valid value of the type every time.

    Raises:
        OutputError: A constraint of the type refuses the value; the agent needs a stand-in.
    """
    return load(tp, _data(tp))


def _data(tp: Any) -> Any:
    tp = ty.strip(tp)
    if len(ty.members(tp)) > 1:
        return _data(ty.members(ty.without_none(tp))[0])
    known = ty.fields(tp)
    if known is not None:
        return {name: _data(inner) for name, inner in known.items()}
    if get_origin(tp) is Literal:
        return get_args(tp)[0]
    if ty.value_type(tp) is not None:
        return {}
    if get_origin(tp) is tuple and get_args(tp)[-1:] != (Ellipsis,):
        return [_data(inner) for inner in get_args(tp)]
    if get_origin(tp) in (list, set, frozenset, Sequence, Set, tuple):
        return [_data(get_args(tp)[0])]
    if isinstance(tp, type):
        if issubclass(tp, enum.Enum):
            return next(iter(tp)).value
        for base in (bool, *_LEAVES):
            if issubclass(tp, base):
                return _LEAVES[base]
    return None
