"""The parts of the account sum to it: over rows, over levers, above its floor, and it is the bill."""

from __future__ import annotations

import json
import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fanwise import Emulator, Job
from fanwise.engine.arms import build_arms
from fanwise.engine.standin import answerer
from fanwise.job.arms import arms_of
from fanwise.journal.records import AskRecord, AttemptRecord, EndRecord
from fanwise.journal.sqlite import SqliteJournal
from fanwise.ledger.account import totals
from fanwise.ledger.allotment import allotted
from fanwise.ledger.levers import levers
from fanwise.pricing.cost import cost
from fanwise.pricing.usage import Usage
from fanwise.rendering.html.sentences import levers_lead, sentences
from fanwise.units import now
from support import ROOT, example_rows, fanwise, lines, read_only

tokens = st.integers(0, 50_000)
attempts = st.tuples(
    st.integers(0, 4), st.sampled_from(["fanout", "baseline"]), st.sampled_from(["a", "b"]),
    st.sampled_from(["claude-haiku-5-5", "claude-opus-5-5", "claude-unheard-of-9"]), st.sampled_from(["live", "batch"]),
    st.builds(Usage, tokens, tokens, tokens, tokens, tokens, st.just(0), st.integers(0, 3)), st.floats(0, 1),
    st.integers(0, 10_000),
    st.sampled_from(["succeeded", "failed", "lost", "open"]),
)  # fmt: skip


@given(st.lists(attempts, max_size=25))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_whatever_was_sent_rows_and_levers_sum_to_the_ledger(tmp_path: Path, sent: list[Any]) -> None:
    path = tmp_path / "journal.db"
    path.unlink(missing_ok=True)
    journal = SqliteJournal(path)
    for number, (row, arm, agent, model, channel, usage, share, repeated, status) in enumerate(sent, 1):
        at = now()
        journal.add_attempt(
            AttemptRecord(
                id=number, arm=arm, agent=agent, model=model, channel=channel, why="first" if row else "warm",
                request_hash="h", reserved=10, sent=at.timestamp(), intent=1 if channel == "batch" else None,
                job_share=share, prefix="p" if share else "", chars=10_000, repeated=repeated,
            ),
            [AskRecord(attempt=number, key=f"k{number}", row=row, node=agent, label=agent, number=1)] if row else [],
        )  # fmt: skip
        if status == "open":
            continue
        price: int | None = 0
        if status == "succeeded":
            known = not model.startswith("claude-unheard")
            price = cost(usage, model, at, batch=channel == "batch") if known else None
        kept = usage if status == "succeeded" else Usage()
        journal.add_end(
            EndRecord(attempt=number, at=1.0, status=status, usage=kept, cost=None if status == "lost" else price)
        )
    anyio.run(journal.commit)
    found = list(allotted(journal.db))
    for arm in ("fanout", "baseline"):
        assert sum(part.cost for part in found if part.arm == arm) == totals(journal.db, arm).cost
        pulled = levers(journal.db, arm)
        if pulled is not None:
            assert pulled.naive - sum(pulled.saved.values()) == pulled.paid == totals(journal.db, arm).cost
            assert pulled.naive - sum(pulled.saved_reversed.values()) == pulled.paid
            assert list(pulled.saved_reversed) == list(pulled.saved)[::-1]
            assert pulled.saved["slices"] >= 0
            assert pulled.saved["batch"] >= 0
    assert len({(cost.row, cost.arm) for cost in found}) == len(found)
    journal.close()


FAULTS: list[dict[str, Any]] = [
    {"status": 529, "probability": 0.05, "path": "/v1/messages"},
    {"malformed": True, "probability": 0.03, "path": "/v1/messages"},
    {"item": "expired", "probability": 0.05},
    {"item": "missing", "probability": 0.03},
]


