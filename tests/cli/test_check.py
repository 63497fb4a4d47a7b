"""`fanwise check`: which examples of its agents the stand-ins of a graph fail."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fanwise import check
from fanwise.engine.load import load_graph
from support import DESK, fanwise

GRAPH = """
import datetime
from pydantic import BaseModel
from fanwise import Example, agent, graph, step, tool

MODEL = "claude-haiku-5-5"

class Day(BaseModel):
    day: datetime.date
    words: set[str] = set()

@agent(model=MODEL, examples=[
    Example({"text": "2026-01-02", "more": {"day": "2026-01-03"}}, {"day": "2026-01-02", "words": ["a", "b"]}),
    Example({"text": "2026-01-02", "more": {"day": "2026-01-04"}}, {"day": "2026-01-02"}),
    Example({"text": "never", "more": {"day": "2026-01-03"}}, {"day": "2026-01-02"}),
    Example({"text": "none", "more": {"day": "2026-01-03"}}, {"day": "2026-01-02"}),
])
def dated(text: str, more: Day) -> Day:
    "Find the day."
    assert isinstance(more, Day)
    if text == "none":
        return None
    return Day(day=datetime.date.fromisoformat(text), words={"b", "a"})

@agent(model=MODEL, examples=[Example("a", "A"), Example("b" * 300, "B")])
async def loud(text: str) -> str:
    "Shout."
    return text.upper()

@agent(model=MODEL, examples=[Example("a", "b")])
def empty(text: str) -> str:
    "Say it."

@tool
def twice(text: str) -> str:
    "Say it twice."
    return text * 2

@agent(model=MODEL, tools=[twice], examples=[Example("a", "aa")])
def calls(text: str) -> str:
    "Say it twice."
    return twice(text)

@agent(model=MODEL)
def bare(text: str) -> str:
    "Say it."
    return text

@step
def day_of(text: str) -> Day:
    return Day(day=datetime.date(2026, 1, 1))

@graph
def job(text: str) -> tuple[Day, str, str, str, str, str]:
    return dated(text, day_of(text)), loud(text), loud(loud(text)), empty(text), calls(text), bare(text)

@graph
def right(text: str) -> str:
    return calls(text)

@graph
def without(text: str) -> str:
    return bare(text)
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "job.py"
    path.write_text(GRAPH)
    return path


def test_each_example_that_fails_is_told_with_what_it_asks_and_what_was_answered(source: Path) -> None:
    ended = fanwise("check", f"{source}:job")
    assert ended.returncode == 1
    told = ended.stdout.replace(f"{source}:", "job.py:")
    assert told.split("\n") == [
        "dated: 1 of 4 examples pass",
        "  example 2 (job.py:12)",
        '    inputs:   {"text":"2026-01-02","more":{"day":"2026-01-04","words":[]}}',
        '    expected: {"day":"2026-01-02","words":[]}',
        '    got:      {"day":"2026-01-02","words":["a","b"]}',
        "  example 3 (job.py:12)",
        '    inputs:   {"text":"never","more":{"day":"2026-01-03","words":[]}}',
        '    expected: {"day":"2026-01-02","words":[]}',
        "    got:      ValueError: Invalid isoformat string: 'never'",
        "  example 4 (job.py:12)",
        '    inputs:   {"text":"none","more":{"day":"2026-01-03","words":[]}}',
        '    expected: {"day":"2026-01-02","words":[]}',
        *[line for line in told.split("\n") if line.startswith("    got:      its answer does not fit: ")],
        "loud: 1 of 2 examples pass",
        "  example 2 (job.py:25)",
        f'    inputs:   {{"text":"{"b" * 188}...',
        '    expected: "B"',
        f'    got:      "{"B" * 196}...',
        "empty: no stand-in to check 1 example by",
        "calls: 1 of 1 examples pass",
        "",
    ]


def test_all_of_it_as_json(source: Path) -> None:
    ended = fanwise("check", f"{source}:job", "--json")
    assert ended.returncode == 1
    checks = {one["agent"]: one for one in json.loads(ended.stdout)}
    assert {name: (one["examples"], one["passed"], one["stand_in"]) for name, one in checks.items()} == {
        "dated": (4, 1, True), "loud": (2, 1, True), "empty": (1, 0, False), "calls": (1, 1, True),
    }  # fmt: skip
    assert checks["loud"]["failures"] == [
        {
            "example": 2, "place": f"{source}:25", "inputs": {"text": "b" * 300}, "expected": "B", "got": "B" * 300,
            "problem": None,
        }
    ]  # fmt: skip
    assert checks["dated"]["failures"][1]["got"] is None
    assert checks["dated"]["failures"][1]["problem"].startswith("ValueError: ")


def test_all_pass(source: Path) -> None:
    ended = fanwise("check", f"{source}:right")
    assert (ended.returncode, ended.stdout) == (0, "calls: 1 of 1 examples pass\n")


def test_a_graph_without_examples_says_so(source: Path) -> None:
    ended = fanwise("check", f"{source}:without")
    assert (ended.returncode, ended.stdout) == (0, "no agent of the graph has examples\n")
    assert fanwise("check", f"{source}:without", "--json").stdout == "[]\n"
    assert fanwise("check", f"{DESK}:triage").returncode == 0


def test_a_wrong_call_is_one_line(source: Path) -> None:
    for reference in (f"{source}:nothing", f"{source.parent}/none.py:job"):
        ended = fanwise("check", reference)
        assert ended.returncode == 2
        assert len(ended.stderr.splitlines()) == 1


def test_in_python(source: Path) -> None:
    (calls,) = check(load_graph(f"{source}:right"))
    (answer,) = calls.answers
    assert answer.passes and answer.got == answer.expected == "aa"


UNWRITTEN = """
from fanwise import Example, agent, graph

@agent(model="claude-haiku-5-5", examples=[Example("a", "b"), Example("c", "d")])
def unwritten(text: str) -> str:
    "Say it."
    raise NotImplementedError

@agent(model="claude-haiku-5-5", examples=[Example("a", "b"), Example("c", "d")])
async def begun(text: str) -> str:
    "Say it."
    if text == "a":
        return "b"
    raise NotImplementedError("later")

@graph
def job(text: str) -> tuple[str, str]:
    return unwritten(text), begun(text)

@graph
def none(text: str) -> str:
    return unwritten(text)
"""


def test_a_body_that_is_not_implemented_is_no_stand_in(tmp_path: Path) -> None:
    """A run has a valid value made for it, as for an empty body; `check` said that it failed every example."""
    (tmp_path / "job.py").write_text(UNWRITTEN)
    ended = fanwise("check", f"{tmp_path}/job.py:job")
    assert ended.returncode == 1
    lines = ended.stdout.splitlines()
    assert lines[:3] == [
        "unwritten: no stand-in to check 2 examples by", "begun: 1 of 2 examples pass",
        f"  example 2 ({tmp_path}/job.py:9)",
    ]  # fmt: skip
    assert lines[-1] == "    got:      NotImplementedError: later"
    assert fanwise("check", f"{tmp_path}/job.py:none").returncode == 0


def test_what_a_stand_in_prints_is_no_part_of_the_answer(tmp_path: Path) -> None:
    (tmp_path / "job.py").write_text(GRAPH.replace("    return twice(text)", '    print("noise"); return twice(text)'))
    ended = fanwise("check", f"{tmp_path}/job.py:right", "--json")
    assert [one["passed"] for one in json.loads(ended.stdout)] == [1]
    assert ended.stderr == "noise\n"
