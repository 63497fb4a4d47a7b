"""What of a type says which of its values are equal, as JSON: kept with a run, and read where no graph is imported.

Decimals of 1.0 and 1.00 are one value, and so is one moment in two time zones; as texts they are two.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, TypedDict, Union

from fanwise.jsonable import as_list, as_object

from . import types as ty
from .kinds import LeafKind, ListKind, RecordKind, UnionKind, kind_of

_LEAVES: Mapping[str, Any] = {
    "decimal": Decimal, "datetime": datetime, "date": date, "time": time, "timedelta": timedelta, "text": str,
    "none": type(None),
}  # fmt: skip
_NAMES = {leaf: name for name, leaf in _LEAVES.items()}


def likeness(tp: Any) -> Any:
    """Return what of a type says which values are equal; None where that is nothing beyond their JSON.

    Returns:
        The name of a leaf; by field of a record, in an object; of a list's items, in a list of one; of the members
        of a union, under `any of`.
    """
    if ty.unclear(tp):
        return None
    match kind_of(tp):
        case RecordKind(fields=fields):
            parts = {name: likeness(part) for name, part in fields.items()}
            return {"fields": parts} if any(parts.values()) else None
        case ListKind(item=item):
            part = likeness(item)
            return [part] if part else None
        case UnionKind(members=members):
            parts = [likeness(member) for member in members]
            return {"any of": parts} if all(parts) else None
        case LeafKind():
            return _NAMES.get(type(None) if ty.is_none(tp) else ty.strip(tp))
        case _:
            return None


def type_alike(kept: Any) -> Any:
    """Return a type whose values are equal where those of the type are of which this was kept; `Any`: of none."""
    if isinstance(kept, str):
        return _LEAVES.get(kept, Any)
    if as_list(kept):
        return list[type_alike(as_list(kept)[0])]
    parts = as_object(kept)
    if "fields" in parts:
        fields = {name: type_alike(part) for name, part in as_object(parts["fields"]).items()}
        return TypedDict("Output", fields)  # type: ignore[operator] - its fields are known only here
    members = [type_alike(part) for part in as_list(parts.get("any of"))]
    return Union[tuple(members)] if members else Any  # noqa: UP007 - their number is known only here
