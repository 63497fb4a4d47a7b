"""What is not known of an attempt is zero nowhere: found by computing the account again from outside."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from html import unescape
from pathlib import Path
from typing import Any

import anyio
import pytest
from desk import triage

from fanwise import Job
from fanwise.journal.meta import MANIFEST
from fanwise.journal.records import AskRecord, AttemptRecord, EndRecord, RowRecord, RowResult
from fanwise.journal.sqlite import SqliteJournal
from fanwise.ledger.dearest import dearest
from fanwise.ledger.exports import attempt_lines
from fanwise.ledger.worst import worst
from fanwise.pricing.usage import Usage
from fanwise.rendering.files import results
from support import fanwise

PRICED: dict[str, Any] = {"status": "succeeded", "usage": Usage(input=10, output=5), "cost": 100}
LOST: dict[str, Any] = {"status": "lost", "cost": None}


def journal_of(path: Path, *rows: list[dict[str, Any] | None], reserved: int | None = 7) -> SqliteJournal:
    """Rows that both sides have ended; an attempt of the fan-out for each end, None: open, and one of the baseline."""
    journal, number = SqliteJournal(path / "journal.db"), 0
    MANIFEST.keep(journal, {"run_id": "made"})
    for row, ends in enumerate(rows, 1):
        journal.add_row(RowRecord(row, f"r{row}", 0, "h", 1))
        for arm, end in [*[("fanout", end) for end in ends], ("baseline", PRICED)]:
            number += 1
            journal.add_attempt(
                AttemptRecord(
                    id=number, arm=arm, agent="a", model="m", channel="live", why="first", request_hash="h",
                    reserved=reserved, sent=1.0,
                ),
                [AskRecord(attempt=number, key=f"k{number}", row=row, node="a", label="a", number=1)],
            )  # fmt: skip
            if end is not None:
                journal.add_end(EndRecord(attempt=number, at=2.0, **end))
        for arm in ("fanout", "baseline"):
            journal.add_result(RowResult(row, arm, "succeeded", None))
    anyio.run(journal.commit)
    return journal


def test_what_a_lost_attempt_took_is_empty_and_its_row_has_no_multiplier(tmp_path: Path) -> None:
    answered = {"status": "succeeded", "usage": Usage(input=20, output=5), "cost": 300}
    with closing(journal_of(tmp_path, [LOST, answered])) as journal:
        lost, *others = attempt_lines(journal.db)
        assert (lost.input_tokens, lost.output_tokens, lost.cost) == (None, None, None)
        assert [line.input_tokens for line in others] == [20, 10]
        (line,) = map(json.loads, results(journal.db))
        assert (line["multiplier"], line["attempts_of_unknown_cost"]) == (None, 1)


def test_a_row_of_unknown_cost_has_no_rank_among_the_worst(tmp_path: Path) -> None:
    """It was ranked by what was known of it: as the cheapest, though a lost reply may have made it the dearest."""
    longer = PRICED | {"usage": Usage(input=40, output=5)}
    with closing(journal_of(tmp_path, [PRICED], [LOST, longer], [longer])) as journal:
        rows = worst(journal.db)
    assert [(row.row, row.multiplier) for row in rows] == [(3, 3.0), (1, 1.0)]
    said = " ".join(fanwise("report", tmp_path).stdout.split())
    assert "most of the rows whose cost is known (of 1 it is not): 3.00x in row r3" in said


def test_a_row_of_unknown_cost_is_not_shown_behind_the_dearest(tmp_path: Path) -> None:
    dear = PRICED | {"cost": 105}
    with closing(journal_of(tmp_path, [dear], [PRICED, LOST], [PRICED])) as journal:
        assert [row.row for row in dearest(journal.db, most=2)] == [2, 1], "100 and up to 7"
    (tmp_path / "unbounded").mkdir()
    unpriced = PRICED | {"cost": None}
    with closing(journal_of(tmp_path / "unbounded", [dear], [unpriced], [PRICED], reserved=None)) as journal:
        assert [(row.row, row.unknown) for row in dearest(journal.db, most=2)] == [(2, 1), (1, 0)]


def test_what_is_in_flight_without_a_price_is_unknown_and_not_up_to_nothing(tmp_path: Path) -> None:
    journal_of(tmp_path, [PRICED, None], reserved=None).close()
    cost = next(line for line in fanwise("status", tmp_path).stdout.splitlines() if line.startswith("cost"))
    assert "up to" not in cost and "how much is unknown, 1 attempt" in cost
    assert json.loads(fanwise("status", tmp_path, "--json").stdout)["attempts_without_bound"] == 1


def test_an_agent_whose_batches_are_not_read_has_not_cost_nothing(tmp_path: Path) -> None:
    """Its line said $0.000000 while its requests were open."""
    journal_of(tmp_path, [None]).close()
    lines = fanwise("report", tmp_path).stdout.splitlines()
    fanout = next(line for line in lines if line.startswith("a ") and "baseline" not in line)
    assert fanout.split()[3:] == ["1", *["unknown"] * 5]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of two agents, held against one."""
    rows = [{"id": f"r{number}", "subject": "s", "body": "One? Two?"} for number in range(3)]
    Job(triage, rows=rows, out=tmp_path / "run", channel="live", baseline="auto", reuse=False).run_sync()
    return tmp_path / "run"


