"""`fanwise audit`: what keeps a cache from firing is named with block, line and cause; a clean graph is clean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fanwise.context.audit import cause
from support import DESK, fanwise, tickets

GRAPHS = """
import uuid
from datetime import datetime
from typing import Annotated
from pydantic import BaseModel
from fanwise import Block, agent, graph, step

class Row(BaseModel):
    id: str
    source: Annotated[str, Block]

LONG = "A handbook has many words. " * 300
CLEAN = Block("clean", LONG)
NOW = Block("now", f"It is {datetime.now()}. {LONG}")
RUN = Block("run", f"Run {uuid.uuid4()}. {LONG}")
SHORT = Block("short", "abcd " * 200)

def one(name, *context, model="claude-haiku-5-5", effort=None, doc="Answer."):
    def body(text: str) -> str:
        return text
    body.__name__, body.__doc__ = name, doc
    return agent(model=model, context=context, effort=effort)(body)

timed, marked, short = one("timed", NOW), one("marked", RUN), one("short", SHORT, model="claude-haiku-4-5")
sets = one("sets", CLEAN, doc=f"Use one of { {'alpha', 'beta', 'gamma', 'delta', 'epsilon', 'zeta'} }.")
clean, hard = one("clean", CLEAN), one("hard", CLEAN, effort="high")

@graph
def with_date(row: Row) -> str:
    return timed(row.source)

@graph
def with_id(row: Row) -> str:
    return marked(row.source)

@graph
def with_set(row: Row) -> str:
    return sets(row.source)

@graph
def with_short(row: Row) -> str:
    return short(row.source)

@graph
def with_two_efforts(row: Row) -> str:
    return clean(hard(row.source))

plain, bare = one("plain", model="claude-haiku-4-5"), one("bare", model="claude-haiku-4-5")

@step
def both(one: str, two: str) -> str:
    return one + two

@graph
def with_short_rows(row: Row) -> str:
    return both(plain(row.source), bare(row.source))

@graph
def good(row: Row) -> str:
    return clean(row.source)
"""


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    graph, rows = tmp_path / "graphs.py", tmp_path / "rows.jsonl"
    graph.write_text(GRAPHS)
    rows.write_text('{"id": "r1", "source": "x"}\nno json\n{"id": "r2", "source": "y"}\n')
    return graph, rows


@pytest.mark.parametrize(
    ("name", "kind", "block", "line", "text"),
    [
        ("with_date", "varies", "now", 'NOW = Block("now"', "a date or a time"),
        ("with_id", "varies", "run", 'RUN = Block("run"', "a random id"),
        ("with_set", "varies", "the instructions of sets", "def body(", "the order of a set or a dictionary"),
        ("with_short", "too_short", "short", "def body(", "under the 4,096"),
        (
            "with_short_rows",
            "too_short",
            "row.source",
            "def body(",
            "a breakpoint stands behind row.source, but in row r1 it has",
        ),
        ("with_two_efforts", "split", "clean", "def body(", "effort high against effort low"),
    ],
)
def test_a_trap_is_named_with_block_line_and_cause(
    files: tuple[Path, Path], name: str, kind: str, block: str, line: str, text: str
) -> None:
    graph, rows = files
    result = fanwise("audit", f"{graph}:{name}", "--rows", rows, "--json")
    assert result.returncode == 1, result.stderr
    (found,) = json.loads(result.stdout)
    assert (found["kind"], found["block"]) == (kind, block)
    file, _, number = found["place"].rpartition(":")
    assert file == str(graph)
    assert line in GRAPHS.splitlines()[int(number) - 1]
    assert text in found["message"]


def test_a_clean_graph_gives_no_warning(files: tuple[Path, Path], tmp_path: Path) -> None:
    graph, rows = files
    for reference, data in ((f"{graph}:good", rows), (f"{DESK}:triage", tickets(tmp_path / "t.jsonl", 3))):
        result = fanwise("audit", reference, "--rows", data)
        assert (result.returncode, result.stdout) == (0, ""), result.stderr
        assert "every prefix is stable" in result.stderr


def test_mistakes_of_the_call_are_told_in_one_line(files: tuple[Path, Path]) -> None:
    graph, rows = files
    for arguments, text in (
        ((f"{graph}:goood", "--rows", rows), "did you mean 'good'"),
        ((f"{graph}:good", "--rows", "nothing.jsonl"), "there is no rows file"),
        ((f"{graph}:good", "--rows", "rows.txt"), "--format"),
    ):
        result = fanwise("audit", *arguments)
        assert result.returncode == 2
        assert text in result.stderr
        assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("one", "two", "why"),
    [
        ("at 10:03", "at 11:03", "a date or a time"),
        ("on 2026-11-25", "on 2026-11-26", "a date or a time"),
        ("on Wed 25 Nov", "on Thu 26 Nov", "a date or a time"),
        ("id 0x7f2a3bc1", "id 0x7f2a3bd9", "a random id"),
        ("{'a', 'b'}", "{'b', 'a'}", "the order of a set or a dictionary"),
        ("a  b", "a b", "white space"),
        ("0.1 and 2.50", "0,1 and 2,50", "the form of a number"),
        ("apples", "pears", "its content"),
    ],
)
def test_causes(one: str, two: Any, why: str) -> None:
    assert cause(one, two) == why


def test_rows_in_another_encoding_are_read_as_they_are_named(tmp_path: Path) -> None:
    """`run` and `plan` took such rows, and `audit` refused them without a way to say their encoding."""
    (tmp_path / "job.py").write_text(
        'from fanwise import agent, graph\n\n@agent(model="claude-haiku-4-5")\ndef say(text: str) -> str:\n'
        '    "Say."\n    return text\n\n@graph\ndef job(text: str) -> str:\n    return say(text)\n'
    )
    (tmp_path / "rows.csv").write_bytes("text\ncafé\n".encode("cp1252"))
    call = ("audit", "job.py:job", "--rows", "rows.csv", "--sample", 1)
    refused = fanwise(*call, cwd=tmp_path)
    assert refused.returncode == 2 and "--encoding" in refused.stderr
    assert fanwise(*call, "--encoding", "cp1252", cwd=tmp_path).returncode == 0
