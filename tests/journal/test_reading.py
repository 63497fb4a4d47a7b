"""A journal is read as its run left it, wherever it lies: nothing of it is changed, nor of its folder."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fanwise import RunDirectoryError
from fanwise.job.directory import reading
from support import DESK, fanwise, journal_value, started, tickets, wait_for

CAPABILITIES = 0x20080522  # linux/capability.h, version 3: two groups of three words
DAC_OVERRIDE = 1 << 1
"""By which root writes where the modes of files let nobody write."""
COMMANDS = {
    "status": ("status", "RUN"),
    "report": ("report", "RUN"),
    "report --by": ("report", "RUN", "--by", "agent"),
    "show": ("show", "RUN", "t0", "greet"),
    "export": ("export", "RUN", "--out", "TABLES"),
    "history": ("history", "RUN"),
    "diff": ("diff", "RUN", "RUN"),
}


@contextmanager
def modes_obeyed() -> Generator[None]:
    """Let the modes of files hold for this thread, also where it is root's."""
    if os.geteuid() != 0:
        yield
        return
    if sys.platform != "linux":
        pytest.skip("root writes anywhere, and only Linux lets a thread do without")
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(CAPABILITIES, 0)
    before, less = (ctypes.c_uint32 * 6)(), (ctypes.c_uint32 * 6)()
    for words in (before, less):
        assert libc.capget(header, words) == 0
    less[0] &= ~DAC_OVERRIDE
    assert libc.capset(header, less) == 0
    try:
        yield
    finally:
        assert libc.capset(header, before) == 0


@pytest.fixture(scope="module")
def left_behind(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a run that was killed: all that it did stands in the log of its journal."""
    folder = tmp_path_factory.mktemp("killed")
    rows, out = tickets(folder / "rows.jsonl", 2_000), folder / "run"
    run = started(
        "run", f"{DESK}:single", "--rows", rows, "--out", out, "--channel", "live", "--latency-s", 0.2, "--slots", 4
    )
    wait_for(lambda: (journal_value(out, "SELECT COUNT(*) FROM tasks") or 0) > 20, "some answers")
    run.send_signal(signal.SIGKILL)
    run.wait()
    (out / "summary.json").write_text(fanwise("report", out, "--json").stdout)  # as of a run that had ended once
    (out / "journal.db-shm").unlink(missing_ok=True)
    assert (out / "journal.db-wal").stat().st_size
    return out


@pytest.fixture
def folder_of_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


DuringCopies = Callable[[Callable[[str], object]], None]
"""Has something done whenever a file is about to be copied, with its path."""
_watchers: list[Callable[[str], object]] = []
_hooks: list[object] = []


def _audit(event: str, args: tuple[object, ...]) -> None:
    if event == "shutil.copyfile":
        for watcher in _watchers:
            watcher(str(args[0]))


@pytest.fixture
def during_copies() -> Generator[DuringCopies]:
    if _audit not in _hooks:  # a hook stays for as long as the process does
        sys.addaudithook(_audit)
        _hooks.append(_audit)
    yield _watchers.append
    _watchers.clear()


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_killed_run_is_read_in_a_folder_that_cannot_be_written(
    command: str, left_behind: Path, tmp_path: Path, folder_of_temporary_files: Path
) -> None:
    """SQLite could not make its index of the log there: all of them said "unable to open database file"."""
    before = contents(left_behind)
    arguments = [{"RUN": left_behind, "TABLES": tmp_path / "tables"}.get(word, word) for word in COMMANDS[command]]
    left_behind.chmod(0o555)
    try:
        with modes_obeyed():
            with pytest.raises(PermissionError):
                (left_behind / "probe").touch()
            result = fanwise(*arguments)
    finally:
        left_behind.chmod(0o700)
    assert result.returncode == 0, result.stderr
    assert contents(left_behind) == before
    assert list(folder_of_temporary_files.iterdir()) == []


def test_what_a_killed_run_left_in_its_log_is_read(left_behind: Path, folder_of_temporary_files: Path) -> None:
    before = contents(left_behind)
    account = json.loads(fanwise("report", left_behind, "--json").stdout)
    assert account["attempts"]["succeeded"] > 20
    assert contents(left_behind) == before, "nothing is left beside the journal"
    assert list(folder_of_temporary_files.iterdir()) == []


def test_a_copy_is_not_read_that_was_written_meanwhile(left_behind: Path, during_copies: DuringCopies) -> None:
    """A process that begins between the copy of the file and that of its log: they do not fit together."""
    log = left_behind / "journal.db-wal"
    written = log.read_bytes()

    def write(source: str) -> None:
        if source.endswith("journal.db"):
            log.write_bytes(written + b"more")

    during_copies(write)
    try:
        with pytest.raises(RunDirectoryError, match="has begun to work on"), reading(left_behind):
            pytest.fail("it was read")
    finally:
        log.write_bytes(written)


def test_a_log_that_is_gone_meanwhile_is_said_as_one_that_was_written(
    left_behind: Path, during_copies: DuringCopies
) -> None:
    log = left_behind / "journal.db-wal"
    written = log.read_bytes()
    during_copies(lambda source: log.unlink(missing_ok=True))
    try:
        with pytest.raises(RunDirectoryError, match="has begun to work on"), reading(left_behind):
            pytest.fail("it was read")
    finally:
        log.write_bytes(written)
