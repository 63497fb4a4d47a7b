"""Where a command is told to write and cannot: one line that says why, and nothing half written."""

from __future__ import annotations

from pathlib import Path

import pytest
from desk import single

from fanwise import Job, UsageError
from fanwise.rendering.files import replace_file
from support import DESK, fanwise, tickets


@pytest.fixture
def run(tmp_path: Path) -> Path:
    Job(single, rows=tickets(tmp_path / "rows.jsonl", 2), out=tmp_path / "run", channel="live").run_sync()
    return tmp_path / "run"


def refused(*arguments: object) -> str:
    finished = fanwise(*arguments)
    assert (finished.returncode, finished.stdout) == (2, ""), finished.stderr
    assert finished.stderr.startswith("fanwise: ") and finished.stderr.count("\n") == 1, finished.stderr
    return finished.stderr.removeprefix("fanwise: ").strip()


def test_a_page_in_a_folder_that_is_not_there_is_refused_before_it_is_drawn(run: Path, tmp_path: Path) -> None:
    """It ended in a traceback of FileNotFoundError, after the page was drawn."""
    page = tmp_path / "nowhere" / "page.html"
    finished = refused("report", run, "--html", "--out", page)
    assert finished == f"{page} cannot be written: there is no folder {page.parent}; make it, or choose another"
    assert refused("report", run, "--html", "--out", tmp_path) == (
        f"{tmp_path} cannot be written: it is a folder; name a file in it"
    )
    assert "it is a folder" not in refused("report", run, "--html", "--out", run / "summary.json" / "page.html")
    assert refused("report", run, "--html", "--out", tmp_path / ("p" * 300)).endswith("File name too long")
    assert not list(tmp_path.glob(".*"))


def test_a_page_that_nobody_asked_for_is_not_left_out_in_silence(run: Path, tmp_path: Path) -> None:
    """`report DIR --out page.html` printed the account and wrote nothing."""
    assert "add --html" in refused("report", run, "--out", tmp_path / "page.html")


def test_a_file_whose_lines_fail_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("before")
    with pytest.raises(ZeroDivisionError):
        replace_file(path, (str(1 // number) for number in (1, 0)))
    with pytest.raises(UsageError, match="there is no folder"):
        replace_file(tmp_path / "no" / "file", [])
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_tables_that_cannot_be_written_are_refused(run: Path, tmp_path: Path) -> None:
    """Each was a traceback."""
    refusal = refused("export", run, "--out", tmp_path / "rows.jsonl")
    assert (
        refusal == f"the tables cannot be written to {tmp_path / 'rows.jsonl'}: it is no folder; choose another folder"
    )
    assert "it is no folder" in refused("export", run, "--out", tmp_path / "rows.jsonl" / "tables")
    assert "File name too long" in refused("export", run, "--out", tmp_path / ("e" * 300))


@pytest.mark.parametrize(
    "command", [("run",), ("plan", "--sample", "1"), ("compare", "--sample", "2")], ids=lambda words: words[0]
)
def test_a_run_directory_that_cannot_be_is_refused(tmp_path: Path, command: tuple[str, ...]) -> None:
    """A name that is too long was a traceback."""
    rows = tickets(tmp_path / "rows.jsonl", 3)
    call = (command[0], f"{DESK}:triage", "--rows", rows, *command[1:], "--out")
    for out, reason in [(tmp_path / ("r" * 300), "File name too long"), (rows / "run", "Not a directory")]:
        finished = fanwise(*call, out)
        assert finished.returncode == 2
        assert finished.stderr.splitlines()[-1] == f"fanwise: {out} cannot be used: {reason}; choose another directory"
    assert list(tmp_path.iterdir()) == [rows]


def test_names_that_no_file_can_have_are_in_no_traceback(tmp_path: Path) -> None:
    """pathlib raises OSError for them where it says False of others."""
    name, rows = "n" * 300, tickets(tmp_path / "rows.jsonl", 3)
    assert refused("report", name) == f"{name} is no run directory: it has no journal.db"
    assert refused("history", name) == f"there is no folder '{name}'"
    assert refused("graph", f"{name}.py:job") == f"there is no file '{name}.py'"
    assert "File name too long" in refused("plan", f"{DESK}:triage", "--rows", f"{name}.jsonl")
    refusal = refused("compare", f"{DESK}:triage", "--rows", rows, "--labels", name)
    assert (
        refusal == f"--labels: '{name}' is no file, and no row of {rows} has a field of that name; name one of the two"
    )
