"""A single agent that the budget of a row has stopped cost nothing there: the row is in no comparison."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from fanwise import Job, agent, graph
from support import fanwise, read_only


class Row(BaseModel):
    id: str
    text: str


@agent(model="claude-haiku-5-5", max_tokens=50)
def find(text: str) -> str:
    """Find it."""
    return f"found {text[:20]}"


@agent(model="claude-sonnet-5-5", max_tokens=60)
def phrase(text: str, found: str) -> str:
    """Phrase it."""
    return f"so {found}"


@graph
def flow(row: Row) -> str:
    return phrase(row.text, find(row.text))


ROWS = [{"id": str(number), "text": f"so it goes on {number % 10} " * (40 * (1 + number % 4))} for number in range(12)]


def summary_of(out: Path, rows: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    return Job(flow, rows=rows, out=out, channel="live", baseline="auto", **fields).run_sync().summary


def test_rows_in_which_the_budget_has_stopped_one_agent_are_left_out_and_counted(tmp_path: Path) -> None:
    """Found: 2.64x where the same rows without a budget came to 0.82x, since the rows were counted at $0 for it."""
    free = summary_of(tmp_path / "free", ROWS)
    with read_only(tmp_path / "free" / "journal.db") as db:  # what a row may cost at most: that of some is too much
        most = db.execute("SELECT a.reserved FROM attempts a WHERE a.arm='baseline' ORDER BY 1").fetchall()
    bound = summary_of(tmp_path / "bound", ROWS, row_budget_usd=str(Decimal(most[6][0] + 10**9).scaleb(-12)))
    left_out = bound["multiplier"]["left_out"]["over_budget"]
    assert 0 < left_out < 12, "the budget is to stop it in some rows"
    assert bound["multiplier"]["rows"] == 12 - left_out
    assert bound["rows_left_out"]["over_budget"] == left_out
    assert (bound["rows"]["succeeded"], bound["failed_tasks"]) == (12, {"row_budget": left_out}), "the single agent's"
    stays = [row for row in ROWS if len(row["text"]) <= sorted(len(row["text"]) for row in ROWS)[11 - left_out]]
    same_rows = summary_of(tmp_path / "same", stays)
    for unit in ("tokens", "usd"):
        assert bound["multiplier"][unit]["ratio"] == same_rows["multiplier"][unit]["ratio"]
    assert abs(bound["multiplier"]["usd"]["ratio"] / free["multiplier"]["usd"]["ratio"] - 1) < 0.3
    said = " ".join(fanwise("report", tmp_path / "bound").stdout.split())
    assert f"{left_out} whose budget has stopped one agent" in said


def test_where_it_was_stopped_in_every_row_that_is_said(tmp_path: Path) -> None:
    out = tmp_path / "run"
    summary = summary_of(out, ROWS, row_budget_usd="0.02")
    assert summary["multiplier"] is None
    said = " ".join(fanwise("report", out).stdout.split())
    assert "the budget of the row has stopped one agent in 12 rows" in said
