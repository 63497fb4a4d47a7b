"""The working directory is the process's, and users' code may change it: what was named before is still found."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from test_media import png

from fanwise import Job, graph, step
from support import fanwise, lines

ELSEWHERE = '''
import os, tempfile
from typing import Annotated
from pydantic import AfterValidator, BaseModel
from fanwise import Media, agent, graph, step


def away(value):
    os.chdir(tempfile.mkdtemp())
    return value


class Row(BaseModel):
    id: str
    text: Annotated[str, AfterValidator(away)]
    scan: Media


@step
def worded(text: str) -> str:
    return away(text.upper())


@agent(model="claude-haiku-5-5", max_tokens=50)
def read(text: str, scan: Media) -> str:
    """Read it."""
    return away(text)


@agent(model="claude-haiku-5-5", max_tokens=50)
def spell(text: str) -> str:
    """Spell it."""
    return away(text)


@graph
def away_from_here(row: Row) -> str:
    return spell(read(worded(row.text), row.scan))


@agent(model="claude-haiku-5-5", max_tokens=50)
def reader(text: str, scan: Media) -> str:
    """Read and spell it."""
    return away(text.upper())


@graph
def alone(row: Row) -> str:
    return reader(row.text, row.scan)


def exact(output, row, label):
    return float(away(output) == label)


away("as the file is loaded")
'''
GRAPH, ROWS, OUT, BASELINE = "code/graph.py:away_from_here", "data/rows.jsonl", "runs/one", "code/graph.py:alone"
RIGHT = ("--labels", "data/labels.jsonl", "--score", "code/graph.py:exact")
ANOTHER, NOT_ENOUGH = 2, 4
CALLS = (
    (0, "run", GRAPH, "--rows", ROWS, "--out", OUT, "--baseline", BASELINE),
    (ANOTHER, "run", GRAPH, "--rows", ROWS, "--out", OUT),
    (0, "resume", OUT, "--graph", GRAPH),
    (NOT_ENOUGH, "compare", GRAPH, "--rows", ROWS, *RIGHT, "--baseline", BASELINE, "--out", OUT),
    (0, "plan", GRAPH, "--rows", ROWS, "--sample", "1", "--out", "runs/sample"),
    (0, "history", "runs", *RIGHT, "--graph", GRAPH),
    (0, "report", OUT),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("code", "data", "runs"):
        (tmp_path / name).mkdir()
    (tmp_path / "code" / "graph.py").write_text(ELSEWHERE)
    (tmp_path / "data" / "scan.png").write_bytes(png(9, 9))
    rows = [{"id": f"r{number}", "text": f"text {number}", "scan": "scan.png"} for number in range(3)]
    (tmp_path / ROWS).write_text("".join(json.dumps(row) + "\n" for row in rows))
    labels = [{"id": row["id"], "label": row["text"].upper()} for row in rows]
    (tmp_path / "data" / "labels.jsonl").write_text("".join(json.dumps(label) + "\n" for label in labels))
    return tmp_path


def test_no_command_loses_its_files_where_users_code_changes_the_folder(folder: Path) -> None:
    """A step that called `os.chdir` halted the run, its directory "removed or moved"; and so did `resume`."""
    for status, *call in CALLS:
        ended = fanwise(*call, cwd=folder)
        assert ended.returncode == status, (call, ended.stdout, ended.stderr)
    assert [line["output"] for line in lines(folder / OUT / "results.jsonl")] == ["TEXT 0", "TEXT 1", "TEXT 2"]


@step
def moved(text: str) -> str:
    os.chdir("/")
    return text


@graph
def moving(text: str) -> str:
    return moved(text)


def test_a_job_of_code_keeps_its_places(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    account = Job(moving, rows=[{"text": "a"}, {"text": "b"}], out="runs/job").run_sync()
    assert Path.cwd() == Path("/")
    assert [line["output"] for line in account.results()] == ["a", "b"]


def test_names_are_said_as_they_were_typed(tmp_path: Path) -> None:
    """What is found wherever the process goes is still shown by the name that it has here."""
    (tmp_path / "rows.jsonl").write_text('{"text": "a"}\n')
    (tmp_path / "empty.jsonl").write_text("")
    (tmp_path / "graph.py").write_text(
        "from fanwise import graph\n\n@graph\ndef echo(text: str) -> str:\n    return text\n"
    )
    said = {
        ("run", "gone.py:echo", "--rows", "rows.jsonl", "--out", "run"): "there is no file 'gone.py'",
        ("run", "graph.py:ehco", "--rows", "rows.jsonl", "--out", "run"): "there is no 'ehco' in graph.py",
        ("run", "graph.py:echo", "--rows", "gone.jsonl", "--out", "run"): "there is no rows file 'gone.jsonl'",
        ("run", "graph.py:echo", "--rows", "empty.jsonl", "--out", "run"): "the rows file empty.jsonl is empty",
        ("run", "graph.py:echo", "--rows", "rows.jsonl", "--out", "graph.py"): "graph.py exists and is not empty",
    }
    for call, words in said.items():
        assert words in fanwise(*call, cwd=tmp_path).stderr, call
