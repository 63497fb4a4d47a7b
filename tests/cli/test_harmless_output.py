"""Nothing that a row, a model, a server or a name says steers a terminal, is markup, or is a spreadsheet's formula."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanwise.rendering.harmless import as_json, cell, one_line
from support import clear_faults, emulator, environment, fanwise, post

EVIL = (
    "\x1b]0;owned\x07\x1b[2J\u202e\x9b31m[red]x[/red][link=http://evil.example]y[/link]<script>z</script>\u2066\n=1+1"
)
HIDDEN = ("\x1b", "\x07", "\x9b", "\u202e", "\u2066", "\x7f")
GRAPH = '''
from fanwise import agent, graph


@agent(model="claude-haiku-5-5", max_tokens=90)
def say(text: str) -> str:
    """Say it."""
    return f"said {text}"


@graph
def notes(text: str) -> str:
    return say(text)
'''
KEY = environment(ANTHROPIC_API_KEY="k")
COMMANDS = (
    ("status", "RUN"), ("status", "RUN", "--json"), ("report", "RUN"), ("report", "RUN", "--full"),
    ("report", "RUN", "--json"), ("report", "RUN", "--by", "row,agent,task,status"), ("history", "FOLDER"),
    ("history", "RUN", "--json"), ("diff", "RUN", "RUN"), ("show", "RUN", "ROW", "say"),
    ("show", "RUN", "ROW", "no\x1b[2J"), ("report", "RUN", "--by", "row", "--json"),
    ("batches", "RUN"), ("-v", "resume", "RUN", "--retry", "failed", "--yes"), ("export", "RUN"),
    ("report", "RUN", "--html"),
)  # fmt: skip


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A run whose rows, answers, errors and names are hostile: its folder, what it printed, its graph."""
    folder = tmp_path_factory.mktemp("hostile")
    graph = folder / "graph\x1b[31m\u202e.py"
    graph.write_text(GRAPH)
    rows = [{"id": f"r{number}{EVIL}", "text": f"note {number} {EVIL}"} for number in range(3)]
    rows += [{"id": "long" * 5_000, "text": "x"}, {"id": EVIL, "txet\x1b[2J": EVIL}]
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    with emulator(graph=f"{graph}:notes") as url:
        post(
            f"{url}/_emulator/faults",
            {"status": 400, "match": "note 1", "message": f"odd {EVIL}", "path": "/v1/messages"},
        )
        options = ("--channel", "live", "--base-url", url)
        ended = fanwise(
            "run", f"{graph}:notes", "--rows", folder / "rows.jsonl", "--out", folder / "run", *options, env=KEY
        )
        clear_faults(url)
        post(f"{url}/_emulator/faults", {"status": 403, "message": EVIL, "path": "/v1/messages"})
        halted = fanwise(
            "run", f"{graph}:notes", "--rows", folder / "rows.jsonl", "--out", folder / "halt", *options, env=KEY
        )
        post(f"{url}/_emulator/faults", {"status": 401, "message": EVIL, "path": "/v1/models"})
        refused = fanwise(
            "run", f"{graph}:notes", "--rows", folder / "rows.jsonl", "--out", folder / "no", *options, env=KEY
        )
    assert [ended.returncode, halted.returncode, refused.returncode] == [1, 3, 2], halted.stderr
    said = "".join(one.stdout + one.stderr for one in (ended, halted, refused))
    return (
        folder,
        said + fanwise("status", folder / "halt").stdout + fanwise("report", folder / "halt").stdout,
        str(graph),
    )


def hidden(text: str) -> list[str]:
    return [repr(text[max(text.index(mark) - 40, 0) :][:80]) for mark in HIDDEN if mark in text]


def test_no_command_shows_a_hostile_run_as_it_would_be_shown(hostile: tuple[Path, str, str], tmp_path: Path) -> None:
    folder, said, graph = hostile
    assert hidden(said) == []
    run = shutil.copytree(folder / "run", tmp_path / "run")
    row = json.loads((run / "results.jsonl").read_text().splitlines()[0])["id"]
    places = {"RUN": run, "FOLDER": folder, "ROW": row}
    with emulator(graph=f"{graph}:notes") as url:
        env = environment(ANTHROPIC_API_KEY="k", ANTHROPIC_BASE_URL=url)
        for command in COMMANDS:
            ended = fanwise(*[places.get(word, word) for word in command], env=env, cwd=folder)
            assert "Traceback" not in ended.stderr, ended.stderr
            assert hidden(ended.stdout + ended.stderr) == [], command
            if "--json" not in command and command[0] != "show":
                assert "longlong" * 500 not in ended.stdout, command
    page = (run / "report.html").read_text()
    assert hidden(page) == []
    assert "<script>" not in page
    for table in (run / "export").glob("*.csv"):
        assert hidden(table.read_text()) == []
        with table.open(newline="") as file:
            cells = [value for record in csv.reader(file) for value in record]
        assert not [value for value in cells if value.strip().startswith(("=", "@", "\uff1d"))]


def test_markup_is_text(hostile: tuple[Path, str, str]) -> None:
    folder, _, _ = hostile
    assert "[red]" in fanwise("report", folder / "run").stdout


@given(st.text())
def test_json_that_is_printed_reads_back(text: str) -> None:
    shown = as_json({"a": text})
    assert json.loads(shown) == {"a": text}
    assert shown.isprintable()
    assert one_line(text).isprintable() and len(one_line(text)) <= 1_000


@given(st.text(alphabet=st.sampled_from("=+-@\t\r\n \u200b\u00a0\ufeff\uff1d\uff0b\uff0d\uff20\x1ba1'")))
def test_no_cell_begins_a_formula_behind_what_a_spreadsheet_passes_over(text: str) -> None:
    """A line feed or a full-width sign in front was passed over by a spreadsheet, and the cell computed."""
    shown = str(cell(text))
    first = "".join(char for char in shown if char.isprintable()).strip()[:1]
    assert first not in tuple("=+-@\uff1d\uff0b\uff0d\uff20") or not first
    assert not hidden(shown)