@pytest.mark.parametrize("channel", ["live", "batch"])
@pytest.mark.parametrize(("example", "graph"), [("tickets", "triage"), ("stdlib_review", "review")])
def test_on_the_examples_everything_agrees(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, channel: Any, example: str, graph: str
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    reference = f"{ROOT / 'examples' / example / 'graph.py'}:{graph}"
    file = example_rows(example, tmp_path / "rows", 25)
    with Emulator(answer=answerer(build_arms(arms_of(reference, "auto")))) as emulator:
        for fault in FAULTS:
            emulator.fault(**fault)
        out = tmp_path / "run"
        job = Job(reference, rows=file, out=out, channel=channel, baseline="auto", base_url=emulator.url, slots=8)
        summary = job.run_sync().summary
        entries = emulator.bill()["entries"]
    known, bill = Decimal(summary["cost_usd"]), Decimal(summary["bill_usd"])
    assert known <= bill <= known + Decimal(summary["lost_upper_bound_usd"])
    with read_only(out / "journal.db") as db:
        db.row_factory = None
        both = list(allotted(db))
        paid = _lost(db)
        ids = {row[0] for row in db.execute("SELECT request_id FROM ends WHERE status='succeeded'")}
    assert sum(one.cost for one in both) == int(known * 10**12)
    assert paid >= 1, "the faults have struck"
    if channel == "live":  # by the ids of replies: what the ledger does not know is what was lost
        lost = [int(entry["pico"]) for entry in entries if entry["id"] not in ids]
        assert known * 10**12 + sum(lost) == bill * 10**12
    assert Decimal(summary["floor_usd"]) <= Decimal(summary["fanout_usd"])
    pulled = summary["levers"]
    assert Decimal(pulled["naive_usd"]) - sum(map(Decimal, pulled["saved_usd"].values())) == Decimal(
        summary["fanout_usd"]
    )
    rows = sum(Decimal(line["cost_with_shared_usd"] or 0) for line in lines(out / "results.jsonl"))
    assert rows == Decimal(summary["fanout_usd"])


def _lost(db: sqlite3.Connection) -> int:
    return db.execute("SELECT COUNT(*) FROM ends WHERE status<>'succeeded'").fetchone()[0]


def test_the_report_tells_the_levers(tmp_path: Path) -> None:
    file = example_rows("tickets", tmp_path / "rows", 12)
    graph = f"{ROOT / 'examples' / 'tickets' / 'graph.py'}:triage"
    finished = fanwise("run", graph, "--rows", file, "--out", tmp_path / "run", "--channel", "live", "--limit", 5)
    assert finished.returncode == 0, finished.stderr
    printed = " ".join(finished.stdout.split())
    assert "with everything to everyone on claude-sonnet-5-5, uncached, live; own models -$" in printed
    kept = json.loads((tmp_path / "run" / "summary.json").read_text())["levers"]
    assert set(kept["saved_usd"]) == {"models", "slices", "cache", "batch", "equal"}
    assert any(f"in the other order: {lever}" in printed for lever in ("equal work", "batches", "cache")), (
        "slices took three times as much by the order alone"
    )
    assert kept["saved_usd"] != kept["saved_in_reverse_usd"]


def test_levers_start_from_the_single_agents_bill_and_never_lead_where_that_is_less(tmp_path: Path) -> None:
    """A page praised its slices where one agent would have cost less: they began at a bill that nobody would pay."""
    graph, file = f"{ROOT / 'examples' / 'tickets' / 'graph.py'}:triage", example_rows("tickets", tmp_path / "rows", 12)
    job = Job(graph, rows=file, out=tmp_path / "run", channel="live", baseline="auto")
    summary = job.run_sync().summary
    pulled, ratio = summary["levers"], summary["multiplier"]["usd"]["ratio"]
    assert pulled["alone_usd"] == summary["baseline_usd"], "it has ended all rows"
    assert float(pulled["alone_usd"]) * ratio == pytest.approx(float(summary["fanout_usd"]), rel=1e-5)
    is_dearer = ratio > 1
    assert levers_lead(summary) is not is_dearer
    cheaper = summary | {"levers": pulled | {"alone_usd": str(2 * Decimal(pulled["paid_usd"]))}}
    dearer = summary | {"levers": pulled | {"alone_usd": str(Decimal(pulled["paid_usd"]) / 2)}}
    assert "What took most off the bill" in " ".join(sentences(cheaper))
    assert "What took most off the bill" not in " ".join(sentences(dearer))
    printed = fanwise("report", tmp_path / "run").stdout
    assert printed.index("multiplier") < printed.index("levers"), "what it cost against one agent comes first"
    assert " for one agent, +$" in printed


def test_the_row_that_was_multiplied_most_is_named_with_its_reason(tmp_path: Path) -> None:
    file = example_rows("tickets", tmp_path / "rows", 12)
    graph = f"{ROOT / 'examples' / 'tickets' / 'graph.py'}:triage"
    finished = fanwise(
        "run",
        graph,
        "--rows",
        file,
        "--out",
        tmp_path / "run",
        "--channel",
        "live",
        "--limit",
        12,
        "--baseline",
        "auto",
    )
    assert finished.returncode == 0, finished.stderr
    found = json.loads((tmp_path / "run" / "summary.json").read_text())["worst_rows"]
    times = [line["multiplier"]["tokens"] for line in lines(tmp_path / "run" / "results.jsonl")]
    assert [row["multiplier"] for row in found] == sorted(times, reverse=True)[:3]
    assert found[0]["agent"] == "research", "it is asked once for each question, and shown the handbook each time"
    assert found[0]["duplicated_tokens"] > 0.5 * found[0]["agent_tokens"]
    assert f"most: {found[0]['multiplier']:.2f}x in row {found[0]['row_id']}" in finished.stdout
