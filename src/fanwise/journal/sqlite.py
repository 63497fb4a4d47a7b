"""The journal in SQLite: one file in the run directory, group commit, full durability."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from fanwise.errors import RunDirectoryError
from fanwise.paths import typed

from .insqlite.additions import AdditionsInSqlite
from .insqlite.sessions import SessionsInSqlite
from .insqlite.told import ToldInSqlite
from .reader import Book, JournalReader
from .records import AskRecord, Record
from .schema import APPLICATION, TABLES, VERSION
from .version import check_version
from .views import VIEWS


def _make(path: Path) -> None:
    """Make an empty journal, at once and whole: before that the file is empty, and its run never began.

    Raises:
        RunDirectoryError: It cannot be written there.
    """
    try:
        path.touch(mode=0o600)
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            header = f"PRAGMA application_id={APPLICATION}; PRAGMA user_version={VERSION};"
            db.executescript(f"BEGIN; {header} {TABLES} {VIEWS} COMMIT;")
    except (sqlite3.OperationalError, OSError) as error:
        raise RunDirectoryError(
            f"{typed(path)} cannot be written: {error}; make room there, or choose another --out"
        ) from None


@contextmanager
def empty_book() -> Generator[Book]:
    """Open a book in which nothing is, and which is in no file."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.executescript(f"BEGIN; {TABLES} {VIEWS} COMMIT;")
        yield db


class SqliteJournal(SessionsInSqlite, AdditionsInSqlite, ToldInSqlite, JournalReader):
    """A journal in a file; one per run directory, held by one process."""

    def __init__(self, path: Path) -> None:
        """Open a journal, or make one.

        Args:
            path: Its file.

        Raises:
            RunDirectoryError: There is something else, or a journal of another version; it is not touched. Or
                none can be made there.
        """
        if path.exists():
            check_version(path)
        else:
            _make(path)
        super().__init__(path)

    def restore(self, records: Sequence[Record]) -> None:
        """Write records as another journal has kept them, at once; nobody is told of them."""
        for record in records:
            if isinstance(record, AskRecord):
                self._commits.add_asks(record.attempt, (record,), record.place + 1)
            else:
                self._commits.add(type(record), record)
        self._commits.write()
        self._read_numbers()
