"""A record of a rows file, and the file; a bad record is an answer, not an end."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

Format = Literal["jsonl", "csv", "parquet"]
MOST_CHARS = 64_000_000
"""Characters of a record at most, in a file of text: twice what any request may have."""
MOST_RAW = 10_000
"""Characters that are kept of a record which cannot be read: it may be the rest of a file."""


class RowsFile(NamedTuple):
    """A file with rows, and how it is read."""

    path: Path
    format: Format
    encoding: str | None = None
    """None: what its byte order mark says, else UTF-8."""


class Record(NamedTuple):
    """One input record, or why it cannot be read."""

    number: int
    """Line number (JSONL, CSV) or record number (a JSON array or document, Parquet), from 1."""
    locator: int
    """Byte offset of a line of JSONL in UTF-8, else the record's number."""
    data: Mapping[str, Any] | None
    raw: str
    """The record as it stands in the file, for the rejects."""
    problem: str = ""
    is_text: bool = False
    """Whether all its values are texts, as the cells of a CSV file are."""
    line: int | None = None
    """Line of the file on which an element of JSON begins; None: its number says it."""


def unread(number: int, locator: int, raw: str, problem: str) -> Record:
    """Return a record that cannot be read."""
    return Record(number=number, locator=locator, data=None, raw=raw, problem=problem)
