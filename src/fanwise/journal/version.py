"""Whether a file is a journal, and of which version.

The version stands in the header of the file, so that a journal of another version is known before anything opens it:
opening a database may write to its folder.
"""

from __future__ import annotations

from pathlib import Path

from fanwise.errors import RunDirectoryError
from fanwise.paths import typed

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
        raise RunDirectoryError(f"{typed(path)} cannot be read: {error.strerror}") from None
    if not header:
        raise RunDirectoryError(f"{typed(path)} is empty: its run never began; remove its directory and run again")
    if len(header) < _HEADER_BYTES or not header.startswith(_MAGIC):
        raise RunDirectoryError(f"{typed(path)} is not a journal: file is not a database; choose another directory")
    version, application = (
        int.from_bytes(header[place : place + 4], "big") for place in (_VERSION_AT, _APPLICATION_AT)
    )
    if application != APPLICATION or version < FIRST_VERSION:
        raise RunDirectoryError(
            f"{typed(path)} was written before the first release of fanwise, by a version whose journals are not read "
            "any more; it is left as it is: run again with another --out"
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
            f"{typed(path)} was written by a newer fanwise (journal {version}, here {VERSION}); open it with that one"
        )
    if version < VERSION:
        raise RunDirectoryError(
            f"{typed(path)} was written by an earlier fanwise (journal {version}, here {VERSION}); "
            f"`fanwise resume {typed(path.parent)}` carries it over"
        )
