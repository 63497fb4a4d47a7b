"""A branch or an item that is nothing but a value from outside waits for it, in whatever order replies come."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from fanwise import Job, agent, each, given, graph, step, when
from fanwise.graph.outcomes import Done, Outcome
from fanwise.graph.rehearse import rehearse
from fanwise.graph.scope import Task
from fanwise.graph.state import RowState
from support import lines


class Row(BaseModel):
    id: str
    text: str
    note: str | None = None


@agent(model="claude-haiku-5-5")
def title(text: str) -> str:
    """Find a title."""
    return text.upper()


@agent(model="claude-haiku-5-5")
def deep(text: str, title: str) -> str:
    """Write more."""
    return f"{title}: {text}"


@step
def is_long(text: str) -> bool:
    return len(text) > 5


@step
def words(text: str) -> list[str]:
    return text.split()


@graph
def otherwise(row: Row) -> str:
    found = title(row.text)
    return when(is_long(row.text), lambda: deep(row.text, found), lambda: found)


@graph
def then(row: Row) -> str:
    found = title(row.text)
    return when(is_long(row.text), lambda: found, lambda: deep(row.text, found))


@graph
def items(row: Row) -> list[str]:
    found = title(row.text)
    return each(words(row.text), lambda word: found)


@graph
def present(row: Row) -> str | None:
    found = title(row.text)
    return given(row.note, lambda note: found)


@graph
def nested(row: Row) -> list[str]:
    found = title(row.text)
    return each(words(row.text), lambda word: when(is_long(word), lambda: deep(word, found), lambda: found))


GRAPHS: list[Any] = [otherwise, then, items, present, nested]
ROWS = [{"id": "short", "text": "a b", "note": "n"}, {"id": "long", "text": "something long", "note": None}]


def stand_in(task: Task) -> Outcome:
    return Done(task.node.target.body(**task.values))


@pytest.mark.parametrize("flow", GRAPHS, ids=lambda flow: flow.spec.name)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_in_any_order(flow: Any, row: dict[str, Any], order: tuple[int, ...]) -> None:
    """Found: where the condition was there before the value, the row failed as "never settled", and was paid for."""
    value = Row(**row)
    state = RowState(flow.spec.template, {flow.spec.params["row"]: value})
    ready, turn = state.start(), 0
    while ready:
        task = ready.pop(order[turn % 3] % len(ready))
        turn += 1
        ready += state.finish(task, stand_in(task))
    assert state.finished()
    outcome = state.outcome()
    assert isinstance(outcome, Done), outcome
    assert outcome.value == rehearse(flow.spec, {"row": value})


def test_no_row_of_a_run_fails(tmp_path: Path) -> None:
    summary = Job(otherwise, rows=ROWS, out=tmp_path / "run", channel="live").run_sync().summary
    assert summary["rows"]["succeeded"] == 2
    assert [line["output"] for line in lines(tmp_path / "run" / "results.jsonl")] == [
        "A B", "SOMETHING LONG: something long",
    ]  # fmt: skip
