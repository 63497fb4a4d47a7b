"""The connection that writes a journal in SQLite.

`synchronous` is FULL: once writes are grouped it costs nothing and survives a loss of power.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from fanwise.journal.place import Place, writing
from fanwise.journal.records import ReachedRecord, RowRecord
from fanwise.journal.schema import MOVES, RECOUNT, ROW_BEFORE, SEVERAL
from fanwise.journal.tables import TABLES

SETTINGS = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=10000;"
"""Of every connection of who works on a journal."""


class Recount(NamedTuple):
    """What corrects an attempt: how many of its characters its row had sent before. It is kept there alone."""

    attempt: int
    repeated: int


Buffer = dict[type[Any], list[Any]]
"""What is to be written, by kind: records, and corrections of them."""


class Writer:
    """A connection that writes; one write at a time."""

    def __init__(self, path: Path) -> None:
        """Open a journal to write it.

        Args:
            path: Its file, which is there.
        """
        self._folder = path.parent
        self._place = Place(path)
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)

    def set_up(self) -> None:
        """Set up the connection.

        Raises:
            sqlite3.DatabaseError: The file is no journal.
        """
        self._db.executescript(SETTINGS)
        self._db.execute("PRAGMA wal_autocheckpoint=4000")  # pages: a page written often is copied over once

    def run(self, statement: str, values: Any = ()) -> sqlite3.Cursor:
        """Carry out a statement that writes, at once.

        Raises:
            NotKeptError: It cannot be written.
        """
        with writing(self._folder):
            return self._db.execute(statement, values)

    @contextmanager
    def transaction(self) -> Generator[sqlite3.Connection]:
        """Yield the connection; what is written by it in the block is kept whole, or not at all.

        Raises:
            NotKeptError: It cannot be written.
        """
        with writing(self._folder):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._place.check()
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def write(self, buffer: Buffer, served: dict[int, int]) -> None:
        """Write records and corrections of them: all, or none.

        Args:
            buffer: What is written, by kind.
            served: How many tasks the attempts serve of which something is written, by their numbers.

        Raises:
            NotKeptError: It cannot be written.
        """
        if buffer:
            with writing(self._folder):
                self._db.execute("BEGIN IMMEDIATE")
                self._insert(buffer, served)

    def _insert(self, buffer: Buffer, served: dict[int, int]) -> None:
        """Write records into the transaction that was begun, and commit it."""
        try:
            for kind, records in buffer.items():
                if kind is Recount:
                    self._db.executemany(RECOUNT, records)
                    continue
                table = TABLES[kind]
                self._db.executemany(table.insert, records if table.values is None else map(table.values, records))
            moved = (row for row in buffer.get(RowRecord, ()) if row.session > 1)
            self._db.executemany(ROW_BEFORE, ((row.row_id, row.number, row.session) for row in moved))
            for move in MOVES if ReachedRecord in buffer else ():
                self._db.executemany(move, ((reached.row, reached.key) for reached in buffer[ReachedRecord]))
            self._db.executemany(SEVERAL, ((attempt,) for attempt, tasks in served.items() if tasks > 1))
            self._place.check()
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # what is short of room is rolled back by SQLite itself
                self._db.execute("ROLLBACK")
            raise

    def empty_log(self) -> None:
        """Bring what is in the log into the file, where there is room for it; it is read from the log otherwise."""
        with suppress(sqlite3.OperationalError):
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close the connection."""
        self._db.close()
