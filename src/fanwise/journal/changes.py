"""What has changed of the results of a run from sync to sync, for those who load them elsewhere."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from .tables import select

TOLD_TABLES = (
    """CREATE TABLE told(row_id TEXT PRIMARY KEY, row INT, hash TEXT, status TEXT, reason TEXT, output TEXT)
  WITHOUT ROWID""",
    """CREATE TABLE changes(number INTEGER PRIMARY KEY, session INT, change TEXT, row_id TEXT, row INT, row_before INT,
  status TEXT, status_before TEXT, differs TEXT DEFAULT '')""",
)
HAS_TOLD = "SELECT EXISTS(SELECT 1 FROM sqlite_schema WHERE type='table' AND name='changes')"


class ToldResult(NamedTuple):
    """A result as it was told; hashes in the place of content. In the order of the columns of `told`."""

    row_id: str
    row: int
    status: str
    reason: str
    """Hash; empty where there is none."""
    output: str | None
    """Hash of its canonical JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What has become of a row's result."""

    number: int
    """Of the change in its run, from 1."""
    session: int
    """That has told it."""
    change: Literal["added", "changed", "removed"]
    row_id: str
    row: int | None
    """Number of the row now; None where it is gone."""
    row_before: int | None
    """Its number when it was told last; None where it is new."""
    status: str | None
    status_before: str | None
    differs: str
    """What of a changed one differs, in words with spaces between: row, status, output, reason."""


def told_changes(db: sqlite3.Connection) -> Iterator[Change] | None:
    """Return all changes that were told, in order; None where the run was never synced."""
    if not db.execute(HAS_TOLD).fetchone()[0]:
        return None
    return select(db, Change, "SELECT * FROM changes ORDER BY number")