def without_price(run: Path, condition: str = "1") -> None:
    """As it is for a model that came out today."""
    with closing(sqlite3.connect(run / "journal.db")) as db:
        db.execute(f"UPDATE ends SET cost=NULL WHERE attempt IN (SELECT id FROM attempts WHERE {condition})")
        db.commit()


def shown(run: Path) -> tuple[dict[str, Any], str, str]:
    """Summary, terminal and page."""
    assert fanwise("report", run, "--html").returncode == 0
    page = re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", (run / "report.html").read_text(), flags=re.S))
    terminal = " ".join(fanwise("report", run).stdout.split())
    return json.loads(fanwise("report", run, "--json").stdout), terminal, " ".join(unescape(page).split())


def test_where_nothing_has_a_price_no_figure_is_zero(run: Path) -> None:
    """The floor of such a run was $0, which is below any price, and said so on the page too."""
    without_price(run)
    account, terminal, page = shown(run)
    assert [account[name] for name in ("floor_usd", "cost_usd", "fanout_usd", "baseline_usd", "levers")] == [None] * 5
    sent = account["attempts"]["fanout"]["sent"]
    assert account["floor_leaves_out"]["attempts"] == sent
    assert account["floor_leaves_out"]["tokens"] == sum(account["tokens"]["fanout"].values())
    assert f"floor unknown, with {sent} attempts of unknown cost" in terminal
    assert account["rows_left_out"] == {"unfinished": 0, "without_baseline": 0, "unknown_cost": 3, "over_budget": 0}
    assert "not measured (both have ended 3 rows, whose cost is not known)" in terminal
    assert "no row has both" not in page
    groups = fanwise("report", run, "--by", "agent", "--json").stdout.splitlines()
    assert {json.loads(line)["cost_usd"] for line in groups} == {None}
    for said in (terminal, page, fanwise("status", run).stdout, fanwise("history", run).stdout):
        without_bill = re.sub(r"bill .* ledger knows", "", said)
        assert re.findall(r"\$0(?:\.0*)?(?![\d.])", without_bill) == []


def test_floor_and_levers_say_what_they_leave_out(run: Path) -> None:
    """They were of the priced attempts alone, and read as if they were of all."""
    without_price(run, "id IN (SELECT MAX(id) FROM attempts WHERE arm='fanout' GROUP BY agent LIMIT 1)")
    account, terminal, page = shown(run)
    left_out = account["floor_leaves_out"]
    assert left_out["attempts"] == 1 and left_out["tokens"] > 0 and account["floor_usd"] not in (None, "0")
    assert account["levers"]["leaves_out"] == left_out
    assert account["levers"]["attempts"] == account["attempts"]["fanout"]["sent"] - 1
    words = f"1 attempt of unknown cost ({left_out['tokens']:,} tokens) is not in"
    assert f"{words} it" in terminal and f"{words} the levers" in terminal
    assert f"{words} floor and levers" in page and f"{words} it." in page and "without 1 attempt" in page


def test_tokens_that_no_reply_has_told_are_in_no_sum_and_are_counted_beside_it(run: Path) -> None:
    """They were 0 in the summary, in its slices and by group, and a call had taken fewer tokens for each of them."""
    before, _, _ = shown(run)
    kinds = "input=0, cache_write_5m=0, cache_write_1h=0, cache_read=0, output=0"
    one = "SELECT MIN(id) FROM attempts WHERE agent='draft'"
    with closing(sqlite3.connect(run / "journal.db")) as db:
        db.execute(f"UPDATE ends SET cost=NULL, {kinds} WHERE attempt=({one})")
        db.execute(f"UPDATE ends SET cost=NULL, {kinds} WHERE attempt IN (SELECT id FROM attempts WHERE arm<>'fanout')")
        db.commit()
    account, terminal, page = shown(run)
    asked = account["attempts"]["baseline"]["sent"]
    assert account["tokens_leave_out"] == {"fanout": 1, "baseline": asked}
    assert set(account["tokens"]["baseline"].values()) == {None}
    assert 0 < account["tokens"]["fanout"]["output"] < before["tokens"]["fanout"]["output"]
    assert account["tokens"]["output"] == account["tokens"]["fanout"]["output"], "the sum of what is known"
    assert f"of {asked + 1} attempts they are unknown" in terminal
    assert f"of all input but that of {asked + 1} requests" in page
    slices = {(one["side"], one["agent"]): one for one in account["slices"]}
    (single,) = [one for (side, _), one in slices.items() if side == "baseline"]
    assert (single["calls"], single["calls_of_unknown_tokens"]) == (asked, asked) and single["input_tokens"] is None
    answered = slices["fanout", "draft"]
    a_call = answered["input_tokens"] / (answered["calls"] - 1)
    assert answered["calls_of_unknown_tokens"] == 1 and f"{a_call:,.0f} (1 unknown)" in terminal
    groups = map(json.loads, fanwise("report", run, "--by", "side,agent", "--json").stdout.splitlines())
    counts = {group["side"]: (group["output_tokens"], group["attempts_of_unknown_tokens"]) for group in groups}
    assert counts["baseline"] == (None, asked)
