"""What stands in a run directory: the names that a run gives to its files, and that none of them leads elsewhere."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from fanwise.errors import RunDirectoryError
from fanwise.paths import typed

JOURNAL = "journal.db"
INPUTS = ("input.jsonl", "input.csv", "input.parquet")
"""Rows that came from code or from standard input."""
_OF_SQLITE = ("", "-wal", "-shm", "-journal")
EMULATOR = tuple(f"emulator.db{suffix}" for suffix in _OF_SQLITE)
"""State of the embedded emulator."""
OPENED = (
    "lock",
    *(f"{JOURNAL}{suffix}" for suffix in (*_OF_SQLITE, ".new", ".new-journal")),
    *EMULATOR,
    "emulator.url",
    "summary.json",
    "looks.json",
    *INPUTS,
)
"""Files that are opened where they stand; the others of a run are put in their place by rename."""


def check_entries(directory: str | Path) -> None:
    """Refuse a directory in which a name of a run's file is a link, a pipe or anything else that a run does not make.

    It may have been made by somebody else: a link leads to a file that is none of its own, and a pipe never ends.

    Raises:
        RunDirectoryError: There is one.
    """
    for name in OPENED:
        path = Path(directory) / name
        try:
            mode = os.lstat(path).st_mode
        except (OSError, ValueError):  # it is not there; a name that no system takes is refused by who opens it
            continue
        if not stat.S_ISREG(mode):
            kind = "a link" if stat.S_ISLNK(mode) else "no regular file"
            raise RunDirectoryError(
                f"{typed(path)} is {kind}, which no run makes: nothing of {typed(directory)} is read; remove it"
            )
