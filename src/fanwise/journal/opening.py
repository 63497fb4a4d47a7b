"""Whether a file is a journal that can be opened here, and its opening to be read alone.

The version stands in the header of the file, so that a journal of another version is refused before anything
opens it: opening a database may write to its folder.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from fanwise.errors import RunDirectoryError

from .reader import JournalReader
from .schema import APPLICATION, FIRST_VERSION, VERSION

_MAGIC = b"SQLite format 3\0"
_HEADER_BYTES, _VERSION_AT, _APPLICATION_AT = 100, 60, 68
""""Database File Format", section 1.3 (read 2026-11-28): both are big-endian numbers of four bytes."""


def version_of(path: Path) -> int:
    """Return the version of a journal, by the header of its file; nothing of its folder is changed.

    Raises:
        RunDirectoryError: It is no journal, or one from before the first version that is kept.
    """
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
    except OSError as error:
        raise RunDirectoryError(f"{path} cannot be read: {error.strerror}") from None
    if not header:
        raise RunDirectoryError(f"{path} is empty: its run never began; remove its directory and run again")
    if len(header) < _HEADER_BYTES or not header.startswith(_MAGIC):
        raise RunDirectoryError(f"{path} is not a journal: file is not a database; choose another directory")
    version, application = (
        int.from_bytes(header[place : place + 4], "big") for place in (_VERSION_AT, _APPLICATION_AT)
    )
    if application != APPLICATION or version < FIRST_VERSION:
        raise RunDirectoryError(
            f"{path} was written before the first release of fanwise, by a version whose journals are not read any "
            "more; it is left as it is: run again with another --out"
        )
    return version


def check_version(path: Path) -> None:
    """Refuse a journal that cannot be opened as it is.

    Raises:
        RunDirectoryError: It is no journal, or of another version.
    """
    version = version_of(path)
    if version > VERSION:
        raise RunDirectoryError(
            f"{path} was written by a newer fanwise (journal {version}, here {VERSION}); open it with that one"
        )
    if version < VERSION:
        raise RunDirectoryError(
            f"{path} was written by an earlier fanwise (journal {version}, here {VERSION}); "
            f"`fanwise resume {path.parent}` carries it over"
        )


@contextmanager
def reading(path: Path, *, held: bool) -> Generator[JournalReader]:
    """Open a journal to read it alone: nothing of it is changed, nor of its folder where nobody works on it.

    Args:
        path: Its file.
        held: Whether a process works on it.

    Raises:
        RunDirectoryError: It is no journal of this version, it is damaged, or a process has begun to work on it
            meanwhile and what was read may not fit together.
    """
    check_version(path)
    wal = Path(f"{path}-wal")
    # Without a log the file is all there is, and is read as it stands: SQLite would make a log and an index for it,
    # which belong to whoever reads. What a killed process left in its log is read with it.
    still = not held and not (wal.exists() and wal.stat().st_size)
    before = _stamp(path)
    try:
        with closing(_connect(path, "immutable=1" if still else "mode=ro")) as db:
            yield JournalReader(db)
    except sqlite3.DatabaseError as error:
        if not still or _stamp(path) == before:
            raise RunDirectoryError(f"{path} cannot be read: {error}") from None
    if still and _stamp(path) != before:
        raise RunDirectoryError(f"a process has begun to work on {path.parent} while it was read; read it again")


def _connect(path: Path, how: str) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path.resolve()))}?{how}", uri=True, timeout=10)


def _stamp(path: Path) -> tuple[int, int]:
    """Return what changes when a file is written."""
    status = path.stat()
    return status.st_mtime_ns, status.st_size
