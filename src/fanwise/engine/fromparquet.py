"""Rows out of Parquet files: a value or a page that cannot be read costs its rows."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any, cast

from fanwise.errors import UsageError
from fanwise.paths import typed

from .records import MOST_RAW, Record, RowsFile, unread

ROWS = 512
"""Rows that are read at a time."""


def read_parquet(file: RowsFile) -> Iterator[Record]:
    """Yield the records of a Parquet file.

    Raises:
        UsageError: pyarrow is not there, or it is no Parquet file.
    """
    try:
        parquet: Any = importlib.import_module("pyarrow.parquet")  # an extra: most do not need its 45 MB
    except ImportError:
        raise UsageError("reading Parquet needs pyarrow: pip install 'fanwise[parquet]'") from None
    try:
        table = parquet.ParquetFile(file.path)
        sizes = [table.metadata.row_group(group).num_rows for group in range(table.num_row_groups)]
    except Exception as error:  # pyarrow has its own family of errors, all of them the file's fault
        raise UsageError(f"{typed(file.path)} is not a Parquet file: {_words(error)}") from None
    return _records(table, sizes)


def _records(table: Any, sizes: list[int]) -> Iterator[Record]:
    """Yield the records of all row groups; of one that cannot be read to its end, say so of each row that is left."""
    number = 0
    for group, size in enumerate(sizes):
        end, problem = number + size, ""
        batches = table.iter_batches(batch_size=ROWS, row_groups=[group])
        while number < end:
            try:
                batch = next(batches, None)
            except Exception as error:  # likewise
                batch, problem = None, _words(error)
            if batch is None:
                break
            for record in _rows(batch, number):
                yield record
                number = record.number
        while number < end:
            number += 1
            yield unread(number, number, "", f"cannot be read from row group {group + 1}: {problem or 'it ends early'}")


def _rows(batch: Any, before: int) -> Iterator[Record]:
    """Yield the records of a batch; where one of its values is none of Python's, that row alone cannot be read."""
    try:
        rows = _plain(batch)
    except Exception:  # likewise: it is said of the row
        for place in range(batch.num_rows):
            yield _row(batch.slice(place, 1), before + place + 1)
        return
    for number, row in enumerate(rows, before + 1):
        yield Record(number=number, locator=number, data=row, raw=repr(row))


def _row(batch: Any, number: int) -> Record:
    try:
        (row,) = _plain(batch)
    except Exception as error:  # likewise
        return unread(number, number, "", f"has a value that cannot be read: {_words(error)}")
    return Record(number=number, locator=number, data=row, raw=repr(row))


def _plain(batch: Any) -> list[Mapping[str, Any]]:
    """Return the rows of a batch; maps are dicts, and a key that one has twice is refused."""
    return cast("list[Mapping[str, Any]]", batch.to_pylist(maps_as_pydicts="strict"))


def _words(error: Exception) -> str:
    """Return the first line of what pyarrow says."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:MOST_RAW]
