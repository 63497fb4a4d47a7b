"""Into how large batches a round is cut, and what a full queue of batches costs."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from fanwise import Emulator, Job, agent, graph
from fanwise.dispatch import filling
from fanwise.dispatch.filling import LEAST_PART, MOST_REQUESTS, cut
from fanwise.engine.arms import build_arms
from fanwise.engine.standin import answerer
from support import read_only


class Row(BaseModel):
    id: str
    text: str


@agent(model="claude-haiku-5-5", max_tokens=50)
def first(text: str) -> str:
    """Read the text."""
    return f"read: {text}"


@agent(model="claude-haiku-5-5", max_tokens=50)
def second(first: str) -> str:
    """Read what was read."""
    return f"again {first}"


@graph
def once(row: Row) -> str:
    return first(row.text)


@graph
def twice(row: Row) -> str:
    return second(first(row.text))


def rows(count: int) -> list[Row]:
    return [Row(id=str(number), text=f"text {number}") for number in range(count)]


def test_one_round_travels_whole_and_several_in_parts() -> None:
    assert cut(20_000, 1) == MOST_REQUESTS
    assert cut(20_000, 3) == 4_000
    assert cut(600, 3) == LEAST_PART, "what is small is not cut"
    assert cut(10**7, 2) == MOST_REQUESTS


def test_the_next_round_of_a_part_does_not_wait_for_the_other_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "LEAST_PART", 100)
    account = Job(twice, rows=rows(230), out=tmp_path / "run", channel="batch").run_sync().summary
    assert account["rows"]["succeeded"] == 230
    with read_only(tmp_path / "run" / "journal.db") as db:
        found = db.execute(
            "SELECT intent, node, COUNT(*) FROM task_attempts GROUP BY intent, node ORDER BY intent"
        ).fetchall()
    sizes = [count for _, node, count in found if node == "first"]
    assert sizes == [100, 100, 30]
    assert all(node in ("first", "second") for _, node, _ in found)


def test_a_full_queue_of_batches_is_waited_for_by_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    with Emulator(answer=answerer(build_arms({"fanout": once.spec}))) as emulator:
        emulator.fault(status=429, count=3, path="/v1/messages/batches")
        job = Job(once, rows=rows(30), out=tmp_path / "run", channel="batch", base_url=emulator.url)
        account = job.run_sync().summary
    assert account["rows"]["succeeded"] == 30
    assert account["cost_usd"] == account["bill_usd"]
    with read_only(tmp_path / "run" / "journal.db") as db:
        intents = db.execute("SELECT COUNT(DISTINCT intent) FROM attempts").fetchone()[0]
    assert intents == 4, "one batch at a time asks whether there is room"
