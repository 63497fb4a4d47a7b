"""What calls cost that went ahead in another channel is cash; they count as the others travel, to the last digit.

Held against what the emulator billed, and prices of Sonnet 5.5 in picodollars.
"""

from __future__ import annotations

import tempfile
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import anyio
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from fanwise import Block, Emulator, Job, agent, graph
from fanwise.engine.arms import build_arms
from fanwise.engine.standin import answerer
from fanwise.job.arms import arms_of
from fanwise.journal.counting import show_as_counted
from fanwise.journal.records import AskRecord, AttemptRecord, EndRecord
from fanwise.journal.sqlite import SqliteJournal
from fanwise.ledger.account import totals
from fanwise.ledger.allotment import allotted
from fanwise.ledger.cash import cash
from fanwise.ledger.floor import floor
from fanwise.ledger.levers import levers
from fanwise.pricing.cost import cost
from fanwise.pricing.usage import Usage
from fanwise.studies.history import history
from fanwise.units import moment
from support import fanwise, lines, read_only

INPUT, READ, OUTPUT = 2_000_000, 100_000, 10_000_000
GUIDE = Block("guide", "Keep to every rule of this guide. " * 800)
ACCOUNT = ("rows", "attempts", "cost_usd", "fanout_usd", "floor_usd", "levers", "tokens", "made_of", "cache", "slices")


class Row(BaseModel):
    id: str
    page: Annotated[str, Block]
    text: str


@agent(model="claude-sonnet-5-5", max_tokens=2_000)
def retell(page: Annotated[str, Block], text: str) -> str:
    """Retell the page for whoever wrote the text."""
    return "once there was a page " * (100 + len(text))


@agent(model="claude-haiku-5-5", max_tokens=60)
def sign(text: str) -> str:
    """Sign it."""
    return f"signed, {text[:12]}"


@graph
def pages(row: Row) -> str:
    return sign(retell(row.page, row.text))


@agent(model="claude-sonnet-5-5", context=[GUIDE], max_tokens=2_000)
def read(text: str) -> str:
    """Read the text by the guide."""
    return "read it " * 25


@graph
def guided(row: Row) -> str:
    return read(row.text)


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")


def rows(sizes: list[int]) -> list[dict[str, Any]]:
    return [
        {"id": f"r{number}", "page": f"page {number % 2} " * 1_500, "text": "x" * size}
        for number, size in enumerate(sizes)
    ]


def carried_out(folder: Path, flow: Any, data: Any, channel: Any, **emulated: Any) -> tuple[dict[str, Any], list[Any]]:
    """Carry out a job; return its summary, and side, agent, reason, channel, row and bill of each request."""
    with Emulator(answer=answerer(build_arms(arms_of(flow, "auto"))), **emulated) as emulator:
        job = Job(flow, rows=data, out=folder, channel=channel, baseline="auto", base_url=emulator.url)
        summary = job.run_sync().summary
        bill = {entry["id"]: entry for entry in emulator.bill()["entries"]}
    query = """SELECT a.arm, a.agent, a.why, a.channel, k.row, e.request_id, b.batch_id || '/' || ? || '-' || a.id
      FROM attempts a JOIN asks k ON k.attempt=a.id JOIN ends e ON e.attempt=a.id
      LEFT JOIN batches b ON b.intent=a.intent ORDER BY a.id"""
    with read_only(folder / "journal.db") as db:
        db.row_factory = None
        found = db.execute(query, (summary["run_id"],)).fetchall()
    return summary, [(*request[:5], bill[request[6] if request[3] == "batch" else request[5]]) for request in found]


def prompt(entry: Any) -> int:
    return sum(entry[kind] for kind in ("input", "write_5m", "write_1h", "read"))


@pytest.mark.usefixtures("key")
def test_live_pilots_count_as_the_batches_behind_them(tmp_path: Path) -> None:
    """Four live calls of nine were in the headline at twice the price of all others."""
    run, sizes = tmp_path / "run", [3, 40, 0, 17, 5, 31, 8, 22, 12]
    summary, requests = carried_out(run, pages, rows(sizes), "auto")
    told = {(name, why): channel for arm, name, why, channel, *_ in requests if arm == "fanout"}
    assert told == {("retell", "pilot"): "live", ("retell", "first"): "batch", ("sign", "first"): "batch"}
    by_row = dict.fromkeys(range(1, len(sizes) + 1), 0)
    for arm, name, _, _, row, entry in requests:
        if arm == "fanout":
            usual = (prompt(entry) * INPUT + entry["output"] * OUTPUT) // 2
            by_row[row] += usual if name == "retell" else int(entry["pico"])
    of_rows = [Decimal(line["cost_with_shared_usd"]).scaleb(12) for line in lines(run / "results.jsonl")]
    assert of_rows == list(by_row.values())
    alone = sum(int(entry["pico"]) for arm, *_, entry in requests if arm == "baseline")
    assert Decimal(summary["cost_usd"]).scaleb(12) == sum(by_row.values()) + alone
    ratio = round(sum(by_row.values()) / alone, 6)
    assert (summary["multiplier"]["usd"]["ratio"], history(run).runs[0].multiplier_usd) == (ratio, ratio)
    pilots = summary["cash"]["pilots"]
    assert Decimal(summary["cost_usd"]) + Decimal(pilots["usd"]) == Decimal(summary["cash"]["paid_usd"])
    assert summary["cash"]["paid_usd"] == summary["bill_usd"]
    assert pilots["attempts"] == 4
    assert Decimal(summary["floor_usd"]) <= Decimal(summary["fanout_usd"])
    said = " ".join(fanwise("report", run).stdout.split())
    assert f"of it ${Decimal(pilots['usd']):,.6f} for calls that went ahead to learn the channel" in said


