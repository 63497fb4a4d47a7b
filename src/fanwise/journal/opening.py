"""The opening of a journal to be read alone: nothing of it is changed, whoever wrote it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Generator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from urllib.parse import quote

from fanwise.errors import RunDirectoryError
from fanwise.paths import typed

from .counting import show_as_counted
from .reader import JournalReader
from .schema import VERSION
from .upgrade import carry_over
from .version import check_version, version_of


@contextmanager
def reading(path: Path, *, held: bool) -> Generator[JournalReader]:
    """Open a journal to read it alone: nothing of it is changed, nor of its folder where nobody works on it.

    What a killed process left in its log is read with it, from a copy of both in a temporary folder. So is a journal of
    an earlier version, whose copy is carried over.

    Args:
        path: Its file.
        held: Whether a process works on it.

    Raises:
        RunDirectoryError: It is no journal, or of a newer version, or of an earlier one and a process works on it; it
            is damaged, or a process has begun to work on it meanwhile and what was read may not fit together.
    """
    is_older = version_of(path) < VERSION
    if held or not is_older:
        check_version(path)
    with ExitStack() as stack:
        file, how = path, "mode=ro"
        if is_older:
            file = stack.enter_context(_copied_aside(path))
            carry_over(file)
        elif not held and _stamp(_log_of(path)).size:
            # In its place SQLite would make an index of the log, which needs a folder that can be written.
            file = stack.enter_context(_copied_aside(path))
        elif not held:
            # Without a log the file is all there is, and is read as it stands: SQLite would make a log and an index
            # for it, which belong to whoever reads.
            how = "immutable=1"
            stack.enter_context(_left_alone(path))
        stack.enter_context(_damage_in_words(path))
        address = f"file:{quote(str(file.resolve()))}?{how}"
        db = stack.enter_context(closing(sqlite3.connect(address, uri=True, timeout=10)))
        show_as_counted(db)
        yield JournalReader(db)


@contextmanager
def _copied_aside(path: Path) -> Generator[Path]:
    """Yield a copy of a journal with its log, if it has one, as they stood at one moment; it is removed at the end.

    Raises:
        RunDirectoryError: They cannot be copied, or a process has begun to work on them meanwhile.
    """
    files = (path, _log_of(path))
    before = [_stamp(file) for file in files]
    with ExitStack() as stack:
        try:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="fanwise-")))
            for file in filter(Path.exists, files):
                shutil.copyfile(file, folder / file.name)
        except OSError as error:
            if [_stamp(file) for file in files] != before:
                raise _begun_meanwhile(path) from None
            raise RunDirectoryError(
                f"{typed(path)} is read from a copy, since it has a log or is of an earlier version, and none can be "
                f"made: {error.strerror}; name a folder with room for it in TMPDIR"
            ) from None
        if [_stamp(file) for file in files] != before:
            raise _begun_meanwhile(path)
        yield folder / path.name


@contextmanager
def _left_alone(path: Path) -> Generator[None]:
    """Check that nobody has written a journal while it was read.

    Raises:
        RunDirectoryError: Somebody has.
    """
    before = _stamp(path)
    try:
        yield
    except RunDirectoryError:
        if _stamp(path) == before:
            raise
    if _stamp(path) != before:
        raise _begun_meanwhile(path)


@contextmanager
def _damage_in_words(path: Path) -> Generator[None]:
    """Say in a line that a journal cannot be read.

    Raises:
        RunDirectoryError: SQLite has met something that it cannot read.
    """
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise RunDirectoryError(f"{typed(path)} cannot be read: {error}") from None


def _begun_meanwhile(path: Path) -> RunDirectoryError:
    return RunDirectoryError(f"a process has begun to work on {typed(path.parent)} while it was read; read it again")


def _log_of(path: Path) -> Path:
    """Return where SQLite keeps what has not come into a journal's file yet."""
    return Path(f"{path}-wal")


class _Stamp(NamedTuple):
    """What changes when a file is written."""

    size: int
    """Bytes."""
    mtime_ns: int


def _stamp(path: Path) -> _Stamp:
    """Return the stamp of a file; of one that is not there, that of nothing."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return _Stamp(0, 0)
    return _Stamp(status.st_size, status.st_mtime_ns)
