"""All that a journal in SQLite holds: open to be looked into, and to be added to."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fanwise.errors import RunDirectoryError
from fanwise.journal.numbers import AttemptNumbers
from fanwise.journal.records import Record
from fanwise.journal.tables import TABLES, select
from fanwise.paths import typed

from .commits import Commits
from .writer import SETTINGS, Writer


class ContentsInSqlite:
    """The records, behind a connection that reads."""

    def __init__(self, db: sqlite3.Connection) -> None:
        """Look into a journal.

        Args:
            db: Connection that reads; who gave it closes it.
        """
        self.db = db

    def _value(self, query: str, *args: Any) -> Any:
        """Return the first value that a query gives."""
        return self.db.execute(query, args).fetchone()[0]

    def records(self) -> Iterator[Record]:
        """Yield all that is kept, kind by kind, once it is durable."""
        for table in TABLES.values():
            yield from select(self.db, table.kind, f"SELECT * FROM {table.name}")


class WritableContents(ContentsInSqlite):
    """The records, and what is to be written of them."""

    def __init__(self, path: Path) -> None:
        """Open a journal that is there, to work on it.

        Args:
            path: Its file.

        Raises:
            RunDirectoryError: It is no journal, or cannot be written.
        """
        self.path = path
        self._writer = Writer(path)
        self._commits = Commits(self._writer)
        super().__init__(sqlite3.connect(path, isolation_level=None, check_same_thread=False))  # for the event loop
        try:
            self._writer.set_up()
            self.db.executescript(SETTINGS)
            self.db.execute("PRAGMA cache_size=-512")  # KiB: the system's own cache holds the file anyway
            self._read_numbers()
        except sqlite3.OperationalError as error:
            raise RunDirectoryError(f"{typed(path)} cannot be written: {error}; make room there") from None
        except sqlite3.DatabaseError as error:
            raise RunDirectoryError(f"{typed(path)} is not a journal: {error}; choose another directory") from None
        self._texts: dict[str, str] = {}
        """Short texts that were added by this session, with their hashes."""

    def _read_numbers(self) -> None:
        """Go on from the highest numbers that are kept."""
        self._numbers = AttemptNumbers(self._value("SELECT COALESCE(MAX(id),0) FROM attempts"))
        self._intent: int = self._value("SELECT COALESCE(MAX(intent),0) FROM batches")
        self.session: int = self._value("SELECT COALESCE(MAX(id),0) FROM sessions")

    def close(self) -> None:
        """Write what is buffered and close the file.

        Raises:
            NotKeptError: It cannot be written.
        """
        try:
            self._commits.write()
            self._writer.empty_log()
        finally:
            self.db.close()
            self._writer.close()