def test_with_pilots_every_figure_is_that_of_a_run_without(tmp_path: Path) -> None:
    data, figures = rows([5] * 10), list[Any]()
    for channel in ("auto", "batch"):
        out = tmp_path / channel
        summary = Job(pages, rows=data, out=out, channel=channel, baseline="none", reuse=False).run_sync().summary
        costs = [line["cost_with_shared_usd"] for line in lines(out / "results.jsonl")]
        figures.append(({name: summary[name] for name in ACCOUNT}, costs, summary["cash"]["pilots"]["attempts"]))
    (auto, of_rows, pilots), (batch, of_batched_rows, none) = figures
    assert (pilots, none) == (4, 0)
    assert of_rows == of_batched_rows
    # The single agent was not asked: it is modelled, and under `auto` it would go live, where it reads the pages.
    alone = [Decimal(account["levers"].pop("alone_usd")) for account in (auto, batch)]
    assert alone[0] < alone[1]
    assert auto == batch


@pytest.mark.usefixtures("key")
def test_batch_pilots_that_read_nothing_count_as_the_live_calls_that_read(tmp_path: Path) -> None:
    """Entries are gone before the batch behind them is worked on: its clock runs past their hour."""
    data = [{"id": f"r{number}", "page": "", "text": f"text {number}"} for number in range(60)]
    summary, requests = carried_out(tmp_path / "run", guided, data, "auto", batch_delay_s=4_000.0, clock_speed=20_000.0)
    account, ahead = 0, 0
    for _, _, why, channel, _, entry in requests:
        usual = entry["input"] * INPUT + (prompt(entry) - entry["input"]) * READ + entry["output"] * OUTPUT
        is_pilot = (why, channel) == ("pilot", "batch")
        account += usual if is_pilot else int(entry["pico"])
        ahead += (int(entry["pico"]) - usual) * is_pilot
    assert ahead > 0
    assert Decimal(summary["cost_usd"]).scaleb(12) == account
    assert Decimal(summary["cash"]["pilots"]["usd"]).scaleb(12) == ahead
    assert Decimal(summary["bill_usd"]).scaleb(12) == account + ahead


tokens = st.integers(0, 6_000)
usages = st.builds(Usage, tokens, tokens, tokens, tokens, tokens, st.just(0), st.just(0))
requests = st.tuples(
    st.integers(1, 3), st.sampled_from("aaab"), st.sampled_from(["first", "first", "pilot", "pilot", "retry"]),
    st.sampled_from(["live", "batch"]), usages, st.floats(0, 1), st.sampled_from(["succeeded", "succeeded", "lost"]),
)  # fmt: skip


@given(st.lists(requests, min_size=5, max_size=12))
@settings(max_examples=25, deadline=None)
def test_whatever_went_ahead_account_and_cash_are_all_that_was_paid(sent: list[Any]) -> None:
    at = 1_795_000_000.0
    with tempfile.TemporaryDirectory() as folder, closing(SqliteJournal(Path(folder) / "journal.db")) as journal:
        journal.start_session(at, "auto", "")
        paid = 0
        for number, (row, name, why, channel, usage, share, status) in enumerate(sent, 1):
            record = AttemptRecord(
                id=number, arm="fanout", agent=name, model="claude-sonnet-5-5", channel=channel, why=why,
                request_hash="h", reserved=1, sent=at, job_share=share, prefix="p" if share else "", chars=10,
                blocks="10 b:5",
            )  # fmt: skip
            ask = AskRecord(attempt=number, key=f"{name}{row}", row=row, node=name, label=name, number=1)
            journal.add_attempt(record, [ask])
            price = cost(usage, "claude-sonnet-5-5", moment(at), batch=channel == "batch")
            known = status == "succeeded"
            journal.add_end(
                EndRecord(
                    attempt=number, at=at, status=status, usage=usage if known else Usage(),
                    cost=price if known else None,
                )
            )  # fmt: skip
            paid += price * known
        anyio.run(journal.commit)
        db = journal.db
        for _ in range(2):  # a second look finds what the first has left
            show_as_counted(db)
            account = totals(db, "fanout")
            spent = cash(db, totals(db))
            assert account.cost + spent.pilots.cost == spent.totals.cost == paid
            assert spent.pilots.cost >= 0
            assert sum(row.cost for row in allotted(db)) == account.cost
            least, pulled = floor(db, "fanout"), levers(db)
            assert least is not None
            assert least.total <= account.cost
            assert pulled is None or pulled.naive - sum(pulled.saved.values()) == pulled.paid == account.cost
            assert account.usage.total == sum(usage.total for *_, usage, _, status in sent if status == "succeeded")
        event(f"{spent.pilots.attempts > 0} cash for pilots")
