"""The lines of a CSV file, as `csv` takes them; and what it says of a record that is broken."""

from __future__ import annotations

import csv
from collections import deque
from typing import TextIO

from .records import MOST_CHARS

_BEHIND_A_QUOTE = "expected after '\"'"
"""How `csv` ends its words, which begin with the delimiter, where a closing quote is followed by anything else."""
BEHIND = "text stands behind a closing quote"


class TooLongError(Exception):
    """A record goes on and on."""


class CsvLines:
    """The lines of a file, as `csv` takes them; those of the present record are kept."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._again = deque[str]()
        self.number = 1
        """Of the present record's first line."""
        self.record: list[str] = []
        self._chars = 0

    def __iter__(self) -> CsvLines:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._stream.readline(MOST_CHARS)
        if not line:
            raise StopIteration
        self.record.append(line)
        self._chars += len(line)
        if self._chars > MOST_CHARS:
            raise TooLongError
        return line

    def next_record(self) -> None:
        """Begin a record where the last one has ended."""
        self.number += len(self.record)
        self.record = []
        self._chars = 0

    def give_again(self, line: str) -> None:
        """Give a line that was taken once more."""
        self._again.appendleft(line)

    def keep_first(self) -> None:
        """End the record behind its first line; the others are given again."""
        self._again.extendleft(reversed(self.record[1:]))
        del self.record[1:]
        self._chars = len(self.record[0])

    @property
    def raw(self) -> str:
        """The record as it stands in the file."""
        return "".join(self.record).rstrip("\r\n")


def words_of(error: csv.Error | TooLongError) -> str:
    """Return what is wrong with a record; empty where it goes on and on."""
    return BEHIND if str(error).endswith(_BEHIND_A_QUOTE) else str(error)
