"""The account as tables, for spreadsheets and data frames: CSV, JSONL or Parquet, one file a table.

Money is in dollars, as exact decimal text; tokens are the API's own kinds, which do not overlap; times
are seconds since 1970. What is not known is empty. In CSV a text that a spreadsheet would take for a
formula has a quote in front: a model wrote it, or somebody's row.
"""

from __future__ import annotations

import csv
import importlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

from fanwise.errors import UsageError
from fanwise.journal.reader import Book
from fanwise.ledger.exports import attempt_lines, row_lines, task_lines

from .harmless import cell

ExportFormat = Literal["csv", "jsonl", "parquet"]
ColumnKind = Literal["text", "whole", "number"]
CHUNK = 10_000
"""Records that are held at a time for Parquet."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    name: str
    kind: ColumnKind
    means: str


@dataclass(frozen=True, slots=True)
class Table:
    """One table of an export."""

    name: str
    columns: tuple[Column, ...]
    lines: Callable[[Book, Mapping[str, Any]], Iterator[Any]]
    """Gives a record for each line, with an attribute for each column."""

    def records(self, db: Book, summary: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
        """Yield the values of each line, in the order of the columns."""
        return map(attrgetter(*(column.name for column in self.columns)), self.lines(db, summary))


def _columns(*lines: str) -> tuple[Column, ...]:
    """Return columns from lines of `name kind what it means`."""
    parts = [line.split(" ", 2) for line in lines]
    return tuple(Column(name, cast("ColumnKind", kind), means) for name, kind, means in parts)


_WHO = ("row whole Line or record number of the row; 0: no row's.", "row_id text The row's id.",
        "side text fanout or baseline.")  # fmt: skip


class TotalLine(NamedTuple):
    """One figure of a summary."""

    name: str
    value: str | None


def _totals(db: Book, summary: Mapping[str, Any]) -> Iterator[TotalLine]:
    return _flat("", summary)


def _flat(name: str, value: Any) -> Iterator[TotalLine]:
    if isinstance(value, Mapping):
        for key, inner in cast("Mapping[str, Any]", value).items():
            yield from _flat(f"{name}.{key}" if name else key, inner)
    else:
        text = value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        yield TotalLine(name, text)


TABLES = (
    Table("attempts", _columns(
        "attempt whole Number of the attempt in the run.", *_WHO,
        "task text The task with its items, such as research[2].", "node text Its node in the graph.",
        "agent text Who was asked.", "model text Its model.", "channel text live or batch.",
        "batch_id text The API's id of its batch.", "number whole 1 for the first attempt of a task.",
        "status text succeeded, failed, lost, or open where it has not ended.",
        "kind text The reply's stop_reason, or the class of the error.", "message text What the error said.",
        "input_tokens whole Neither written to the cache nor read from it.",
        "cache_write_5m_tokens whole Written for five minutes.", "cache_write_1h_tokens whole Written for an hour.",
        "cache_read_tokens whole Read from the cache.", "output_tokens whole Answered, thinking included.",
        "thinking_tokens whole Of these, thought.", "web_searches whole Searches that the server made.",
        "cost_usd text What it cost; empty where that is not known.",
        "reserved_usd text Its upper bound before it was sent.", "sent number When it was sent.",
        "ended number When it ended.", "latency_s number Seconds of a live reply, or until a batch was read.",
        "request_id text The API's id of the request, or of the message of a batch.",
        "prefix text Key of the cached prefix that rows share, shortened.",
        "taken whole Which run of cash.taken.from has sent and paid it, from 1; 0 where this one has.",
        "counts whole 1 where it is part of the account, 0 where an edit has replaced it or its row has gone."),
        lambda db, summary: attempt_lines(db)),
    Table("tasks", _columns(
        *_WHO, "task text The task with its items.", "node text Its node in the graph.",
        "agent text Who carried it out.", "status text done or failed.", "kind text Class of the failure.",
        "message text Why it failed.", "output text Its output as JSON.", "attempts whole How often it was sent.",
        "served whole How often it was served by what was sent for an equal task.",
        "cost_usd text What these cost as far as that is known.",
        "attempts_of_unknown_cost whole Attempts that are not in cost_usd."), lambda db, summary: task_lines(db)),
    Table("rows", _columns(
        *_WHO, "status text succeeded, partial or failed; empty while it has not ended.",
        "reason text Why it failed.", "output text Its output as JSON.", "tokens whole All tokens, cached or not.",
        "own_usd text What its attempts cost, apart from what they wrote for other rows.",
        "shared_usd text Its part of what rows share.", "cost_usd text Both; these sum to the account.",
        "attempts_of_unknown_cost whole Attempts that are not in cost_usd."), lambda db, summary: row_lines(db)),
    Table("totals", _columns("name text Where the figure stands in summary.json.", "value text The figure."), _totals),
)  # fmt: skip


def column_lines() -> Iterator[str]:
    """Yield what every column means, a line each under the name of its table."""
    for table in TABLES:
        yield f"{table.name}:"
        for column in table.columns:
            yield f"  {column.name:26} {column.means}"


def export(db: Book, summary: Mapping[str, Any], folder: Path, form: ExportFormat) -> list[tuple[Path, int]]:
    """Write all tables into a folder, each file as a whole; returns the files and their records.

    Raises:
        UsageError: Parquet needs a package that is not there, or the folder cannot be written to.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return [_written(table, db, summary, folder, form) for table in TABLES]
    except OSError as error:
        why = "it is no folder" if isinstance(error, FileExistsError | NotADirectoryError) else error.strerror
        raise UsageError(f"the tables cannot be written to {folder}: {why}; choose another folder") from None


