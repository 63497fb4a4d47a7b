"""`fanwise advise`: the changes with their savings, as text and as JSON, and mistakes of the call in one line."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

from support import DESK, fanwise, tickets

CHAINED = '''
from pydantic import BaseModel
from fanwise import agent, graph

class Row(BaseModel):
    id: str
    note: str

@agent(model="claude-haiku-5-5")
def topic(note: str) -> str:
    """Name the topic."""
    return note[:20]

@agent(model="claude-haiku-5-5")
def answer(note: str, topic: str) -> str:
    """Answer."""
    return f"{topic}, {note}"


@graph
def chain(row: Row) -> str:
    return answer(row.note, topic(row.note))
'''


def chained(folder: Path) -> tuple[str, Path]:
    graph, rows = folder / "chained.py", folder / "rows.jsonl"
    graph.write_text(CHAINED)
    rows.write_text("".join(json.dumps({"id": f"r{n}", "note": f"note {n} " * 20}) + "\n" for n in range(16)))
    return f"{graph}:chain", rows


def test_json_has_shape_rules_and_changes_in_dollars(tmp_path: Path) -> None:
    graph, rows = chained(tmp_path)
    result = fanwise("advise", graph, "--rows", rows, "--channel", "live", "--json")
    assert result.returncode == 0, result.stderr
    advice = json.loads(result.stdout)
    assert set(advice) == {
        "rows", "rejected", "sampled", "channel", "expected_usd", "single_agent_usd", "shape", "rules", "changes",
        "models_without_price",
    }  # fmt: skip
    assert set(advice["shape"]) == {
        "agents", "at_once", "depth", "per_item", "independent_parts", "shared_blocks", "sent_twice",
        "read_from_cache", "tokens_over_single_agent", "usd_over_single_agent",
    }  # fmt: skip
    assert {rule["source"] for rule in advice["rules"]} >= {"Kim et al., arXiv 2512.08296"}
    assert all(rule["published"] and rule["here"] for rule in advice["rules"])
    (merge,) = (change for change in advice["changes"] if change["kind"] == "merge")
    assert merge["agents"] == ["topic", "answer"]
    assert Decimal(merge["saved_usd"]) == Decimal(merge["before_usd"]) - Decimal(merge["after_usd"]) > 0
    assert merge["before_usd"] == advice["expected_usd"]


def test_text_names_the_saving_of_the_job_and_of_a_row_with_the_place(tmp_path: Path) -> None:
    graph, rows = chained(tmp_path)
    result = fanwise("advise", graph, "--rows", rows, "--channel", "live")
    assert result.returncode == 0, result.stderr
    text = " ".join(result.stdout.split())
    assert "ADVICE: nothing was sent or paid" in text
    assert "1. saves $" in text
    assert " a row: " in text
    line = next(n for n, code in enumerate(CHAINED.splitlines(), 1) if "return answer(row.note" in code)
    assert f"chained.py:{line};" in text
    assert "arXiv 2512.08296" in text


def test_a_graph_with_nothing_to_save_says_so(tmp_path: Path) -> None:
    graph, rows = tmp_path / "plain.py", tmp_path / "rows.jsonl"
    graph.write_text(
        CHAINED.replace("def topic(note: str)", "def topic(note: Annotated[str, Block])")
        .replace("from fanwise import", "from typing import Annotated\nfrom fanwise import Block,")
        .replace("answer(row.note, topic(row.note))", "topic(row.note)")
    )
    rows.write_text('{"id": "r1", "note": "x"}\n{"id": "r2", "note": "y"}\n')
    result = fanwise("advise", f"{graph}:chain", "--rows", rows)
    assert result.returncode == 0, result.stderr
    assert "no cheaper change was found" in result.stdout


def test_mistakes_of_the_call_are_told_at_once(tmp_path: Path) -> None:
    rows = tickets(tmp_path / "t.jsonl", 2)
    result = fanwise("advise", f"{DESK}:triag", "--rows", rows, "--simulate", "0")
    assert result.returncode == 2
    assert "did you mean 'triage'" in result.stderr
    assert "simulate" in result.stderr
    assert "Traceback" not in result.stderr
