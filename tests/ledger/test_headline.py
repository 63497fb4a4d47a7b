"""The headline: the sum of what the fan-out took over the sum of what one agent took, the same wherever it is shown."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from contextlib import closing
from decimal import Decimal
from html import unescape
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from letters import letters

from fanwise import Job
from fanwise.job.account import Account
from fanwise.journal.records import AskRecord, AttemptRecord, EndRecord, RowRecord, RowResult
from fanwise.journal.sqlite import SqliteJournal
from fanwise.ledger.account import totals
from fanwise.ledger.allotment import allotted
from fanwise.ledger.measuring import Measuring, multiplier
from fanwise.ledger.summary import summary
from fanwise.pricing.usage import Usage
from fanwise.rendering.files import results
from fanwise.studies.compare import compare
from fanwise.studies.diff import diff
from fanwise.studies.history import history
from support import ROOT, fanwise, read_only

LETTERS = ROOT / "tests" / "sample" / "letters.py"


def rows(count: int, *, long: int = 0) -> list[dict[str, Any]]:
    """Letters of which the first are so long that one agent's answer is cut off."""
    bodies = ["A very long letter, " * (40 if number < long else 1 + number % 4) for number in range(count)]
    return [{"id": f"r{number}", "body": f"{number}: {body}"} for number, body in enumerate(bodies)]


def compared(folder: Path, data: list[dict[str, Any]], channel: Any = "live", **fields: Any) -> Account:
    return Job(letters, rows=data, out=folder, channel=channel, baseline=f"{LETTERS}:alone", **fields).run_sync()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in which one agent's answer is cut off in two of twelve rows."""
    folder = tmp_path_factory.mktemp("headline") / "run"
    compared(folder, rows(12, long=2))
    return folder


entry = st.tuples(
    st.sampled_from(["fanout", "baseline"]), st.integers(1, 8), st.integers(0, 10**12), st.integers(0, 10**6),
    st.sampled_from(["succeeded"] * 8 + ["lost"]),
)  # fmt: skip
status = st.sampled_from(["succeeded", "succeeded", "partial", "failed", None])


@given(st.lists(entry, max_size=30), st.lists(st.tuples(status, status), min_size=8, max_size=8))
@settings(deadline=None)
def test_it_is_the_quotient_of_sums_over_the_rows_that_both_have_ended(
    sent: list[tuple[Any, int, int, int, str]], ends: list[tuple[Any, Any]]
) -> None:
    with tempfile.TemporaryDirectory() as folder, closing(SqliteJournal(Path(folder) / "journal.db")) as journal:
        for row, both in enumerate(ends, 1):
            journal.add_row(RowRecord(number=row, row_id=f"r{row}", locator=0, hash="h", session=1))
            for arm, ended in zip(("fanout", "baseline"), both, strict=True):
                if ended is not None:
                    journal.add_result(RowResult(row, arm, ended, None, ""))
        for number, (arm, row, cost, tokens, ended) in enumerate(sent, 1):
            journal.add_attempt(
                AttemptRecord(id=number, arm=arm, agent=arm, model="claude-haiku-5-5", channel="live", why="first",
                              request_hash="h", reserved=1, sent=1e9, chars=1),
                [AskRecord(attempt=number, key=f"k{number}", row=row, node=arm, label=arm, number=1)],
            )  # fmt: skip
            usage, price = (Usage(input=tokens), cost) if ended == "succeeded" else (Usage(), None)
            journal.add_end(EndRecord(attempt=number, at=1.0, status=ended, usage=usage, cost=price))  # type: ignore[arg-type]
        anyio.run(journal.commit)
        measured, data = multiplier(journal.db), summary(journal.db)
        measuring = Measuring(journal.db)
        assert len(list(results(journal.db, measuring))) == sum(fanout is not None for fanout, _ in ends)
        assert summary(journal.db, measuring=measuring) == data, "added up while results are written, and by itself"
    unknown = {row for _, row, _, _, ended in sent if ended == "lost"}
    both_ended = {row for row, both in enumerate(ends, 1) if None not in both}
    counted = both_ended - unknown

    def total(side: str, place: int) -> int:
        return sum(line[place] for line in sent if line[0] == side and line[1] in counted and line[4] == "succeeded")

    if not total("baseline", 2) or not total("baseline", 3):
        assert measured is None
        assert data["multiplier"] is None and data["per_success"] is None
        return
    assert measured is not None
    assert measured.rows == len(counted)
    assert measured.usd.ratio == round(total("fanout", 2) / total("baseline", 2), 6)
    assert measured.tokens.ratio == round(total("fanout", 3) / total("baseline", 3), 6)
    assert (measured.usd.low is None) == (len(counted) < 5 or not total("fanout", 2))
    fanout_ended = sum(fanout is not None for fanout, _ in ends)
    assert data["multiplier"]["left_out"] == {
        "unfinished": len(ends) - fanout_ended,
        "without_baseline": fanout_ended - len(both_ended),
        "unknown_cost": len(both_ended & unknown),
        "over_budget": 0,
    }
    good = [sum(ends[row - 1][side] == "succeeded" for row in counted) for side in (0, 1)]
    if all(good) and total("fanout", 2):
        success = total("fanout", 2) * good[1] / (total("baseline", 2) * good[0])
        assert data["per_success"]["ratio"] == pytest.approx(success, abs=1e-6, rel=1e-9)
    else:
        assert data["per_success"] is None


