"""A scorer is given objects: the output as what the graph returns, the row as what it takes, and the label."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from fanwise import Graph, RunDirectoryError, SpecError, agent, graph
from fanwise.studies.compare import compare
from fanwise.studies.history import history
from support import fanwise

GRAPH = '''
from enum import Enum
from pydantic import BaseModel
from fanwise import agent, graph

class Kind(Enum):
    NOTE = "note"
    QUESTION = "question"

class Letter(BaseModel):
    id: str
    text: str

class Sorted(BaseModel):
    kind: Kind
    words: int

@agent(model="claude-haiku-5-5", max_tokens=100)
def trim(text: str) -> str:
    """Make it short."""
    return text

@agent(model="claude-haiku-5-5", max_tokens=100)
def sort(trimmed: str) -> Sorted:
    """Sort it."""
    return Sorted(kind=Kind.QUESTION if "?" in trimmed else Kind.NOTE, words=len(trimmed.split()))

@graph
def sorting(letter: Letter) -> Sorted:
    return sort(trim(letter.text))

@graph
def trimming(letter: Letter) -> str:
    return trim(trim(letter.text))
'''
SCORE = '''
from letters import Kind, Letter, Sorted

def by_kind(output: Sorted, row: Letter, label: str) -> float:
    """Half for the kind, half for the words, which only the row says."""
    assert isinstance(output, Sorted) and isinstance(row, Letter), "they are of the graph's own classes"
    return 0.5 * (output.kind is Kind(label)) + 0.5 * (output.words == len(row.text.split()))

def of_two(output: Sorted, label: str) -> float:
    return 1.0
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "letters.py").write_text(GRAPH)
    (tmp_path / "score.py").write_text(SCORE)
    rows = [{"id": f"r{n}", "text": "one two" + "?" * (n % 2), "right": "note"} for n in range(4)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def test_a_scorer_is_given_objects_in_a_comparison_and_in_a_history(folder: Path) -> None:
    """It was given JSON and the label: no row, no type, and an enum was a text."""
    call = ("letters.py:sorting", "--rows", "rows.jsonl", "--labels", "right", "--out", "run", "--json")
    said = fanwise("compare", *call, "--score", "score.py:by_kind", cwd=folder)
    assert said.returncode == 4, said.stderr
    assert json.loads(said.stdout)["fanout"]["score"] == json.loads(said.stdout)["baseline"]["score"] == 0.75
    again = fanwise("compare", *call, "--score", "score.py:by_kind", cwd=folder)
    assert again.stdout == said.stdout, "scoring again is free"
    scored = ("history", "run", "--labels", "right", "--score", "score.py:by_kind")
    past = fanwise(*scored, "--graph", "letters.py:sorting", "--json", cwd=folder)
    assert (json.loads(past.stdout)["quality"], json.loads(past.stdout)["labelled_rows"]) == (0.75, 4)
    other = fanwise(*scored, "--graph", "letters.py:trimming", cwd=folder)
    assert other.stderr == f"fanwise: --graph: no run is of 'trimming': they are of {folder}/letters.py:sorting; " + (
        "name the graph of the runs\n"
    )
    (folder / "letters.py").write_text("raise SystemExit('imported')")
    (folder / "score.py").write_text("def by_kind(output, row, label): return 1.0")
    unnamed = fanwise(*scored, cwd=folder)
    line = f"fanwise {' '.join(scored)} --graph {folder}/letters.py:sorting"
    assert unnamed.returncode == 2
    assert unnamed.stderr == (
        "fanwise: --graph: a scorer is given objects of the graph, and no graph is imported that is not named; "
        f"write `{line}`\n"
    )


def test_a_scorer_of_other_arguments_is_refused_with_its_line_and_what_to_write(folder: Path) -> None:
    call = ("letters.py:sorting", "--rows", "rows.jsonl", "--labels", "right", "--score", "score.py:of_two")
    said = fanwise("compare", *call, cwd=folder)
    assert (said.returncode, said.stderr) == (
        2,
        f"fanwise: --score: {folder}/score.py:9: of_two(output, label) cannot be called "
        "with an output, its row and its label; write `def of_two(output: Sorted, row: Letter, label) -> float:`\n",
    )


def test_a_file_with_the_name_of_a_module_does_not_take_its_place(folder: Path) -> None:
    (folder / "email.py").write_text(GRAPH + "\nimport email\n\nemail.message_from_string('')\n")
    said = fanwise("graph", "email.py:sorting", cwd=folder)
    assert (said.returncode, said.stderr) == (0, "")


class Row(BaseModel):
    id: str
    text: str


@agent(model="claude-haiku-5-5", max_tokens=100)
def trim(text: str) -> str:
    """Make it short."""
    return text


@agent(model="claude-haiku-5-5", max_tokens=100)
def count(trimmed: str) -> int | None:
    """Count its words."""
    return len(trimmed.split())


@graph
def counting(row: Row) -> int | None:
    return count(trim(row.text))


@agent(model="claude-haiku-5-5", max_tokens=100)
def count_until(trimmed: str, word: str) -> int:
    """Count its words up to this one."""
    return trimmed.split().index(word) + 1


@graph
def counting_until(text: str, word: str) -> int:
    return count_until(trim(text), word)


@graph
def trimming(row: Row) -> str:
    return trim(trim(row.text))


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(f'{{"id": "r{n}", "text": "one two", "right": 2.0, "word": "two"}}\n' for n in range(3)))
    return path


def nobody(sample: object) -> None:
    pytest.fail("nothing may be carried out")


def test_a_row_of_several_parameters_is_a_dict_of_them(rows: Path) -> None:
    def by_row(output: int, row: dict[str, Any], label: float) -> float:
        assert set(row) == {"text", "word"}
        return float(output == label)

    assert compare(counting_until, rows=rows, labels="right", score=by_row).fanout.score == 1.0
    assert compare(counting_until, rows=rows, labels="right").fanout.score == 1.0, "2 is 2.0, whoever wrote the labels"


@pytest.mark.parametrize(
    ("job", "labels", "message"),
    [
        (trimming, "text=word", "is of fields (text), and an output is str; name a field of the rows alone"),
        (counting, "word", "is 'two', and an output is a number; write a number, or give a score"),
        (counting, "text=word", "is of fields (text), and an output is int; name a field of the rows alone"),
    ],
)
def test_labels_that_no_output_can_be_are_refused_first(
    rows: Path, job: Graph[..., Any], labels: str, message: str
) -> None:
    """They were paid for, and all wrong."""
    with pytest.raises(SpecError) as refused:
        compare(job, rows=rows, labels=labels, carry_out=nobody)
    assert message in str(refused.value)


def right(output: object, row: object, label: object) -> float:
    return 1.0


def test_a_baseline_that_returns_something_else_is_refused_where_a_scorer_is_given_its_outputs(rows: Path) -> None:
    with pytest.raises(SpecError, match=r"^baseline: 'trimming' returns str, and 'counting' int \| None: a scorer is"):
        compare(counting, rows=rows, labels="right", score=right, baseline=f"{__file__}:trimming", carry_out=nobody)


def test_what_is_gone_is_not_wrong(rows: Path, tmp_path: Path) -> None:
    """Outputs that were purged scored 0, and a row that was edited would be another's."""
    run = tmp_path / "run"
    compare(counting, rows=rows, labels="right", out=run)
    text = rows.read_text()
    rows.write_text(text.replace("one two", "one", 1))
    with pytest.raises(RunDirectoryError, match=r"row 'r0' is not in .*rows.jsonl any more as it was when it ran"):
        compare(counting, rows=rows, labels="right", score=right, out=run, carry_out=nobody)
    past = history(run, labels="right", score=right, graph=counting)
    assert "row 'r0' is not in" in past.unreadable[0].reason
    rows.write_text(text)
    assert fanwise("purge", run, "--content").returncode == 0
    with pytest.raises(RunDirectoryError, match="its content was purged"):
        compare(counting, rows=rows, labels="right", out=run, carry_out=nobody)
    assert compare(counting, rows=rows, out=run, carry_out=nobody).fanout.score == 1.0, "they were answered"
    assert "its content was purged" in history(run, labels="right").unreadable[0].reason


