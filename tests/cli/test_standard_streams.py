"""Standard streams that are closed or full, and a system that gives no more files: a line, and no traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support import DESK, environment, lines, summary, tickets

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="as a POSIX shell opens, closes and bounds them")
RUN = f"run {DESK}:single --rows rows.jsonl --out run --channel live"
FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a file that is always full")


def shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Call the command line through a shell, from a folder; `fanwise` in the command is the program."""
    command = command.replace("fanwise ", f"{sys.executable} -m fanwise ")
    return subprocess.run(
        ["sh", "-c", command], cwd=folder, env=environment(), capture_output=True, text=True, timeout=120, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_run_does_without_streams_that_are_closed(closed: str, tmp_path: Path) -> None:
    """Found: a traceback; and the next file that was opened took the place of standard output."""
    tickets(tmp_path / "rows.jsonl", 3)
    ended = shell(f"fanwise {RUN} {closed}", tmp_path)
    assert (ended.returncode, "Traceback" in ended.stderr) == (0, False), ended.stderr
    assert [line["status"] for line in lines(tmp_path / "run" / "results.jsonl")] == ["succeeded"] * 3


def test_rows_of_a_standard_input_that_is_closed_are_none(tmp_path: Path) -> None:
    ended = shell(f"fanwise run {DESK}:single --rows - --out run <&-", tmp_path)
    assert ended.returncode == 2 and ended.stderr.count("\n") == 1, ended.stderr
    assert not (tmp_path / "run").exists()


@FULL
def test_an_account_that_cannot_be_printed_is_a_line_and_stays_in_its_directory(tmp_path: Path) -> None:
    tickets(tmp_path / "rows.jsonl", 3)
    ended = shell(f"fanwise {RUN} >/dev/full", tmp_path)
    assert ended.returncode == 1
    (said,) = [line for line in ended.stderr.splitlines() if line.startswith("fanwise: ")]
    assert said == "fanwise: standard output cannot be written: No space left on device"
    assert "Traceback" not in ended.stderr
    assert summary(tmp_path / "run")["rows"]["succeeded"] == 3
    for command in ("status run", "report run", "report run --json", "history .", f"graph {DESK}:single", "--help"):
        ended = shell(f"fanwise {command} >/dev/full", tmp_path)
        assert (ended.returncode, ended.stderr) == (1, f"{said}\n"), command


@FULL
def test_nobody_hears_a_standard_error_that_is_full(tmp_path: Path) -> None:
    tickets(tmp_path / "rows.jsonl", 3)
    assert shell(f"fanwise {RUN} 2>/dev/full", tmp_path).returncode == 0
    assert shell("fanwise status nowhere 2>/dev/full", tmp_path).returncode == 2


@pytest.mark.parametrize("files", [10, 14, 18])
def test_a_system_that_gives_no_more_files_is_told_in_a_line(files: int, tmp_path: Path) -> None:
    tickets(tmp_path / "rows.jsonl", 3)
    ended = shell(f"ulimit -n {files}; fanwise {RUN}", tmp_path)
    assert "Traceback" not in ended.stderr and ended.stderr.startswith("fanwise: "), ended.stderr
    assert ended.returncode in (2, 3)
    again = shell(f"fanwise {RUN if ended.returncode == 2 else 'resume run'}", tmp_path)
    assert again.returncode == 0, again.stderr


def test_slots_that_the_system_has_no_files_for_are_fewer_and_no_outage(tmp_path: Path) -> None:
    """Found: each connection that could not be opened was an attempt, and the server called away."""
    tickets(tmp_path / "rows.jsonl", 60)
    bounded = shell(f"ulimit -n 64; fanwise {RUN} --slots 60 --latency-s 0.05", tmp_path)
    assert bounded.returncode == 0, bounded.stderr
    assert "64 files open: 8 live requests at a time, not 60; for more raise `ulimit -n`" in bounded.stderr
    raised = shell(f"ulimit -S -n 64; fanwise {RUN.replace('--out run', '--out other')} --slots 60", tmp_path)
    assert raised.returncode == 0 and "files open" not in raised.stderr
    for name in ("run", "other"):
        attempts = summary(tmp_path / name)["attempts"]
        assert (attempts["sent"], attempts["failed"]) == (60, 0)
        assert "answer" not in bounded.stderr + raised.stderr