paid = st.tuples(st.integers(1, 10**12), st.integers(1, 10**6))


@given(st.lists(st.tuples(paid, paid), min_size=5, max_size=12), st.lists(st.tuples(st.booleans(), paid), max_size=4))
@settings(deadline=None)
def test_of_all_rows_it_is_the_quotient_of_the_bills_of_both_sides(
    rows_of_both: list[tuple[Any, Any]], warmed: list[tuple[bool, Any]]
) -> None:
    """Whoever checks it by hand takes the totals: with what kept a prefix warm, which stood on no row in tokens."""
    sides = ("fanout", "baseline")
    entries = [(side, row, both[place]) for row, both in enumerate(rows_of_both, 1) for place, side in enumerate(sides)]
    entries += [(sides[is_baseline], 0, took) for is_baseline, took in warmed]
    with tempfile.TemporaryDirectory() as folder, closing(SqliteJournal(Path(folder) / "journal.db")) as journal:
        for number, (side, row, (cost, tokens)) in enumerate(entries, 1):
            if row:
                journal.add_row(RowRecord(number=row, row_id=f"r{row}", locator=0, hash="h", session=1))
                journal.add_result(RowResult(row, side, "succeeded", None, ""))
            journal.add_attempt(
                AttemptRecord(id=number, arm=side, agent=side, model="claude-haiku-5-5", channel="live",
                              why="first" if row else "warm", request_hash="h", reserved=1, sent=1e9, chars=1),
                [AskRecord(attempt=number, key=f"k{number}", row=row, node=side, label=side, number=1)] if row else [],
            )  # fmt: skip
            usage = Usage(input=tokens)
            journal.add_end(EndRecord(attempt=number, at=1.0, status="succeeded", usage=usage, cost=cost))
        anyio.run(journal.commit)
        measured, both = multiplier(journal.db), [totals(journal.db, side) for side in sides]
    assert measured is not None
    assert measured.usd.ratio == round(both[0].cost / both[1].cost, 6)
    assert measured.tokens.ratio == round(both[0].usage.total / both[1].usage.total, 6)


@pytest.mark.parametrize(("channel", "sample"), [("live", None), ("batch", 7)])
def test_every_surface_shows_the_same_number(tmp_path: Path, channel: Any, sample: int | None) -> None:
    """The report said 0.92x of a directory of which `compare` said 1.04: the mean of ratios, and the ratio of sums."""
    run = tmp_path / "run"
    compared(run, rows(12, long=2), channel=channel, sample=sample)
    data = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    tokens, usd = data["multiplier"]["tokens"], data["multiplier"]["usd"]
    if sample is None:  # else the totals are of other rows than the sums
        paid_in_all = [Decimal(data[f"{side}_usd"]) for side in ("fanout", "baseline")]
        assert usd["ratio"] == pytest.approx(float(paid_in_all[0] / paid_in_all[1]), abs=1e-6)
        sums = {arm: sum(data["tokens"][arm].values()) for arm in ("fanout", "baseline")}
        assert tokens["ratio"] == pytest.approx(sums["fanout"] / sums["baseline"], abs=1e-6)
    assert usd["ratio"] != pytest.approx(usd["mean"], rel=0.01), "else this test could not tell them apart"
    in_tokens, in_usd = f"{tokens['ratio']:.2f}", f"{usd['ratio']:.2f}"
    interval = f"95 % {usd['low']:.2f} to {usd['high']:.2f}"
    shown = " ".join(fanwise("report", run).stdout.split())
    assert f"multiplier {in_tokens}x (95 % {tokens['low']:.2f}" in shown
    assert f"{in_usd}x ({interval};" in shown
    (past,) = history(run).runs
    assert (past.multiplier_tokens, past.multiplier_usd) == (tokens["ratio"], usd["ratio"])
    assert f"{in_usd}x" in fanwise("history", run).stdout
    held = diff(run, run)
    assert held.before.named()["multiplier in dollars"] == usd["ratio"]
    assert held.after.named()["multiplier in tokens"] == tokens["ratio"]
    page = " ".join(re.sub(r"<[^>]+>", " ", unescape(fanwise_page(run))).split())
    assert f"it took {in_tokens} times the tokens and {in_usd} times the dollars ({interval})" in page
    assert f"in all {in_usd}" in page