class Offer(BaseModel):
    price: Decimal
    until: datetime
    steps: list[Decimal]


@agent(model="claude-haiku-5-5", max_tokens=100)
def offer(text: str) -> Offer:
    """Make an offer."""
    return Offer(price=Decimal("1.0"), until=datetime(2026, 1, 1, 12, tzinfo=UTC), steps=[Decimal("1.50")])


@agent(model="claude-haiku-5-5", max_tokens=100)
def shorten(text: str) -> str:
    """Make it short."""
    return text[:4]


@graph
def offers(text: str) -> Offer:
    return offer(shorten(text))


def test_what_the_type_calls_equal_is_right(tmp_path: Path) -> None:
    """Decimals of 1.0 and 1.00 were compared as texts, and one moment in two time zones."""
    rows, names = tmp_path / "rows.jsonl", "price=price,until=until,steps=steps"
    right = {"price": "1.00", "until": "2026-01-01T13:00:00+01:00", "steps": [1.5]}
    lines = [{"id": "a", "text": "text"} | right, {"id": "b", "text": "text"} | right | {"price": 1.01}]
    rows.write_text("\n".join(map(json.dumps, lines)))
    found = compare(offers, rows=rows, labels=names)
    assert found.fanout.score == found.baseline.score == pytest.approx((1 + 2 / 3) / 2)
    rows.write_text(json.dumps(lines[0] | {"price": "dear"}))
    with pytest.raises(SpecError, match="is 'dear', and an output is a number"):
        compare(offers, rows=rows, labels=names)
