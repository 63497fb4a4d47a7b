"""A whole journal into SQLite: the account of a run in any other store is made from such a copy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from fanwise.errors import FanwiseError, RunDirectoryError
from fanwise.paths import typed

from .port import Journal
from .records import Record
from .sqlite import SqliteJournal

CHUNK = 10_000
"""Records that are written at a time."""


def copied(source: Journal, path: Path) -> SqliteJournal:
    """Return a new journal at a path that holds all records of another; who called closes it.

    Raises:
        FanwiseError: Some records have not come over.
        RunDirectoryError: There is something at the path already.
    """
    if path.exists():
        raise RunDirectoryError(f"there is something at {typed(path)} already; a copy of a journal goes to a new file")
    target = SqliteJournal(path)
    sent, records = Counter[type[Record]](), source.records()
    while chunk := list(islice(records, CHUNK)):
        target.restore(chunk)
        sent.update(map(type, chunk))
    arrived = Counter(map(type, target.records()))
    if arrived != sent:
        target.close()
        raise FanwiseError(f"a copy of a journal is not whole: {_difference(sent, arrived)}; this is a bug of fanwise")
    return target


def _difference(sent: Counter[type[Record]], arrived: Counter[type[Record]]) -> str:
    return ", ".join(_lines(sent, arrived))


def _lines(sent: Counter[type[Record]], arrived: Counter[type[Record]]) -> Iterator[str]:
    """Yield the kinds of records of which not all have arrived."""
    for kind in sent | arrived:
        if sent[kind] != arrived[kind]:
            yield f"{arrived[kind]} of {sent[kind]} {kind.__name__}"
