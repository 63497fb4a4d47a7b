"""Rows out of CSV: no cell is too long, and what a quote that never closes has swallowed is no row and is said."""

from __future__ import annotations

import csv
import re
import sys
from collections import deque
from collections.abc import Iterator

from .csvheader import header_of
from .csvlines import BEHIND, CsvLines, TooLongError, words_of
from .encodings import cannot_be_decoded, has_strange_bytes, opened, printable_bytes, strange
from .records import MOST_CHARS, MOST_RAW, Record, RowsFile, unread

_WHOLE = re.compile(r'"(?:[^"]|"")*"[\r\n]*')
"""A line that is a quoted cell, from its first character to its last."""
_MOST_WRONG = 10
"""Lines behind an open quote are rows where at most one of so many has not as many cells as the header."""


def read_csv(file: RowsFile) -> Iterator[Record]:
    """Yield the records of a CSV file.

    Raises:
        UsageError: Its header cannot be used, or it cannot be read in the encoding that is named.
    """
    if csv.field_size_limit() < MOST_CHARS:
        csv.field_size_limit(min(MOST_CHARS, sys.maxsize))  # of the whole process: there is no other one
    try:
        with opened(file.path, file.encoding, newline="") as stream:
            lines = CsvLines(stream)
            delimiter, header = header_of(file, lines)
            yield from _Csv(file, lines, delimiter, header).records()
    except UnicodeError as error:
        raise cannot_be_decoded(file.path, file.encoding, error) from None


class _Csv:
    """Reads the records behind a header."""

    def __init__(self, file: RowsFile, lines: CsvLines, delimiter: str, header: list[str]) -> None:
        self._file, self._lines, self._delimiter = file, lines, delimiter
        self._width = len(header)
        self._skipped = 0 if header[0].strip() else 1
        """Columns in front that are passed over: an index has no name."""
        self._names = header[self._skipped :]
        self._is_never_closed = False
        """Whether it is known that no cell of one column is closed any more to the end of the file."""

    def records(self) -> Iterator[Record]:
        """Yield them."""
        lines, reader = self._lines, self._reader()
        while True:
            lines.next_record()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except (csv.Error, TooLongError) as error:
                yield self._broken(words_of(error))
                reader = self._reader()
                continue
            if cells:
                yield self._record(cells)

    def _reader(self) -> Iterator[list[str]]:
        return csv.reader(self._lines, delimiter=self._delimiter, strict=True)

    def _record(self, cells: list[str]) -> Record:
        number, raw = self._lines.number, self._lines.raw
        if has_strange_bytes(raw):
            return unread(number, number, printable_bytes(raw), strange(self._file.path, self._file.encoding))
        if len(cells) != self._width:
            return unread(number, number, raw, f"has {len(cells)} cells, the header has {self._width}")
        data = dict(zip(self._names, cells[self._skipped :] if self._skipped else cells, strict=True))
        return Record(number=number, locator=number, data=data, raw=raw, is_text=True)

    def _broken(self, why: str) -> Record:
        """Return the record that is broken, and end it where it most probably ends.

        Quotes that stand inside of a quoted cell belong to it, up to one that a delimiter or the end of a line
        follows. What is swallowed so is read again only where nearly all of it has as many cells as the header:
        a line of a text must never become a row.
        """
        lines, goes_on = self._lines, False
        is_first = why == BEHIND and len(lines.record) == 1
        if is_first and self._width == 1 and self._stands_alone():
            lines_are_rows = f"not valid CSV: {BEHIND}; the next lines are read as rows"
            return unread(lines.number, lines.number, printable_bytes(lines.raw[:MOST_RAW]), lines_are_rows)
        # Where it is seen on a later line, that quote may open a cell there, and an earlier one is not closed.
        open_quote = why if is_first else "a quote is not closed"
        for line in lines.record:
            goes_on = self._goes_on(line, inside=goes_on)
        try:
            while goes_on:
                goes_on = self._goes_on(next(lines), inside=True)
        except (StopIteration, TooLongError):
            pass
        swallowed, number = len(lines.record) - 1, lines.number
        raw = printable_bytes("".join(lines.record)[:MOST_RAW]).rstrip("\r\n")
        if swallowed and self._are_rows(lines.record[1:]):
            raw = printable_bytes(lines.record[0][:MOST_RAW]).rstrip("\r\n")
            lines.keep_first()
            return unread(number, number, raw, f"not valid CSV: {open_quote}; the next lines are read as rows")
        if goes_on:
            ended = self._to_end_of_cell()
            more = f", and {swallowed + ended:,} lines behind it are none of any row" if swallowed + ended else ""
            return unread(number, number, raw, f"not valid CSV: {open_quote}{more}")
        over = f" (it goes to line {number + swallowed})" if swallowed else ""
        return unread(number, number, raw, f"not valid CSV: {why}: double a quote inside of a quoted cell{over}")

    def _stands_alone(self) -> bool:
        """Return whether a line of one column with text behind its quote is one row, and no cell of several lines.

        Such a cell would end with a quote on a line that does not begin with one. Where a line that is a quoted cell
        by itself comes first, or the file ends, the lines behind it are rows.
        """
        lines, goes_on = self._lines, True
        while goes_on and not self._is_never_closed:
            try:
                line = next(lines)
            except (StopIteration, TooLongError):
                self._is_never_closed = True  # nor is any such line further down
                break
            if _WHOLE.fullmatch(line):
                break
            goes_on = self._goes_on(line, inside=True)
        lines.keep_first()
        return goes_on

    def _to_end_of_cell(self) -> int:
        """Pass over a cell that is longer than any may be; return how many lines that were."""
        passed, goes_on = 0, True
        while goes_on:
            kept = len(self._lines.record)
            try:
                line = next(self._lines)
            except StopIteration:
                break
            except TooLongError:
                line = self._lines.record[-1]
            goes_on = self._goes_on(line, inside=True)
            if len(self._lines.record) > kept:
                self._lines.record[-1] = ""  # counted, and not kept
            passed += 1
        return passed

    def _goes_on(self, line: str, *, inside: bool) -> bool:
        """Return whether a quoted cell is open at the end of a line.

        Args:
            line: The line.
            inside: Whether one was open at its beginning.
        """
        place, delimiter = 0, self._delimiter
        if not inside:
            inside = line.startswith('"')
            place = int(inside)
        while True:
            if inside:
                place = line.find('"', place) + 1
                if not place:
                    return True
                behind = line[place : place + 1]
                if behind == '"':
                    place += 1
                    continue
                if behind not in ("", delimiter, "\r", "\n"):
                    continue
            place = line.find(delimiter, place) + 1
            if not place:
                return False
            inside = line.startswith('"', place)
            place += inside

    def _are_rows(self, swallowed: list[str]) -> bool:
        """Return whether lines that an open quote has swallowed are rows, and no text."""
        if self._width == 1:
            return False  # every line of a text would be one
        right = wrong = 0
        left = deque(swallowed)
        reader = csv.reader(iter(left.popleft, None), delimiter=self._delimiter, strict=True)
        while left:
            try:
                cells = next(reader)
            except IndexError:  # the last one goes on behind these lines
                break
            except csv.Error:
                wrong += 1
                reader = csv.reader(iter(left.popleft, None), delimiter=self._delimiter, strict=True)
                continue
            right += len(cells) == self._width
            wrong += bool(cells) and len(cells) != self._width
        return right > 0 and wrong * _MOST_WRONG <= right
