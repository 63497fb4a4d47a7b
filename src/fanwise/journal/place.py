"""Whether a journal can still be written where it stands, and what is said where it cannot."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from fanwise.errors import NotKeptError
from fanwise.paths import typed

_MISTAKES = (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.DataError, sqlite3.InternalError)
"""What SQLite says of statements that are wrong: a bug of ours. All else is of the file or its disk."""


class Place:
    """The file of a journal that is open.

    A file that is open can be written after its folder was removed, without any error; nothing of that is kept.
    """

    def __init__(self, path: Path) -> None:
        """Take note of the file as it stands.

        Args:
            path: Of the journal, which is there.
        """
        self._path = path
        self._file = self._stamp()

    def _stamp(self) -> tuple[int, int]:
        status = os.stat(self._path)
        return status.st_dev, status.st_ino

    def check(self) -> None:
        """Check that the file is still where it was; two microseconds.

        Raises:
            NotKeptError: It was removed, moved or replaced.
        """
        try:
            is_there = self._stamp() == self._file
        except OSError:
            is_there = False
        if not is_there:
            raise NotKeptError(
                f"{typed(self._path)} was removed or moved while the run was at work, so nothing more can be kept in "
                "it; nothing more is sent"
            )


@contextmanager
def writing(folder: Path) -> Generator[None]:
    """Say in words of ours that what is written within could not be written.

    Args:
        folder: Where it is written.

    Raises:
        NotKeptError: It could not; the disk is full, or failed.
    """
    try:
        yield
    except (sqlite3.DatabaseError, OSError) as error:
        if isinstance(error, _MISTAKES):
            raise
        raise not_kept(folder, error) from error


def not_kept(folder: Path, error: Exception) -> NotKeptError:
    """Return what a run ends with that cannot write in its directory.

    Args:
        folder: The directory.
        error: Why.
    """
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return NotKeptError(f"nothing can be written in {typed(folder)} ({reason}): nothing more is sent; make room there")
