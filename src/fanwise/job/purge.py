"""The removal of all content of a run; the account stays.

Only what a run writes is removed, by its name, and only regular files in the directory itself: whatever else stands
there is somebody's, and a link leads to what is somebody's.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from fanwise.rendering.export import TABLES

from .directory import RunDirectory
from .entries import EMULATOR, INPUTS

_DERIVED = ("results.jsonl", "rejects.jsonl", "report.html")
_REPLACED = (*_DERIVED, *INPUTS, "summary.json", "looks.json", "changes.jsonl")
_TABLES = tuple(table.name for table in TABLES)
_HAS_DIR_FD = os.open in os.supports_dir_fd and os.unlink in os.supports_dir_fd and os.stat in os.supports_dir_fd
_TEMPORARY = r"\.[a-z0-9_]{8}"
"""What `tempfile.mkstemp` adds to a prefix; a process that was killed leaves such files."""
_FILES = "|".join(map(re.escape, (*_DERIVED, *EMULATOR, *INPUTS)))
IN_RUN = re.compile(rf"{_FILES}|\.(?:{'|'.join(map(re.escape, _REPLACED))}){_TEMPORARY}")
IN_EXPORT = re.compile(rf"(?:{'|'.join(_TABLES)})\.(?:csv|jsonl|parquet)|\.(?:{'|'.join(_TABLES)}){_TEMPORARY}")


@dataclass(frozen=True, slots=True)
class Purged:
    """What a purge has done."""

    records: int
    """Records of the journal whose content is gone."""
    left: tuple[str, ...]
    """Paths of what stands under the names of a run, or in its export folder, and was not written by one."""


def purge_content(directory: str) -> Purged:
    """Remove blocks, values, outputs, rejected rows and error texts, and the files that show them.

    Tables and pages that were written elsewhere are not known here, and stay.

    Raises:
        RunDirectoryError: It is no run directory, or a process works on it.
    """
    with RunDirectory(Path(directory), create=False) as held:
        folder = held.path.resolve()  # the directory itself may be named by a link: that is the user's word
        removed = held.journal.purge()
        left = list(_removed(folder, IN_RUN))
        export = folder / "export"
        if _is_folder(export):
            left += _removed(export, IN_EXPORT, all_others=True)
        elif os.path.lexists(export):
            left.append(str(export))
    return Purged(removed, tuple(left))


def _is_folder(path: Path) -> bool:
    """Return whether a path is a folder, and no link to one."""
    with suppress(OSError):
        return stat.S_ISDIR(os.lstat(path).st_mode) and not _is_junction(path)
    return False


def _removed(folder: Path, names: re.Pattern[str], *, all_others: bool = False) -> Iterator[str]:
    """Remove the regular files of a folder that have certain names; yield the paths of what is left.

    Args:
        folder: No link.
        names: Of what a run writes there.
        all_others: Whether to yield what has other names too.
    """
    with _opened(folder) as handle:
        for name in sorted(os.listdir(folder if handle is None else handle)):
            is_ours = names.fullmatch(name) is not None
            if is_ours and _unlinked(folder, name, handle):
                continue
            if is_ours or all_others:
                yield str(folder / name)


@contextmanager
def _opened(folder: Path) -> Generator[int | None]:
    """Yield a descriptor of a folder, so that a link that takes its place is not followed; None on Windows."""
    if not _HAS_DIR_FD:
        yield None
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        yield handle
    finally:
        os.close(handle)


def _unlinked(folder: Path, name: str, handle: int | None) -> bool:
    """Remove a file; return False, and leave it, where it is a link or anything else that is no regular file."""
    path = name if handle is not None else str(folder / name)
    try:
        if not stat.S_ISREG(os.stat(path, dir_fd=handle, follow_symlinks=False).st_mode):
            return False
        os.unlink(path, dir_fd=handle)
    except FileNotFoundError:  # somebody else has removed it
        return True
    return True


def _is_junction(path: Path) -> bool:
    """Return whether a folder of Windows stands for another one."""
    attributes = getattr(os.lstat(path), "st_file_attributes", 0)
    return bool(attributes & getattr(stat, "FILE_ATTRIBUTE_REPARSE_POINT", 0))
