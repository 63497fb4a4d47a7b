"""A journal of an earlier version is carried over whole, or stays as it was."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from fanwise import RunDirectoryError
from fanwise.journal.schema import VERSION
from fanwise.journal.upgrade import carry_over
from fanwise.journal.version import version_of
from support import DESK, fanwise, tickets

NEXT = VERSION + 1


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """The journal of a run of three rows."""
    result = fanwise("run", f"{DESK}:triage", "--rows", tickets(tmp_path / "rows.jsonl", 3), "--out", tmp_path / "run")
    assert result.returncode == 0, result.stderr
    return tmp_path / "run" / "journal.db"


def add_column(db: sqlite3.Connection) -> None:
    db.execute("ALTER TABLE attempts ADD COLUMN speed TEXT DEFAULT 'standard'")


def contents(journal: Path) -> dict[str, str]:
    """The hash of every file of a run that holds something; reading a journal leaves an empty log."""
    files = (path for path in sorted(journal.parent.iterdir()) if path.suffix != ".db-shm" and path.stat().st_size)
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in files}


def test_every_record_comes_over_and_the_new_file_takes_the_place_of_the_old(journal: Path) -> None:
    with closing(sqlite3.connect(journal)) as db:
        before = db.execute("SELECT id, request_hash FROM attempts ORDER BY id").fetchall()
    carry_over(journal, {VERSION: add_column}, NEXT)
    assert version_of(journal) == NEXT
    with closing(sqlite3.connect(journal)) as db:
        assert db.execute("SELECT id, request_hash FROM attempts ORDER BY id").fetchall() == before
        assert db.execute("SELECT DISTINCT speed FROM attempts").fetchall() == [("standard",)]
    assert not list(journal.parent.glob("*.new"))


def test_what_stands_only_in_the_log_comes_over_too(journal: Path) -> None:
    """A killed session leaves its last records in the write-ahead log."""
    with closing(sqlite3.connect(journal, isolation_level=None)) as db:
        db.execute("INSERT INTO rejects VALUES(99, 'broken', '{', 1, 99)")
        carry_over(journal, {VERSION: add_column}, NEXT)
    with closing(sqlite3.connect(journal)) as db:
        assert db.execute("SELECT reason FROM rejects WHERE number=99").fetchall() == [("broken",)]


@pytest.mark.parametrize(
    "loss",
    [
        "DELETE FROM tasks WHERE key=(SELECT MIN(key) FROM tasks)",
        "UPDATE ends SET cost=cost+1",
        "DELETE FROM sessions",
        "DELETE FROM asks WHERE attempt=1",
        "DELETE FROM answers",
        "DELETE FROM meta",
    ],
)
def test_a_step_that_loses_a_record_or_a_cent_is_refused_and_the_old_file_is_not_touched(
    journal: Path, loss: str
) -> None:
    """Found: asks, answers and what a run is were not among what is counted."""
    before = contents(journal)
    with pytest.raises(RunDirectoryError, match=r"and is as it was: .* became"):
        carry_over(journal, {VERSION: lambda db: db.execute(loss)}, NEXT)  # type: ignore[dict-item,return-value]
    assert contents(journal) == before


def test_a_step_that_fails_leaves_everything_as_it_was(journal: Path) -> None:
    before = contents(journal)
    with pytest.raises(sqlite3.OperationalError):
        carry_over(journal, {VERSION: lambda db: db.execute("no SQL")}, NEXT)  # type: ignore[dict-item,return-value]
    assert contents(journal) == before


def test_a_version_without_a_way_to_the_newest_is_refused(journal: Path) -> None:
    before = contents(journal)
    with pytest.raises(RunDirectoryError, match="cannot carry over any more"):
        carry_over(journal, {}, NEXT)
    assert contents(journal) == before


def test_a_journal_of_the_newest_version_is_left_alone(journal: Path) -> None:
    before = contents(journal)
    carry_over(journal)
    assert contents(journal) == before


def make_older(path: Path) -> None:
    """Bring a journal back to version 6, as that has written it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for (view,) in db.execute("SELECT name FROM sqlite_schema WHERE type='view'").fetchall():
            db.execute(f"DROP VIEW {view}")
        db.executescript(
            "ALTER TABLE asks DROP COLUMN work; ALTER TABLE asks DROP COLUMN row_id;"
            "ALTER TABLE rejects DROP COLUMN line; ALTER TABLE attempts DROP COLUMN taken;"
            "ALTER TABLE attempts DROP COLUMN shared;"
            "DROP TABLE edits; DROP TABLE reached; ALTER TABLE rows DROP COLUMN since;"
            "ALTER TABLE results DROP COLUMN session; PRAGMA user_version=6;"
        )


def test_the_command_that_goes_on_with_a_run_carries_it_over(journal: Path) -> None:
    """Found: `fanwise resume` refused a journal of an earlier version, and advised to use `fanwise resume`."""
    whose = "SELECT attempt, place, row_id FROM asks ORDER BY attempt, place"
    with closing(sqlite3.connect(journal)) as db:
        before = db.execute(whose).fetchall()
    assert len({row_id for _, _, row_id in before}) == 3
    make_older(journal)
    older = contents(journal)
    for command in ("status", "report", "history"):
        looked = fanwise(command, journal.parent)
        assert looked.returncode == 0, looked.stderr
        assert contents(journal) == older, "who only looks changes nothing"
    assert "3 of 3 read are done" in fanwise("status", journal.parent).stdout
    result = fanwise("resume", journal.parent)
    assert result.returncode == 0, result.stderr
    assert version_of(journal) == VERSION
    with closing(sqlite3.connect(journal)) as db:
        assert db.execute(whose).fetchall() == before
    assert "3 of 3 read are done" in fanwise("status", journal.parent).stdout


def test_the_line_of_what_an_earlier_version_set_aside_is_its_number(journal: Path) -> None:
    make_older(journal)
    with closing(sqlite3.connect(journal)) as db, db:
        db.execute("INSERT INTO rejects VALUES(7, 'broken', '{', 1)")
    carry_over(journal)
    with closing(sqlite3.connect(journal)) as db:
        assert db.execute("SELECT number, line FROM rejects").fetchall() == [(7, 7)]
