"""Reading rows as a stream: JSONL, CSV or Parquet; a bad record is an answer, not an end."""

from __future__ import annotations

import csv
import importlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple, cast

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from fanwise.canonical import canonical, digest
from fanwise.errors import UsageError

Format = Literal["jsonl", "csv", "parquet"]
FORMATS: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".parquet": "parquet",
}


class Record(NamedTuple):
    """One input record, or why it cannot be read."""

    number: int
    """Line number (JSONL, CSV) or record number (Parquet), from 1."""
    locator: int
    """Byte offset of a JSONL line, else the record number."""
    data: Mapping[str, Any] | None
    raw: str
    """The record as it stands in the file, for the rejects."""
    problem: str = ""


def format_of(path: Path, chosen: str | None) -> Format:
    """Return the format of a rows file, by option or extension.

    Raises:
        UsageError: The extension is unknown and no format is given.
    """
    if chosen is not None:
        return cast("Format", chosen)
    if path.suffix.lower() not in FORMATS:
        raise UsageError(f"the format of {path} is not clear from its name; add --format jsonl, csv or parquet")
    return FORMATS[path.suffix.lower()]


def read(path: Path, form: Format) -> Iterator[Record]:
    """Yield the records of a file, in order; blank lines are passed over.

    Raises:
        UsageError: The file does not exist, is empty, or has no usable header.
    """
    _check_readable(path)
    if path.stat().st_size == 0:
        raise UsageError(f"the rows file {path} is empty")
    return {"jsonl": _jsonl, "csv": _csv, "parquet": _parquet}[form](path)


def _check_readable(path: Path) -> None:
    try:
        if not path.is_file():
            raise UsageError(f"there is no rows file {str(path)!r}")
        path.open("rb").close()
    except OSError as error:
        raise UsageError(f"the rows file {path} cannot be read: {error.strerror}") from None


def json_lines(rows: Iterable[Any]) -> Iterator[bytes]:
    """Yield rows, as models or dicts, as lines of JSON.

    Raises:
        UsageError: One has no form in JSON.
    """
    for number, row in enumerate(rows, 1):
        try:
            yield f"{canonical(row)}\n".encode()
        except (TypeError, ValueError) as error:
            raise UsageError(f"row {number}: {error}; give models or dicts") from None


def _jsonl(path: Path) -> Iterator[Record]:
    offset = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            start, offset = offset, offset + len(line)
            content = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
            if content.strip():
                yield _line(number, start, content)


_ODD = re.compile(rb"[eE]\+?[0-9]{2}|[0-9]{300}")
"""What may be a number beyond all floats."""


