"""Records in their tables: written by the names of their fields, and read by the names of columns."""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import Any, Literal, TypeVar

from fanwise.pricing.usage import Usage
from fanwise.quick import unpacker

from .records import (
    AnswerRecord,
    AskRecord,
    AttemptRecord,
    BatchRecord,
    BlockRecord,
    EditRecord,
    EndRecord,
    MetaRecord,
    ReachedRecord,
    Record,
    RejectRecord,
    RowRecord,
    RowResult,
    SessionRecord,
    TaskRecord,
    TextRecord,
    TurnRecord,
)  # fmt: skip

T = TypeVar("T")
Conflict = Literal["REPLACE", "IGNORE", "ABORT"]
"""What becomes of a record whose place is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordTable:
    """Where records of one kind are kept."""

    name: str
    kind: type[Record]
    columns: tuple[str, ...]
    insert: str
    """Statement that takes the values of a record."""
    values: Callable[[Any], tuple[Any, ...]] | None
    """Gives the values of a record, in the order of the columns; None where it is a tuple of them itself."""


def field_names(kind: type) -> tuple[str, ...]:
    """Return the names of a record's fields, in order."""
    if dataclasses.is_dataclass(kind):
        return tuple(field.name for field in dataclasses.fields(kind))
    return kind._fields  # type: ignore[attr-defined] - a named tuple


def _is_plain_dataclass(kind: type) -> bool:
    """Return whether records of a kind are no more than their fields, which can be set."""
    params: Any = getattr(kind, "__dataclass_params__", None)
    return params is not None and not params.frozen and not hasattr(kind, "__post_init__")


def _table(name: str, kind: type[Record], conflict: Conflict) -> RecordTable:
    """Return the table of a kind; the counts of a usage have a column each."""
    paths: list[str] = []
    for field in field_names(kind):
        paths += [f"usage.{count}" for count in Usage._fields] if field == "usage" else [field]
    columns = tuple(path.rpartition(".")[2] for path in paths)
    marks = ",".join("?" * len(columns))
    return RecordTable(
        name=name, kind=kind, columns=columns,
        insert=f"INSERT OR {conflict} INTO {name}({','.join(columns)}) VALUES({marks})",
        values=None if issubclass(kind, tuple) else attrgetter(*paths),
    )  # fmt: skip


TABLES: Mapping[type[Record], RecordTable] = {
    table.kind: table
    for table in (
        _table("meta", MetaRecord, "REPLACE"),
        _table("sessions", SessionRecord, "REPLACE"),
        _table("rows", RowRecord, "REPLACE"),
        _table("rejects", RejectRecord, "REPLACE"),
        _table("texts", TextRecord, "IGNORE"),
        _table("blocks", BlockRecord, "IGNORE"),
        _table("tasks", TaskRecord, "REPLACE"),
        _table("attempts", AttemptRecord, "ABORT"),
        _table("asks", AskRecord, "ABORT"),
        _table("answers", AnswerRecord, "REPLACE"),
        _table("turns", TurnRecord, "REPLACE"),
        _table("ends", EndRecord, "IGNORE"),
        _table("batches", BatchRecord, "REPLACE"),
        _table("results", RowResult, "REPLACE"),
        _table("edits", EditRecord, "REPLACE"),
        _table("reached", ReachedRecord, "REPLACE"),
    )
}


def select(
    db: sqlite3.Connection, kind: type[T], query: str, args: Sequence[Any] | Mapping[str, Any] = ()
) -> Iterator[T]:
    """Yield what a query gives as records: each column is the field of its name.

    Columns that are named as the counts of a `Usage` make the field `usage` of a record that has one.

    Raises:
        TypeError: A column is no field of the record, or a field without a default has no column.
    """
    cursor = db.execute(query, args)
    return map(_builder(kind, tuple(column[0] for column in cursor.description)), cursor)


@lru_cache(maxsize=256)
def _builder(kind: type[T], columns: tuple[str, ...]) -> Callable[[tuple[Any, ...]], T]:
    """Return what makes a record of a row with these columns."""
    fields = field_names(kind)
    if columns == fields and issubclass(kind, tuple):
        return kind._make  # type: ignore[attr-defined] - a named tuple: the names agree, so the places do
    counts = Usage._fields if "usage" in fields and "usage" not in columns else ()
    own = [name for name in columns if name not in counts]
    unknown = [name for name in own if name not in fields]
    if unknown:
        raise TypeError(f"{kind.__name__} has no field {', '.join(unknown)}")
    if columns == fields and _is_plain_dataclass(kind):
        return unpacker(kind)
    if not counts:
        return lambda row: kind(**dict(zip(columns, row, strict=True)))
    places = [columns.index(name) for name in own]
    used = [count for count in counts if count in columns]
    count_places = [columns.index(count) for count in used]

    def build(row: tuple[Any, ...]) -> T:
        values = {name: row[place] for name, place in zip(own, places, strict=True)}
        if used:
            values["usage"] = Usage(**{count: row[place] for count, place in zip(used, count_places, strict=True)})
        return kind(**values)

    return build