def fanwise_page(run: Path) -> str:
    finished = fanwise("report", run, "--html")
    assert finished.returncode == 0, finished.stderr
    return (run / "report.html").read_text(encoding="utf-8")


def test_a_run_whose_file_has_a_mean_is_counted_anew_by_a_history(run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "earlier"
    shutil.copytree(run, folder)
    data = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    ratios = [data["multiplier"][unit].pop("ratio") for unit in ("tokens", "usd")]
    (folder / "summary.json").write_text(json.dumps(data), encoding="utf-8")
    (past,) = history(folder).runs
    assert [past.multiplier_tokens, past.multiplier_usd] == ratios


def test_a_comparison_says_what_the_report_of_its_directory_says(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows(40)))
    comparison = compare(f"{LETTERS}:letters", rows=file, baseline=f"{LETTERS}:alone", sample=12, out=tmp_path / "run")
    data = json.loads((tmp_path / "run" / "summary.json").read_text(encoding="utf-8"))
    assert comparison.data()["multiplier"] == data["multiplier"]
    assert comparison.data()["per_success"] == data["per_success"]
    assert comparison.verdict.ratio is not None
    assert data["per_success"]["ratio"] == round(comparison.verdict.ratio.value, 6), "it decides by this one"
    with read_only(tmp_path / "run" / "journal.db") as db:
        db.row_factory = None
        costs = list(allotted(db))
    own = [sum(cost.own for cost in costs if cost.arm == arm) for arm in ("fanout", "baseline")]
    shared = [sum(cost.shared for cost in costs if cost.arm == arm) for arm in ("fanout", "baseline")]
    fanout, baseline = (own[side] * 40 + shared[side] * 12 for side in (0, 1))
    assert data["multiplier"]["usd"]["ratio"] == round(fanout / baseline, 6), "priced for 40 rows, not for 12"
    assert data["multiplier"]["usd"]["ratio"] != data["multiplier"]["usd_as_paid"]["ratio"]
    finished = fanwise("resume", tmp_path / "run", cwd=LETTERS.parent)
    assert finished.returncode == 0, finished.stderr
    whole = json.loads((tmp_path / "run" / "summary.json").read_text(encoding="utf-8"))
    assert whole["multiplier"]["rows"] == 40
    assert whole["multiplier"]["usd"]["ratio"] == whole["multiplier"]["usd_as_paid"]["ratio"], (
        "nothing is left to spread"
    )


def test_what_one_agent_was_cut_off_in_is_its_failure_in_money_and_not_in_quality(run: Path, tmp_path: Path) -> None:
    data = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    assert data["multiplier"]["rows"] == 12, "cut-off rows are in the sums"
    assert data["multiplier"]["cut_off"] == 2
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows(12, long=2)))
    comparison = compare(letters, rows=file, baseline=f"{LETTERS}:alone", sample=12)
    assert comparison.cut_off == 2
    assert comparison.baseline.good == 10
    assert comparison.verdict.quality.value == 0
    assert comparison.baseline.score == comparison.fanout.score == 1


def test_no_interval_below_five_rows_and_what_is_left_out_is_said(tmp_path: Path) -> None:
    account = compared(tmp_path / "run", rows(9), sample=4)
    found = account.summary["multiplier"]
    assert (found["rows"], found["left_out"]) == (
        4,
        {"unfinished": 0, "without_baseline": 5, "unknown_cost": 0, "over_budget": 0},
    )
    for name in ("tokens", "usd", "usd_as_paid"):
        assert (found[name]["low"], found[name]["high"], found[name]["ci95"]) == (None, None, None)
    assert (account.summary["per_success"]["low"], account.summary["per_success"]["high"]) == (None, None)
    shown = " ".join(fanwise("report", tmp_path / "run").stdout.split())
    assert "(no interval below 5 rows; row by row median" in shown
    assert "left out: rows 5 that one agent was not asked for or has not ended" in shown


def test_where_few_rows_carry_the_bill_it_is_said_and_nothing_is_decided(tmp_path: Path) -> None:
    many = [{"id": f"r{number}", "body": "Short."} for number in range(14)]
    huge = {"id": "huge", "body": "A very long letter, " * 9_000}
    account = compared(tmp_path / "run", [*many, huge])
    assert account.summary["multiplier"]["few_rows"] is True
    shown = " ".join(fanwise("report", tmp_path / "run").stdout.split())
    assert "few rows carry the bill: one has" in shown
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in (*many, huge)))
    comparison = compare(letters, rows=file, baseline=f"{LETTERS}:alone", sample=15)
    assert comparison.verdict.word == "not enough rows to tell"
    assert comparison.verdict.more == 0, "the job has no other rows"