def _line(number: int, offset: int, line: bytes) -> Record:
    line = line.rstrip(b"\r\n")
    if not _ODD.search(line):
        try:
            data = from_json(line, allow_inf_nan=False, cache_strings="keys")
        except ValueError:
            data = None  # said below, in the words of `json`
        if isinstance(data, dict):
            return Record(number=number, locator=offset, data=cast("dict[str, Any]", data), raw=line.decode("utf-8"))
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raw, problem = line.decode("utf-8", "backslashreplace"), f"not UTF-8 at byte {error.start} of the line"
        return _unread(number, offset, raw, problem)
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        return _unread(number, offset, text, f"not valid JSON: {error}")
    if not isinstance(data, dict):
        return _unread(number, offset, text, f"not a JSON object but {type(data).__name__}")
    try:
        json.dumps(data, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except (UnicodeEncodeError, ValueError) as error:
        return _unread(number, offset, text, f"holds what no request can carry: {type(error).__name__}: {error}")
    return Record(number=number, locator=offset, data=cast("dict[str, Any]", data), raw=text)


def _unread(number: int, locator: int, raw: str, problem: str) -> Record:
    """Return a record that cannot be read."""
    return Record(number=number, locator=locator, data=None, raw=raw, problem=problem)


def _csv(path: Path) -> Iterator[Record]:
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        reader = csv.reader(file)
        try:
            header = next(reader)
        except (StopIteration, csv.Error):
            raise UsageError(f"the rows file {path} has no header line") from None
        if len(set(header)) != len(header) or any(not name.strip() for name in header):
            raise UsageError(f"the header of {path} has an empty or a repeated column: {', '.join(header)}")
        number = reader.line_num + 1
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield _unread(number, number, "", f"not valid CSV: {error}")
                number = reader.line_num + 1
                continue
            if cells:
                yield _cells(number, header, cells)
            number = reader.line_num + 1


def _cells(number: int, header: list[str], cells: list[str]) -> Record:
    raw = ",".join(cells).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    if any("\udc80" <= char <= "\udcff" for cell in cells for char in cell):
        return _unread(number, number, raw, "not UTF-8")
    if len(cells) != len(header):
        return _unread(number, number, raw, f"has {len(cells)} cells, the header has {len(header)}")
    return Record(number=number, locator=number, data=dict(zip(header, cells, strict=True)), raw=raw)


def _parquet(path: Path) -> Iterator[Record]:
    try:
        parquet: Any = importlib.import_module("pyarrow.parquet")  # an extra: most do not need its 45 MB
    except ImportError:
        raise UsageError("reading Parquet needs pyarrow: pip install 'fanwise[parquet]'") from None
    try:
        file = parquet.ParquetFile(path)
    except Exception as error:  # pyarrow has its own family of errors, all of them the file's fault
        raise UsageError(f"{path} is not a Parquet file: {error}") from None
    number = 0
    for batch in file.iter_batches(batch_size=512):
        for data in batch.to_pylist():
            number += 1
            yield Record(number=number, locator=number, data=data, raw=repr(data))


class Row(NamedTuple):
    """A valid row."""

    number: int
    locator: int
    row_id: str
    arguments: dict[str, Any]
    """One value per parameter of the graph."""
    hash: str
    size: int
    since: int = 1
    """The first session that read it as it is, see `RowRecord`."""


class RowTypes:
    """Validates records against the parameters of a graph."""

    def __init__(self, params: Mapping[str, Any], id_field: str | None, folder: Path | None = None) -> None:
        """Prepare.

        Args:
            params: Parameter types of the graph. With one parameter the record is its value;
                with several the record has a field for each.
            id_field: Field with the row's id; None: `id` where there is one, else the number.
            folder: Where paths of images and PDFs begin; None: the working directory.
        """
        self.adapters = {name: TypeAdapter[Any](tp) for name, tp in params.items()}
        only = [(name, adapter.validator) for name, adapter in self.adapters.items()]
        self._only = only[0] if len(only) == 1 else None
        self.id_field = id_field
        self._context = {"folder": folder}

    def check(self, record: Record) -> Row | str:
        """Return the row of a record, or the reason why it is set aside."""
        if record.data is None:
            return record.problem
        field = self.id_field or "id"
        if self.id_field is not None and field not in record.data:
            return f"has no field {field!r}, which --id names"
        row_id = str(record.data[field]) if field in record.data else str(record.number)
        try:
            if self._only is not None:
                name, validator = self._only
                arguments = {name: validator.validate_python(record.data, context=self._context)}
            else:
                arguments = {
                    name: adapter.validate_python(record.data.get(name), context=self._context)
                    for name, adapter in self.adapters.items()
                }
            content = canonical(list(arguments.values()))
        except ValidationError as error:
            places = [
                f"{'.'.join(map(str, mistake['loc'])) or 'the row'}: {mistake['msg']}"
                for mistake in error.errors(include_url=False)[:3]
            ]
            return "; ".join(places)
        except TypeError as error:
            return str(error)
        return Row(
            number=record.number, locator=record.locator, row_id=row_id, arguments=arguments, hash=digest(content),
            size=len(content),
        )  # fmt: skip


def fetch(path: Path, form: Format, locator: int) -> Record | None:
    """Return one record again by its locator, or None where it is not there any more.

    Raises:
        UsageError: The file is gone.
    """
    _check_readable(path)
    if form == "jsonl":
        with path.open("rb") as file:
            return line_at(file, locator)
    return next((record for record in read(path, form) if record.locator == locator), None)


def line_at(file: BinaryIO, locator: int) -> Record | None:
    """Return the record of an open JSONL file that begins at a byte, or None where there is none."""
    file.seek(locator)
    line = file.readline()
    return _line(0, locator, line.removeprefix(b"\xef\xbb\xbf") if locator == 0 else line) if line.strip() else None


def lines(path: Path) -> int:
    """Return how many lines a file has."""
    with path.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
