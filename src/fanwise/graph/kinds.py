"""What a type is made of: the cases of everything that walks through the types of an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from fanwise.media import Media

from . import types as ty


@dataclass(frozen=True, slots=True)
class UnionKind:
    """One of several types."""

    members: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class RecordKind:
    """A model, a dataclass or a typed dict: fields by name."""

    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class MapKind:
    """A mapping of keys that are not known beforehand; both types are `Unknown` where it does not name two."""

    key: Any
    value: Any


@dataclass(frozen=True, slots=True)
class TupleKind:
    """So many values, each of its own type."""

    items: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class ListKind:
    """Any number of values of one type: a list, a set, or `tuple[X, ...]`."""

    item: Any


@dataclass(frozen=True, slots=True)
class LeafKind:
    """A type without parts that we look into."""


Kind = UnionKind | RecordKind | MapKind | TupleKind | ListKind | LeafKind
"""What a type is made of: the cases of everything that walks through the types of an answer."""


def kind_of(tp: Any) -> Kind:
    """Return what a type is made of."""
    tp = ty.strip(tp)
    if len(ty.members(tp)) > 1:
        return UnionKind(ty.members(tp))
    record = ty.fields(tp)
    if record is not None:
        return RecordKind(record)
    origin, args = get_origin(tp), get_args(tp)
    if ty.value_type(tp) is not None:
        return MapKind(*args) if len(args) == 2 else MapKind(ty.Unknown, ty.Unknown)
    if origin is tuple and args[-1:] != (Ellipsis,):
        return TupleKind(args)
    if origin in (list, set, frozenset, Sequence, Set, tuple):
        return ListKind(args[0])
    return LeafKind()


def holds_media(tp: Any, chain: tuple[Any, ...] = ()) -> bool:
    """Return whether a value of the type may be an image or a PDF, or have one inside."""
    tp = ty.strip(tp)
    if tp is Media:
        return True
    if tp in chain or ty.unclear(tp):
        return False
    match kind_of(tp):
        case UnionKind(members=parts) | TupleKind(items=parts):
            pass
        case RecordKind(fields=fields_):
            parts = tuple(fields_.values())
        case MapKind(key=key, value=value):
            parts = (key, value)
        case ListKind(item=item):
            parts = (item,)
        case LeafKind():
            parts = ()
    return any(holds_media(part, (*chain, tp)) for part in parts)
