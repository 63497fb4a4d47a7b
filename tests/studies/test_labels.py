"""What is right, by row: which rows have a label, where it is said, and that only such rows are drawn and paid for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from support import fanwise, lines, summary

GRAPH = """
from datetime import datetime
from decimal import Decimal
from pydantic import BaseModel
from fanwise import agent, graph

class Offer(BaseModel):
    category: str
    price: Decimal | None
    until: datetime

@agent(model="claude-haiku-5-5", max_tokens=100)
def shorten(text: str) -> str:
    '''Say what it is.'''
    return text[:9]

@agent(model="claude-haiku-5-5", max_tokens=100)
def offer(text: str) -> Offer:
    '''Say what it is.'''
    return Offer(category="bill", price=Decimal("0.50"), until=datetime(2026, 1, 1))

@agent(model="claude-haiku-5-5", max_tokens=100)
def cost(text: str) -> Decimal:
    '''Say what it is.'''
    return Decimal("1.0")

@graph
def offers(text: str) -> Offer:
    return offer(shorten(text))

@graph
def prices(text: str) -> Decimal:
    return cost(shorten(text))
"""
IDS = [f"r{number}" for number in range(60)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "g.py").write_text(GRAPH)
    write(tmp_path / "rows.jsonl", [{"id": row_id, "text": f"text {row_id}", "right": None} for row_id in IDS])
    return tmp_path


def write(file: Path, records: Sequence[dict[str, Any]]) -> None:
    file.write_text("".join(json.dumps(record) + "\n" for record in records))


def compared(folder: Path, graph: str, labels: str, *options: str) -> dict[str, Any]:
    call = ("compare", f"g.py:{graph}", "--rows", "rows.jsonl", "--labels", labels, "--json", *options)
    ended = fanwise(*call, cwd=folder)
    assert ended.returncode in (0, 1, 4), ended.stderr
    return json.loads(ended.stdout)


def labelled(folder: Path, labels: Sequence[Any]) -> None:
    """Rows of which the last so many have a label."""
    none = [None] * (len(IDS) - len(labels))
    rows = zip(IDS, [*none, *labels], strict=True)
    write(folder / "rows.jsonl", [{"id": row_id, "text": f"text {row_id}", "right": label} for row_id, label in rows])


@pytest.mark.parametrize("name", ["right", "labels.jsonl"])
def test_rows_without_a_label_are_neither_drawn_nor_paid_for(folder: Path, name: str) -> None:
    """Found by a sample of which most had no label: both sides were paid for them, and the verdict had none of them.
    A label of null was held against the outputs, and was wrong."""
    labelled(folder, ["1.00"] * 12)
    labels = [{"id": row_id, "right": "1.00" if row_id in IDS[-12:] else None} for row_id in IDS]
    write(folder / "labels.jsonl", labels)
    comparison = compared(folder, "prices", name, "--sample", "10", "--out", "run")
    assert summary(folder / "run")["rows"]["read"] == comparison["verdict"]["rows"] == 10
    assert (comparison["labelled_rows"], comparison["job_rows"], comparison["left_out"]) == (12, 60, 0)
    assert comparison["fanout"]["score"] == comparison["baseline"]["score"] == 1
    more = compared(folder, "prices", name, "--sample", "30", "--out", "run")
    assert more["verdict"]["rows"] == summary(folder / "run")["rows"]["read"] == 12, "all that have one"
    call = ("compare", "g.py:prices", "--rows", "rows.jsonl", "--labels", name, "--out", "run")
    assert "On 12 rows drawn from the 12 of 60 that have a label" in " ".join(fanwise(*call, cwd=folder).stdout.split())


def test_a_comparison_goes_on_with_labelled_rows_beside_those_that_have_none(folder: Path) -> None:
    labelled(folder, ["1"] * 30)
    assert fanwise("compare", "g.py:prices", "--rows", "rows.jsonl", "--sample", "6", "--out", "run", cwd=folder)
    before = {line["id"] for line in lines(folder / "run" / "results.jsonl")}
    comparison = compared(folder, "prices", "right", "--sample", "20", "--out", "run")
    assert comparison["verdict"]["rows"] == 20
    assert comparison["left_out"] == len(before & set(IDS[:30]))


def test_empty_cells_of_a_csv_are_no_labels(folder: Path) -> None:
    rows = [f"{row_id},text {row_id},{'1.0' if number % 2 else ''}" for number, row_id in enumerate(IDS)]
    (folder / "rows.csv").write_text("\n".join(["id,text,right", *rows]))
    call = ("compare", "g.py:prices", "--rows", "rows.csv", "--labels", "right", "--sample", "20", "--json")
    comparison = json.loads(fanwise(*call, cwd=folder).stdout)
    assert (comparison["labelled_rows"], comparison["verdict"]["rows"]) == (30, 20)
    assert comparison["fanout"]["score"] == 1


@pytest.mark.parametrize("key", ["category", "said"])
def test_a_field_of_an_output_is_held_against_a_file(folder: Path, key: str) -> None:
    """`category=labels.jsonl` was taken for the name of a field of the rows."""
    write(folder / "labels.jsonl", [{"id": row_id, key: "bill" if row_id != "r3" else "login"} for row_id in IDS])
    comparison = compared(folder, "offers", "category=labels.jsonl", "--sample", "60", "--out", "run")
    assert comparison["labelled_rows"] == 60
    assert comparison["fanout"]["score"] == pytest.approx(59 / 60)
    past = fanwise("history", "run", "--labels", "category=labels.jsonl", "--json", cwd=folder)
    assert json.loads(past.stdout)["quality"] == pytest.approx(59 / 60)
    wrong = fanwise("history", "run", "--labels", "category=no.jsonl", "--json", cwd=folder)
    assert wrong.returncode == 2
    assert "'category=no.jsonl' is no file" in wrong.stderr


@pytest.mark.parametrize(
    ("graph", "labels", "right"),
    [
        ("prices", "right", ["1.00", "1", 1, 1.0, "2"]),
        ("offers", "price=right", ["0.5", "0.500", 0.5, ".5", 0.51]),
        ("offers", "until=right", ["2026-01-01T00:00", "2026-01-01", "2026-01-01 00:00:00", "2026-01-02"]),
    ],
)
def test_a_history_calls_right_what_a_comparison_does(folder: Path, graph: str, labels: str, right: list[Any]) -> None:
    """Found by a history that compared decimals as texts: 0.5 was not 0.50, and 1.0 not 1."""
    labelled(folder, right)
    comparison = compared(folder, graph, labels, "--sample", "9", "--out", "run")
    past = json.loads(fanwise("history", "run", "--labels", labels, "--json", cwd=folder).stdout)
    assert past["quality"] == comparison["fanout"]["score"] == pytest.approx(1 - 1 / len(right))
    assert past["labelled_rows"] == len(right)


def test_a_run_whose_single_agent_is_gone_says_how_it_comes_back(folder: Path) -> None:
    labelled(folder, ["1"] * 60)
    compared(folder, "prices", "right", "--sample", "9", "--out", "run")
    assert fanwise("resume", "run", "--baseline", "none", cwd=folder).returncode == 0
    call = ("compare", "g.py:prices", "--rows", "rows.jsonl", "--labels", "right", "--out", "run")
    refused = fanwise(*call, cwd=folder)
    assert refused.returncode == 2
    assert "run holds a run without a single agent to compare with" in refused.stderr
    line = refused.stderr.partition("`")[2].partition("`")[0]
    assert line == "fanwise resume run --baseline auto"
    assert fanwise(*line.split()[1:], cwd=folder).returncode == 0
    assert fanwise(*call, cwd=folder).returncode in (0, 1, 4)
