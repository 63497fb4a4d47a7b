"""A journal of an earlier version, carried over: into a new file, checked, and put in place by rename.

Only who holds the run directory may do so. Until the new file is whole and has been checked, the old one is only read.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from fanwise.errors import RunDirectoryError
from fanwise.paths import typed

from .schema import CHANGES, VERSION
from .version import version_of
from .views import VIEW_NAMES, VIEWS

Step = Callable[[sqlite3.Connection], None]
"""Changes the tables of a journal of one version to those of the next; it runs in a transaction that is open."""


def _note_blocks(db: sqlite3.Connection) -> None:
    """Version 6 notes the blocks of a request; of those that were sent before nothing is known."""
    db.execute("ALTER TABLE attempts DROP COLUMN readable")
    db.execute("ALTER TABLE attempts DROP COLUMN reusable")
    db.execute("ALTER TABLE attempts ADD COLUMN blocks TEXT DEFAULT ''")


def _note_changes(db: sqlite3.Connection) -> None:
    """Version 7 notes what of a run counts now; of what was changed before nothing is known."""
    db.execute("ALTER TABLE rows ADD COLUMN since INT DEFAULT 1")
    db.execute("ALTER TABLE results ADD COLUMN session INT DEFAULT 1")
    _execute(db, CHANGES)


def _note_row_ids(db: sqlite3.Connection) -> None:
    """Version 8 notes whose a request is by the row's id; before that it is of the row that has its number."""
    db.execute("ALTER TABLE asks ADD COLUMN row_id TEXT DEFAULT ''")
    db.execute("UPDATE asks SET row_id=COALESCE((SELECT r.row_id FROM rows r WHERE r.number=asks.row),'')")


def _note_lines(db: sqlite3.Connection) -> None:
    """Version 9 notes the line of what was set aside; before that its number stood for it."""
    db.execute("ALTER TABLE rejects ADD COLUMN line INT")
    db.execute("UPDATE rejects SET line=number")


def _note_work(db: sqlite3.Connection) -> None:
    """Version 10 notes which tasks are equal, and lets a request count for those of its tasks that are needed."""
    db.execute("ALTER TABLE asks ADD COLUMN work TEXT DEFAULT ''")


def _tell_inputs(db: sqlite3.Connection) -> None:
    """Version 11 tells how many inputs a request shows apart from how many tasks it serves, and what was taken."""
    db.execute("ALTER TABLE attempts ADD COLUMN taken INT DEFAULT 0")


def _note_shared(db: sqlite3.Connection) -> None:
    """Version 12 notes what is taken with a request of what its run shared; of those taken before, nothing was."""
    db.execute("ALTER TABLE attempts ADD COLUMN shared INT DEFAULT 0")


def _execute(db: sqlite3.Connection, statements: str) -> None:
    """Carry out statements in the transaction that is open, which `executescript` would end."""
    for statement in statements.split(";")[:-1]:
        db.execute(statement)


STEPS: dict[int, Step] = {
    5: _note_blocks, 6: _note_changes, 7: _note_row_ids, 8: _note_lines, 9: _note_work, 10: _tell_inputs,
    11: _note_shared,
}  # fmt: skip
"""By the version that a step begins with; one for every version that is not the newest."""
SUMMED = ("cost", "input", "cache_write_5m", "cache_write_1h", "cache_read", "output")
"""Columns of `ends` whose sums may not change: they are the bill."""


def carry_over(path: Path, steps: Mapping[int, Step] = STEPS, newest: int = VERSION) -> None:
    """Bring a journal to the newest version, where it is of an earlier one.

    Args:
        path: Its file; its directory is held by this process.
        steps: What leads from each version to the next.
        newest: The version to reach.

    Raises:
        RunDirectoryError: There is no way to the newest version, or the new file does not hold what the old one does;
            the old one is then as it was.
    """
    version = version_of(path)
    if version >= newest:
        return
    lacking = [number for number in range(version, newest) if number not in steps]
    if lacking:
        raise RunDirectoryError(
            f"{typed(path)} is a journal of version {version}, which fanwise cannot carry over any more"
        )
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)  # left by a process that was killed
    try:
        _write(path, new, [steps[number] for number in range(version, newest)], newest)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    _put_in_place(path, new)


def _write(path: Path, new: Path, steps: list[Step], newest: int) -> None:
    """Write the new file from the old one, and check it.

    Raises:
        RunDirectoryError: It does not hold what the old one does.
    """
    source = f"file:{quote(str(path.resolve()))}?mode=ro"
    with closing(sqlite3.connect(source, uri=True)) as old, closing(sqlite3.connect(new, isolation_level=None)) as db:
        new.chmod(0o600)
        old.backup(db)
        db.executescript("PRAGMA journal_mode=DELETE; PRAGMA synchronous=FULL;")
        db.execute("BEGIN")
        for view in VIEW_NAMES:  # in which a column may stand that a step drops
            db.execute(f"DROP VIEW IF EXISTS {view}")
        for step in steps:
            step(db)
        _execute(db, VIEWS)
        db.execute(f"PRAGMA user_version={newest}")
        db.execute("COMMIT")
        tables = _tables(old)
        before, after = _figures(old, tables), _figures(db, tables)
        damage = db.execute("PRAGMA integrity_check").fetchone()[0]
    changed = ", ".join(f"{name} {before[name]} became {after[name]}" for name in before if before[name] != after[name])
    if changed or damage != "ok":
        raise RunDirectoryError(
            f"{typed(path)} could not be carried over to journal {newest}, and is as it was: {changed or damage}; "
            "this is a bug of fanwise"
        )


def _tables(db: sqlite3.Connection) -> list[str]:
    """Return the tables of a journal: of none may a record be lost."""
    return [name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type='table' ORDER BY name")]


def _figures(db: sqlite3.Connection, tables: list[str]) -> dict[str, int]:
    """Return how many records each of these tables has, and the sums of what was billed."""
    present = set(_tables(db))
    counts = {
        f"records of {table}": db.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] if table in present else 0
        for table in tables
    }
    sums = ", ".join(f"COALESCE(SUM({column}),0)" for column in SUMMED)
    values = db.execute(f"SELECT {sums} FROM ends").fetchone()
    return counts | {f"the sum of {column}": value for column, value in zip(SUMMED, values, strict=True)}


def _put_in_place(path: Path, new: Path) -> None:
    """Replace the old file by the new one; a process that is killed in between leaves one of them, and all of it."""
    # What stands in the old file's log goes into it first: a log that is left would be taken for the new file's.
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    with new.open("rb") as file:
        os.fsync(file.fileno())
    new.replace(path)
