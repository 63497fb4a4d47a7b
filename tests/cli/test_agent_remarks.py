"""What is said of agent files: by `graph` and `plan` what was not read, and by the report too who lacks which tool."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support import fanwise, summary

FILE = """---
name: Reviewer
description: Looks for slips: in code and in prose.
tools: Read, Grep, Bash(git log:*)
model: inherit
color: red
---
Look for slips.
"""
GRAPH = """
from fanwise import Agent, agent, graph, tool

@tool
def read_file(path: str) -> str:
    '''Return the text of a file.'''
    return f"text of {path}"

review = Agent.load(
    "agents/review.md", model="claude-haiku-5-5", tools={"Read": read_file}, missing_tools="drop",
    stand_in=lambda task: read_file(task).upper(),
)

@agent("agents/review.md", name="again", model="claude-haiku-5-5", missing_tools="drop")
def again(text: str) -> str:
    '''Never read.'''
    return text

@graph
def job(text: str) -> str:
    return again(review(text))
"""
LACKS = "agent reviewer runs without Grep, Bash(git log:*), which its file names"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "review.md").write_text(FILE)
    (tmp_path / "job.py").write_text(GRAPH)
    (tmp_path / "rows.jsonl").write_text('{"text": "a"}\n{"text": "b"}\n')
    return tmp_path


def test_graph_says_what_of_a_file_was_not_read_once_and_on_standard_error(folder: Path) -> None:
    ended = fanwise("graph", f"{folder}/job.py:job")
    file = f"{folder}/agents/review.md"
    assert ended.returncode == 0
    assert ended.stdout.count("without: Grep, Bash(git log:*)\n") == 1
    assert "without: Read, Grep, Bash(git log:*)\n" in ended.stdout and "color" not in ended.stdout
    said = ended.stderr.splitlines()
    assert said[:2] == [
        f"fanwise: {LACKS}", "fanwise: agent again runs without Read, Grep, Bash(git log:*), which its file names"
    ]  # fmt: skip
    assert said[2].startswith(f"fanwise: {file}:2: no YAML, so read as text up to the next field: description (")
    assert said[3:] == [
        f"fanwise: {file}:2: the name 'Reviewer' becomes 'reviewer'",
        f"fanwise: {file}:6: not read here: color (line 6)",
        f"fanwise: {folder}/job.py:14: the docstring of 'again' is not read: the body of its agent file is the "
        "instructions",
    ]


def test_plan_says_it_and_holds_it(folder: Path) -> None:
    call = ("plan", f"{folder}/job.py:job", "--rows", folder / "rows.jsonl")
    said = " ".join(fanwise(*call).stdout.split())
    assert LACKS in said and "review.md:6: not read here: color (line 6)" in said
    plan = json.loads(fanwise(*call, "--json").stdout)
    assert plan["tools_missing"]["reviewer"] == ["Grep", "Bash(git log:*)"]
    assert any(note.endswith("review.md:6: not read here: color (line 6)") for note in plan["notes"])


def test_the_report_says_who_ran_without_a_tool_and_nothing_of_fields(folder: Path) -> None:
    run = folder / "run"
    ended = fanwise("run", f"{folder}/job.py:job", "--rows", folder / "rows.jsonl", "--out", run)
    assert ended.returncode == 0, ended.stderr
    assert "color" not in ended.stdout + ended.stderr
    assert LACKS in summary(run)["notes"]
    for said in (ended.stdout, fanwise("report", run).stdout):
        assert f"note: {LACKS}" in " ".join(said.split())
    results = (run / "results.jsonl").read_text()
    assert '"TEXT OF A"' in results and '"TEXT OF B"' in results


def test_nothing_in_a_file_steers_a_terminal(folder: Path) -> None:
    steering = FILE.replace("Reviewer", '"R\\e[31m"').replace("Bash(git log:*)", "'B\x9d'")
    steering = steering.replace("red", '"\\e]0;x\\a"').replace("slips: in", '"\\e[1m": in')
    (folder / "agents" / "review.md").write_text(steering)
    call, run = (f"{folder}/job.py:job", "--rows", folder / "rows.jsonl"), folder / "run"
    for ended in (fanwise("graph", call[0]), fanwise("plan", *call), fanwise("run", *call, "--out", run)):
        said = ended.stdout + ended.stderr
        assert ended.returncode == 0 and "runs without Grep, B" in " ".join(said.split()), said
        assert not set(said) & {"\x1b", "\x07", "\x9d"}


def test_a_report_no_more_says_it_once_the_tools_are_there(folder: Path) -> None:
    run = folder / "run"
    fanwise("run", f"{folder}/job.py:job", "--rows", folder / "rows.jsonl", "--out", run)
    (folder / "agents" / "review.md").write_text(FILE.replace(", Grep, Bash(git log:*)", ""))
    resumed = fanwise("resume", run, cwd=folder)
    assert resumed.returncode == 0, resumed.stderr
    assert not [note for note in summary(run)["notes"] if "agent reviewer runs without" in note]
