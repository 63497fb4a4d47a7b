"""The run directory: who holds it, what job it is of, and the files that others read."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType

from fanwise.errors import RunDirectoryError
from fanwise.journal import opening
from fanwise.journal.copy import copied
from fanwise.journal.port import Journal
from fanwise.journal.reader import Book, JournalReader
from fanwise.journal.schema import VERSION
from fanwise.journal.sqlite import SqliteJournal
from fanwise.journal.upgrade import carry_over
from fanwise.journal.version import version_of
from fanwise.paths import typed

from .entries import JOURNAL, check_entries
from .lock import hold, is_held


def holds_run(directory: str | Path) -> bool:
    """Return whether a directory has the journal of a run."""
    return os.path.exists(Path(directory) / JOURNAL)  # False for names that no system takes, where pathlib raises


@contextmanager
def reading(directory: str | Path) -> Generator[JournalReader]:
    """Open the journal of a run to look into it, beside whoever works on it; nothing is changed.

    Raises:
        RunDirectoryError: It is no run directory, or its journal cannot be read.
    """
    path = Path(directory) / JOURNAL
    if not holds_run(directory):
        raise RunDirectoryError(f"{typed(directory)} is no run directory: it has no {JOURNAL}")
    check_entries(directory)
    with opening.reading(path, held=is_held(directory)) as journal:
        yield journal


@contextmanager
def peeking(directory: str | Path) -> Generator[Book]:
    """Open the book of a run, as `reading` does.

    Raises:
        RunDirectoryError: It is no run directory, or its journal cannot be read.
    """
    with reading(directory) as journal:
        yield journal.db


def bring_up_to_date(directory: str | Path) -> None:
    """Carry the journal of a run over, where it is of an earlier version.

    Raises:
        RunDirectoryError: It is in use, cannot be read, or cannot be carried over.
    """
    if not holds_run(directory):
        return
    check_entries(directory)
    if version_of(Path(directory) / JOURNAL) < VERSION:
        with RunDirectory(Path(directory), create=False):  # who holds it may, and nobody else
            pass


class RunDirectory:
    """A run directory, held by this process until it is closed."""

    def __init__(self, path: Path, *, create: bool, journal: Journal | None = None) -> None:
        """Open a run directory.

        Args:
            path: The folder.
            create: True for a new run, False to go on with one.
            journal: Where the run is kept while it is worked on; None: in SQLite, in the directory.

        Raises:
            RunDirectoryError: It is missing, used, locked, or no run directory; or the journal holds a run, or none can
                be made there, which leaves nothing behind.
        """
        self.path, self._closed = path, False
        try:
            self._created = [folder for folder in (path, *path.parents) if not folder.exists()]
            """Folders that are created here, the innermost first."""
            _check(path, create=create)
            self._mode = None if self._created else path.stat().st_mode & 0o777
            """Permissions of a folder that was there before; None where it is created here."""
        except OSError as error:
            raise _unusable(path, error) from None
        if journal is not None and next(journal.records(), None) is not None:
            raise RunDirectoryError(
                "the journal that was passed in holds a run already; pass in a new one, or go on with that run by "
                "`fanwise resume` of its directory"
            )
        if not create:
            check_entries(path)
            version_of(path / JOURNAL)  # what cannot be read is refused before anything of its directory is touched
        self._lock = _locked(path)
        try:
            if not create:
                carry_over(path / JOURNAL)
            self.journal: Journal = SqliteJournal(path / JOURNAL) if journal is None else journal
        except BaseException:
            os.close(self._lock)  # whoever tries again in this process finds it free
            if create:
                self._remove()
            raise
        self._book: SqliteJournal | None = self.journal if isinstance(self.journal, SqliteJournal) else None

    def __enter__(self) -> RunDirectory:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def book(self) -> SqliteJournal:
        """Return the journal from which the account is made: a run in SQLite is its own, any other is copied once.

        Raises:
            FanwiseError: The copy is not whole.
        """
        if self._book is None:
            self._book = copied(self.journal, self.path / JOURNAL)
        return self._book

    def discard(self) -> None:
        """Close it and remove what was made of it: nothing has begun in it."""
        self.close()
        self._remove()

    def _remove(self) -> None:
        """Remove what was made of a directory in which no run was."""
        for entry in self.path.iterdir():
            entry.unlink()
        if self._mode is not None:
            self.path.chmod(self._mode)
        with suppress(OSError):  # somebody has put something beside it
            for folder in self._created:
                folder.rmdir()

    def close(self) -> None:
        """Close the journal and let the directory go; closing again does nothing."""
        if not self._closed:
            self._closed = True
            with ExitStack() as stack:  # each of them, though the disk is full
                stack.callback(os.close, self._lock)
                if self._book is not None and self._book is not self.journal:
                    stack.callback(self._book.close)
                self.journal.close()


def _check(path: Path, *, create: bool) -> None:
    """Check that a folder is one that a run can begin in, or one that holds a run.

    Raises:
        RunDirectoryError: It is not.
    """
    has_run = (path / JOURNAL).exists()
    if not create:
        if not has_run:
            raise RunDirectoryError(f"{typed(path)} is no run directory: it has no {JOURNAL}")
    elif has_run:
        version_of(path / JOURNAL)  # of a start that was killed it is empty: there is nothing to go on with
        raise RunDirectoryError(
            f"{typed(path)} holds another run; go on with it by `fanwise resume {typed(path)}`, or choose another --out"
        )
    elif path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise RunDirectoryError(f"{typed(path)} exists and is not empty; choose another --out")


def _locked(path: Path) -> int:
    """Create a folder where there is none, for its owner alone, and lock it; return the lock's descriptor.

    Raises:
        RunDirectoryError: It cannot be used, or another process works on it.
    """
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = hold(path)
    except BlockingIOError:
        raise RunDirectoryError(f"another process works on {typed(path)}; wait for it, or stop it") from None
    except OSError as error:
        raise _unusable(path, error) from None
    try:
        path.chmod(0o700)
    except OSError as error:
        os.close(lock)
        raise _unusable(path, error) from None
    return lock


def _unusable(path: Path, error: OSError) -> RunDirectoryError:
    return RunDirectoryError(f"{typed(path)} cannot be used: {error.strerror}; choose another directory")