def _written(table: Table, db: Book, summary: Mapping[str, Any], folder: Path, form: ExportFormat) -> tuple[Path, int]:
    """Write a table; return its file and how many records it has."""
    path = folder / f"{table.name}.{form}"
    handle, name = tempfile.mkstemp(dir=folder, prefix=f".{table.name}.")
    os.close(handle)
    try:
        count = _WRITERS[form](Path(name), table.columns, table.records(db, summary))
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
    return path, count


Writer = Callable[[Path, Sequence[Column], Iterable[tuple[Any, ...]]], int]


def _csv(path: Path, columns: Sequence[Column], records: Iterable[tuple[Any, ...]]) -> int:
    count = 0
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([column.name for column in columns])
        for count, record in enumerate(records, 1):  # noqa: B007 - it is the number of records
            writer.writerow([cell(value) for value in record])
    return count


def _jsonl(path: Path, columns: Sequence[Column], records: Iterable[tuple[Any, ...]]) -> int:
    names, count = [column.name for column in columns], 0
    with path.open("w", encoding="utf-8", errors="backslashreplace") as file:
        for count, record in enumerate(records, 1):  # noqa: B007 - it is the number of records
            file.write(json.dumps(dict(zip(names, record, strict=True)), ensure_ascii=False) + "\n")
    return count


def _parquet(path: Path, columns: Sequence[Column], records: Iterable[tuple[Any, ...]]) -> int:
    try:
        arrow: Any = importlib.import_module("pyarrow")
        parquet: Any = importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise UsageError("writing Parquet needs pyarrow: pip install 'fanwise[parquet]'") from None
    types = {"text": arrow.string(), "whole": arrow.int64(), "number": arrow.float64()}
    schema = arrow.schema([(column.name, types[column.kind]) for column in columns])
    count, rest = 0, iter(records)
    with parquet.ParquetWriter(str(path), schema) as writer:
        while chunk := list(islice(rest, CHUNK)):
            count += len(chunk)
            values = zip(zip(*chunk, strict=True), schema, strict=True)
            arrays = [arrow.array(column, field.type) for column, field in values]
            writer.write_table(arrow.Table.from_arrays(arrays, schema=schema))
    return count


_WRITERS: dict[ExportFormat, Writer] = {"csv": _csv, "jsonl": _jsonl, "parquet": _parquet}
