"""The header of a CSV file: what stands between its columns, and how they are called."""

from __future__ import annotations

import csv
import re

from fanwise.errors import UsageError
from fanwise.paths import typed

from .csvlines import CsvLines, TooLongError, words_of
from .encodings import has_strange_bytes, strange
from .records import RowsFile

_OTHERS = ";\t|"
"""Delimiters beside the comma, of which a header without a comma may have one."""
_FOR_EXCEL = re.compile(r'"?sep=([^"\r\n])"?\s*', re.IGNORECASE)
"""A first line that tells Excel the delimiter; it is none of the table."""


def header_of(file: RowsFile, lines: CsvLines) -> tuple[str, list[str]]:
    """Return the delimiter of a file, and the names of its columns; that of an index without a name is empty.

    Raises:
        UsageError: Its header cannot be used.
    """
    path, first = file.path, next(lines, "")
    if first.startswith("\ufeff"):  # where the encoding is named and keeps the mark
        first = first[1:]
    excel = _FOR_EXCEL.fullmatch(first)
    if excel is not None:
        lines.next_record()
        first = next(lines, "")
    lines.record.clear()
    if has_strange_bytes(first) or "\0" in first:
        raise UsageError(f"the header of {typed(path)} is {strange(path, file.encoding)}")
    delimiter = _delimiter(path.name, first) if excel is None else excel[1]
    lines.give_again(first)
    try:
        header = next(csv.reader(lines, delimiter=delimiter, strict=True), list[str]())
    except (csv.Error, TooLongError) as error:
        raise UsageError(
            f"the header of {typed(path)} cannot be read: {words_of(error) or 'it does not end'}; close its quotes, "
            "and double those inside of a cell"
        ) from None
    if not any(name.strip() for name in header):
        raise UsageError(f"the rows file {typed(path)} has no header line")
    names = header if header[0].strip() else header[1:]
    if len(set(names)) != len(names) or any(not name.strip() for name in names):
        raise UsageError(f"the header of {typed(path)} has an empty or a repeated column: {', '.join(header)}")
    if has_strange_bytes("".join(header)):
        raise UsageError(f"the header of {typed(path)} is {strange(path, file.encoding)}")
    return delimiter, header


def _delimiter(file: str, header: str) -> str:
    """Return what stands between the cells of a header.

    Raises:
        UsageError: It has several of them, and no comma.
    """
    unquoted = re.sub(r'"[^"]*"', "", header)
    present = [char for char in _OTHERS if char in unquoted]
    if "," in unquoted or not present:
        return ","
    if len(present) > 1:
        words = " and ".join(repr(char) for char in present)
        raise UsageError(
            f"the header of {file} has no comma but {words}: which stands between its columns is not clear"
        )
    return present[0]
