"""A history of folders in which not everything can be read: the rest is shown, and what is not is named with why."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from desk import single

from fanwise import Job, UsageError
from fanwise.studies.history import history
from support import fanwise


def text(path: Path, content: str) -> None:
    path.mkdir(exist_ok=True)
    (path / "summary.json").write_text(content, encoding="utf-8")


def edited(path: Path, **changes: Any) -> None:
    data = json.loads((path / "summary.json").read_text(encoding="utf-8"))
    text(path, json.dumps(data | changes))


def foreign(path: Path) -> None:
    """What another program keeps in a file of that name."""
    with closing(sqlite3.connect(path / "journal.db")) as db:
        db.execute("DROP TABLE IF EXISTS entries")
        db.execute("PRAGMA application_id=1")
        db.commit()


def without_summary(path: Path) -> None:
    (path / "summary.json").unlink()


def misleading(path: Path) -> None:
    with closing(sqlite3.connect(path / "journal.db")) as db:
        db.execute("UPDATE meta SET value='[]' WHERE key='agents'")
        db.commit()


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    rows = [{"id": name, "subject": "s", "body": name, "right": name} for name in "ab"]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for name in ("good", "odd"):
        Job(single, rows=tmp_path / "rows.jsonl", out=tmp_path / "runs" / name, channel="live").run_sync()
    return tmp_path / "runs"


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda path: text(path, ""), "summary.json is no summary of a run in format 2: Invalid JSON"),
        (lambda path: (path / "summary.json").write_bytes(b"\xff\xfe"), "is no summary of a run"),
        (lambda path: text(path, "[" * 100_000), "is no summary of a run"),
        (lambda path: text(path, "[1]"), "is no summary of a run"),
        (lambda path: edited(path, format=1), "format: Input should be 2"),
        (lambda path: edited(path, rows={"read": "2"}), "rows.read: Input should be a valid integer"),
        (lambda path: edited(path, tokens={}), "tokens.fanout: Field required"),
        (lambda path: edited(path, cost_usd="dear"), "cost_usd: String should match"),
        (lambda path: edited(path, multiplier={"tokens": None, "usd": None}), "multiplier.tokens: Input should"),
        (lambda path: (path / "journal.db").write_bytes(b"text"), "is not a journal"),
        (foreign, "was written before the first release"),
        (misleading, "agents is damaged"),
        (without_summary, "it has no summary.json: `fanwise resume"),
    ],
)
def test_what_cannot_be_read_is_listed_apart_with_the_reason(
    runs: Path, spoil: Callable[[Path], None], reason: str
) -> None:
    """Each of them ended the command, most with a traceback."""
    spoil(runs / "odd")
    past = history(runs)
    assert [run.directory for run in past.runs] == [str(runs / "good")]
    assert [run.directory for run in past.unreadable] == [str(runs / "odd")]
    assert reason in past.unreadable[0].reason
    finished = fanwise("history", runs)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert f"not read: {runs / 'odd'}: " in finished.stdout
    good, odd = map(json.loads, fanwise("history", runs, "--json").stdout.splitlines())
    assert good["directory"] == str(runs / "good")
    assert odd == past.unreadable[0].data() == {"directory": str(runs / "odd"), "unreadable": past.unreadable[0].reason}


def test_a_run_whose_rows_are_gone_has_no_labels_and_the_others_have_theirs(runs: Path, tmp_path: Path) -> None:
    """A history with labels read the rows of every run, and ended at the first that was moved."""
    other = tmp_path / "other.jsonl"
    other.write_text('{"id": "c", "subject": "s", "body": "c", "right": "c"}\n')
    Job(single, rows=other, out=runs / "moved", channel="live").run_sync()
    other.unlink()
    past = history(runs, labels="right")
    assert [(run.directory, run.labelled_rows) for run in past.runs] == [
        (str(runs / "good"), 2),
        (str(runs / "odd"), 2),
    ]
    assert [run.directory for run in past.unreadable] == [str(runs / "moved")]
    assert f"its rows file {other} is gone" in past.unreadable[0].reason
    assert len(history(runs).runs) == 3, "without labels nobody needs them"


def test_runs_without_the_field_have_no_quality_and_a_field_that_none_has_is_a_mistake(
    runs: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text('{"id": "c", "subject": "s", "body": "c"}\n')
    Job(single, rows=other, out=runs / "plain", channel="live").run_sync()
    past = history(runs, labels="right")
    assert {Path(run.directory).name: run.labelled_rows for run in past.runs} == {"good": 2, "odd": 2, "plain": 0}
    with pytest.raises(UsageError, match="nobody"):
        history(runs, labels="nobody")


def test_a_run_that_is_named_twice_is_listed_once(runs: Path) -> None:
    assert len(history(runs, runs / "good").runs) == 2


def test_folders_without_a_run_are_a_mistake(tmp_path: Path) -> None:
    text(tmp_path / "notes", "{}")
    with pytest.raises(UsageError, match=r"there is no run in .*: no folder has a journal\.db"):
        history(tmp_path)
    with pytest.raises(UsageError, match="there is no folder"):
        history(tmp_path / "nowhere")
