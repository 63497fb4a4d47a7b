"""What in a row no JSON and no request can carry, with its place: numbers that are none, and half surrogate pairs."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from pydantic import BaseModel

from .records import Record


def odd_value(value: object, record: Record | None = None) -> str:
    """Return in words what of a value cannot be carried, and where it stands; empty where nothing is found.

    Args:
        value: A row as it was read, or what types have made of it.
        record: As it was read, where types have made something of it: its own cell is told.
    """
    return next((_in_words(place, part, record) for place, part in _odd(value, ())), "")


def _odd(value: object, place: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], object]]:
    """Yield what cannot be carried, each with its place."""
    if isinstance(value, float):
        if not math.isfinite(value):
            yield place, value
    elif isinstance(value, str):
        if any("\ud800" <= char <= "\udfff" for char in value):
            yield place, value
    else:
        for name, part in _parts(value):
            yield from _odd(name, place)
            yield from _odd(part, (*place, str(name)))


def _parts(value: object) -> Iterable[tuple[object, object]]:
    """Return what is inside of a value, each with its name or number; none of the user's code is run."""
    if isinstance(value, Mapping):
        return cast("Mapping[object, object]", value).items()
    if type(value) in (list, tuple, set, frozenset):
        return enumerate(cast("Iterable[object]", value))
    if isinstance(value, BaseModel) or (dataclasses.is_dataclass(value) and hasattr(value, "__dict__")):
        return cast("dict[str, Any]", value.__dict__).items()
    return ()


def _in_words(place: tuple[str, ...], part: object, record: Record | None) -> str:
    where = f"{'.'.join(place)}: " if place else ""
    if isinstance(part, str):
        return f"{where}half of a surrogate pair stands in it, which no request can carry"
    cell = (record.data or {}).get(place[0]) if record is not None and record.is_text and place else None
    if isinstance(cell, str):
        return f"{where}{cell.strip()[:40]!r} is no number that JSON can hold"
    return f"{where}{part!r} is no number that JSON can hold"
