"""Rows files as streams of records: JSONL, JSON, CSV or Parquet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from fanwise.canonical import canonical
from fanwise.errors import UsageError
from fanwise.paths import typed

from .encodings import encoding_of, looks_like_utf16
from .fromcsv import read_csv
from .fromjson import NO_ROW, has_lines, read_json, record_of, without_marks
from .fromparquet import read_parquet
from .records import MOST_CHARS, Format, Record, RowsFile

FORMATS: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
}


def format_of(path: Path, chosen: str | None) -> Format:
    """Return the format of a rows file, by option or extension.

    Raises:
        UsageError: The extension is unknown and no format is given.
    """
    if chosen is not None:
        return cast("Format", chosen)
    if path.suffix.lower() not in FORMATS:
        raise UsageError(f"the format of {typed(path)} is not clear from its name; add --format jsonl, csv or parquet")
    return FORMATS[path.suffix.lower()]


def read(file: RowsFile) -> Iterator[Record]:
    """Yield the records of a file, in order; blank lines are passed over.

    Raises:
        UsageError: The file does not exist, has no rows or no usable header, or is in an encoding that is not named.
    """
    check_readable(file.path)
    if file.path.stat().st_size == 0:
        raise UsageError(f"the rows file {typed(file.path)} is empty")
    if file.format == "parquet":
        return _some(file, read_parquet(file))
    if encoding_of(file.path, file.encoding) == "utf-8-sig" and (name := looks_like_utf16(file.path)):
        like = f"looks like UTF-16 without a byte order mark; name it with --encoding {name}"
        raise UsageError(f"the rows file {typed(file.path)} {like}")
    return _some(file, read_csv(file) if file.format == "csv" else read_json(file))


def _some(file: RowsFile, records: Iterator[Record]) -> Iterator[Record]:
    """Yield records, of which there is one at least.

    Raises:
        UsageError: There is none.
    """
    first = next(records, None)
    if first is None:
        raise UsageError(f"no rows in {typed(file.path)}")
    yield first
    yield from records


def check_readable(path: Path) -> None:
    """Check that there is a rows file.

    Raises:
        UsageError: There is none, or it cannot be read.
    """
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            what = "is no regular file and cannot be read again; pipe its rows in by `--rows -`"
            raise UsageError(f"the rows file {typed(path)} {what}")
        if not path.is_file():
            raise UsageError(f"there is no rows file {typed(path)!r}")
        path.open("rb").close()
    except OSError as error:
        raise UsageError(f"the rows file {typed(path)} cannot be read: {error.strerror}") from None


def fetch(file: RowsFile, locators: Iterable[int]) -> Iterator[tuple[int, Record]]:
    """Yield records again by their locators, each behind its locator; none of those that are not there any more.

    Raises:
        UsageError: The file is gone.
    """
    wanted = set(locators)
    check_readable(file.path)
    if file.format == "jsonl" and has_lines(file):
        with file.path.open("rb") as lines:
            for locator in sorted(wanted):
                line = _line_at(lines, locator)
                if line.strip():
                    yield locator, record_of(0, locator, line)
        return
    for record in read(file):
        if record.locator in wanted:
            yield record.locator, record


def _line_at(file: BinaryIO, locator: int) -> bytes:
    """Return the line of a file in UTF-8 that begins at a byte."""
    file.seek(locator)
    return without_marks(file.readline(MOST_CHARS))


def json_lines(rows: Iterable[Any]) -> Iterator[bytes]:
    """Yield rows, as models or dicts, as lines of JSON; of one that has no form in JSON, a line that says so."""
    for number, row in enumerate(rows, 1):
        try:
            yield f"{canonical(row)}\n".encode()
        except Exception as error:  # a row's own code may raise whatever it likes: that costs this row
            why = " ".join(ascii(f"{type(error).__name__}: {error}")[1:-1].split())
            yield f"{NO_ROW}row {number}: {why}; give models or dicts\n".encode()


def lines(path: Path) -> int:
    """Return how many lines a file has."""
    with path.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
