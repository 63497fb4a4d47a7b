"""A run directory that is refused is left as it is, and let go."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from desk import single

from fanwise import Job, RunDirectoryError
from fanwise.job.directory import RunDirectory
from fanwise.job.lock import is_held
from support import no_file_grows_beyond


def test_a_journal_from_before_the_first_release_is_refused_twice_and_nothing_is_touched(tmp_path: Path) -> None:
    """The lock of a refused directory was kept until the process ended, and its mode was changed."""
    folder = tmp_path / "old"
    folder.mkdir(mode=0o755)
    with closing(sqlite3.connect(folder / "journal.db")) as db:
        db.execute("CREATE TABLE meta(key TEXT, value TEXT)")
        db.execute("PRAGMA user_version=4")
        db.commit()
    before = (folder / "journal.db").read_bytes()
    for _ in range(2):
        with pytest.raises(RunDirectoryError, match="before the first release"):
            RunDirectory(folder, create=False)
    assert not is_held(folder)
    assert folder.stat().st_mode & 0o777 == 0o755
    assert [path.name for path in folder.iterdir()] == ["journal.db"]
    assert (folder / "journal.db").read_bytes() == before


def test_a_damaged_journal_lets_its_directory_go(tmp_path: Path) -> None:
    with RunDirectory(tmp_path / "run", create=True):
        pass
    path = tmp_path / "run" / "journal.db"
    path.write_bytes(path.read_bytes()[:200])
    for _ in range(2):
        with pytest.raises((RunDirectoryError, sqlite3.DatabaseError)) as refusal:
            RunDirectory(tmp_path / "run", create=False)
        assert "another process" not in str(refusal.value)


def test_a_refused_start_leaves_an_empty_folder_as_open_as_it_was(tmp_path: Path) -> None:
    """It was closed to everybody else, and stayed so."""
    folder = tmp_path / "mine"
    folder.mkdir()
    folder.chmod(0o755)
    with pytest.raises(ZeroDivisionError):
        Job(single, rows=({"id": 1 // number} for number in (0,)), out=folder).run_sync()
    assert folder.stat().st_mode & 0o777 == 0o755
    Job(single, rows=[{"id": "a", "subject": "s", "body": "b"}], out=folder, channel="live").run_sync()
    assert folder.stat().st_mode & 0o777 == 0o700, "what a run keeps is its owner's"


@pytest.mark.parametrize("size", [4 * 512, 50 * 512])
def test_a_start_on_a_full_disk_leaves_nothing_and_can_be_tried_again(size: int, tmp_path: Path) -> None:
    """Found: the next try was sent to `resume`, which sent back."""
    out, row = tmp_path / "deep" / "run", {"id": "a", "subject": "s", "body": "b"}
    with no_file_grows_beyond(size), pytest.raises(RunDirectoryError, match="cannot be written"):
        Job(single, rows=[row], out=out, channel="live").run_sync()
    assert not (tmp_path / "deep").exists()
    assert Job(single, rows=[row], out=out, channel="live").run_sync().summary["rows"]["succeeded"] == 1


def test_a_start_that_was_killed_is_no_run_to_go_on_with(tmp_path: Path) -> None:
    (tmp_path / "journal.db").touch()
    with pytest.raises(RunDirectoryError, match="its run never began; remove its directory and run again"):
        Job(single, rows=[{"id": "a", "subject": "s", "body": "b"}], out=tmp_path, channel="live").run_sync()
