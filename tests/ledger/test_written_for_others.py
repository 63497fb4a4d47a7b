"""What a row writes for others is borne by these, whichever level of a prefix it is; what it writes for itself is not.

The sums are made by hand, from what the emulator billed for each request: prices of Sonnet 5.5, in picodollars.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from fanwise import Block, Emulator, Job, agent, graph, tool
from fanwise.engine.arms import build_arms
from fanwise.engine.standin import answerer
from fanwise.ledger.allotment import allotted
from support import read_only

MORE_TO_WRITE = 2_500_000 - 100_000
"""What a token takes more to be written for five minutes than to be read."""
HOUSE = Block("house", "Whoever reads this keeps to the rules of the house. " * 120)
LAW = Block("law", "Whoever keeps a thing that is not theirs gives it back in time. " * 50)
CODE = Block("code", "Nobody is judged twice for one thing, and nobody without a word. " * 40)


class Case(BaseModel):
    id: str
    page: str


@agent(model="claude-sonnet-5-5", context=[HOUSE], max_tokens=40)
def note(page: str) -> str:
    """Note what the page says."""
    return page[:9]


@agent(model="claude-sonnet-5-5", context=[HOUSE, LAW], max_tokens=40)
def judge(page: str, noted: str) -> str:
    """Judge by the law what was noted."""
    return f"{noted} is right"


@agent(model="claude-sonnet-5-5", context=[HOUSE, LAW, CODE], max_tokens=40)
def appeal(page: str, judged: str) -> str:
    """Appeal against what was judged."""
    return f"{judged} at all"


@graph
def court(case: Case) -> str:
    return appeal(case.page, judge(case.page, note(case.page)))


@tool
def look_up(word: str) -> str:
    """Look up a word."""
    return f"{word} means {word[::-1]}. " * 8


@agent(model="claude-sonnet-5-5", context=[HOUSE], tools=[look_up], max_turns=5, max_tokens=2_000)
def seek(page: str) -> str:
    """Look up the words of the page."""
    return look_up(look_up(page[:40])[:40])[:30]


@graph
def search(case: Case) -> str:
    return seek(case.page)


def carried_out(folder: Path, flow: Any, rows: list[dict[str, Any]]) -> tuple[list[Any], dict[int, Any]]:
    """Carry out a job one request after another; return its attempts as billed, and what each row cost."""
    with Emulator(answer=answerer(build_arms({"fanout": flow.spec}))) as emulator:
        job = Job(flow, rows=rows, out=folder / "run", channel="live", slots=1, base_url=emulator.url)
        summary = job.run_sync().summary
        assert summary["rows"]["succeeded"] == len(rows)
        bill: Mapping[str, Any] = {entry["id"]: entry for entry in emulator.bill()["entries"]}
    query = """SELECT k.row, a.agent, a.why, e.request_id FROM attempts a JOIN asks k ON k.attempt=a.id
      JOIN ends e ON e.attempt=a.id ORDER BY a.id"""
    with read_only(folder / "run" / "journal.db") as db:
        db.row_factory = None
        attempts = [(row, name, why, bill[request]) for row, name, why, request in db.execute(query)]
        return attempts, {cost.row: cost for cost in allotted(db)}


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")


def test_every_level_of_a_prefix_is_borne_by_the_rows_behind_it(tmp_path: Path) -> None:
    """The first row carried the law and the code for all: it had read the house, which another agent had written."""
    rows = [{"id": f"r{number}", "page": f"page {number}, " * (number + 1)} for number in range(4)]
    attempts, costs = carried_out(tmp_path, court, rows)
    levels = [(entry["read"], entry["write_5m"]) for row, *_, entry in attempts if row == 1]
    assert [read > 0 for read, _ in levels] == [False, True, True]
    assert min(written for _, written in levels) > 500, "each agent has a level of its own to write"
    assert not sum(entry["write_5m"] for row, *_, entry in attempts if row > 1)
    written = [written * MORE_TO_WRITE for _, written in levels]
    for row in range(1, 5):
        paid = sum(int(entry["pico"]) for number, *_, entry in attempts if number == row)
        shared = sum(extra // 4 + (row <= extra % 4) for extra in written)
        own = paid - sum(written) * (row == 1)
        assert (costs[row].own, costs[row].shared) == (own, shared)


def test_a_conversation_with_tools_is_its_own_rows(tmp_path: Path) -> None:
    """All of a conversation counted as what rows share, the row's own page and what its tools had said among it."""
    rows = [{"id": f"r{number}", "page": f"page {number}: " + "a line. " * 300 * (number + 1)} for number in range(3)]
    attempts, costs = carried_out(tmp_path, search, rows)
    reads = [entry["read"] for row, _, why, entry in attempts if row > 1 and why == "first"]
    assert len(set(reads)) == 1, "what rows share, as it is read by the others"
    later = sum(entry["write_5m"] for row, _, why, entry in attempts if why == "tools" or row > 1)
    assert later > reads[0] / 2, "rows write much for themselves"
    written_for_all = sum(cost.shared for cost in costs.values()) / MORE_TO_WRITE
    assert reads[0] * 0.95 < written_for_all <= reads[0], "what the first row has written in front, and no more"
    for row in (2, 3):
        paid = sum(int(entry["pico"]) for number, *_, entry in attempts if number == row)
        assert costs[row].own == paid
