"""Whether the rows file is still the one that a run has read: seen by its bytes, whoever has touched it and when."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio.to_thread

from fanwise.journal.meta import ROWS_FILE, MetaStore, Source


@dataclass(frozen=True, slots=True)
class RowsMark:
    """What a rows file was at a moment."""

    size: int
    """Bytes."""
    sha256: str
    stamp: tuple[int, int, int]
    """Device, number and time of its last change: while they stay, nobody has to read it again."""


class RowsWatch:
    """Looks at the rows file before and after a session reads it."""

    def __init__(self, journal: MetaStore, path: Path, *, is_real: bool, is_expected: bool = False) -> None:
        """Begin.

        Args:
            journal: Of the run, in which is kept what the file was.
            path: The file, which is there.
            is_real: False for a rehearsal, which keeps no file to go on with.
            is_expected: Whether nothing is to be said where it is another than it was: that is why the session is.
        """
        self._journal, self._path, self._is_real, self._is_expected = journal, path, is_real, is_expected
        self._mark: RowsMark | None = None

    async def before(self) -> list[str]:
        """Return what is to be said where an earlier session found another file."""
        if not self._is_real:
            return []
        mark = self._mark = await anyio.to_thread.run_sync(_mark_of, self._path)
        change = _change(ROWS_FILE.of(self._journal), self._path, mark)
        ROWS_FILE.keep(self._journal, {"size": mark.size, "sha256": mark.sha256})
        if self._is_expected:
            return []
        return [
            f"{said}; rows that are other than they were are asked anew, and what was paid for those before stands "
            f"apart in the account; to go on with the old rows put that file back {which}"
            for said, which in change
        ]

    async def after(self) -> list[str]:
        """Return what is to be said where the file was changed while it was read."""
        if self._mark is None:
            return []
        try:
            if _stamp_of(self._path) == self._mark.stamp:
                return []
            now = await anyio.to_thread.run_sync(_mark_of, self._path)
        except OSError:
            return [
                f"{self._path} was moved or removed while the run was at work; the account is of the rows that were "
                "read; put the file back before you go on"
            ]
        if now.sha256 == self._mark.sha256:
            return []
        return [
            f"{self._path} was changed while the run was at work: {self._mark.size:,} bytes as it began, {now.size:,} "
            "now; the account is of the rows as they were read; go on with `fanwise resume` to take the file as it is"
        ]


def changed_since(source: Source, path: Path) -> list[str]:
    """Return what is to be said of a run that is only looked at, where its rows file is not what it has read.

    Args:
        source: Its journal.
        path: The file.
    """
    try:
        change = _change(ROWS_FILE.of(source), path, _mark_of(path))
    except OSError:
        return [f"{path} is not there any more; these are its rows as the run has read them"]
    return [f"{said}; these are its rows as the run has read them {which}" for said, which in change]


def _change(earlier: Mapping[str, Any] | None, path: Path, mark: RowsMark) -> list[tuple[str, str]]:
    """Return how a file has changed and which it was, in words; nothing where it is as it was, or nobody knows."""
    if not earlier or earlier["sha256"] == mark.sha256:
        return []
    said = f"{path} has been changed since this run has read it: {earlier['size']:,} bytes then, {mark.size:,} now"
    return [(said, f"(its SHA-256 begins with {earlier['sha256'][:12]})")]


def _stamp_of(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino, status.st_mtime_ns


def _mark_of(path: Path) -> RowsMark:
    """Return what a file is, read piece by piece."""
    stamp = _stamp_of(path)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return RowsMark(file.tell(), digest.hexdigest(), stamp)
