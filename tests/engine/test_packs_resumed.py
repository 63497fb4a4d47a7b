"""Packs that a killed session has left: nothing is lost, and nothing in batches is paid twice."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from support import (
    ROOT,
    bill,
    emulator,
    environment,
    fanwise,
    journal_value,
    lines,
    post,
    read_only,
    started,
    summary,
    tickets,
    wait_for,
)

GRAPH = f"{ROOT / 'tests' / 'sample' / 'packed.py'}:answered"
ROWS = 50
MOMENTS = {
    "intent": "SELECT COUNT(*) FROM batches WHERE state='intent'",
    "first batch": "SELECT COUNT(*) FROM batches WHERE state='created'",
    "second batch": "SELECT COUNT(*)>1 FROM batches",
    "results": "SELECT COUNT(*)>0 FROM ends",
}


def killed(out: Path, rows: Path, url: str, channel: str, query: str) -> None:
    run = started(
        "run", GRAPH, "--rows", rows, "--out", out, "--channel", channel, "--base-url", url, "--grace-s", 3,
        env=environment(ANTHROPIC_API_KEY="k"),
    )  # fmt: skip
    wait_for(lambda: journal_value(out, query), query)
    run.send_signal(signal.SIGKILL)
    run.wait()


def resumed(out: Path, url: str, *options: Any) -> None:
    args = ("--base-url", url, "--graph", GRAPH, "--grace-s", 3, *options)
    ended = fanwise("resume", out, *args, env=environment(ANTHROPIC_API_KEY="k"))
    assert ended.returncode == 0, ended.stderr


def check(out: Path, url: str) -> None:
    assert [line["id"] for line in lines(out / "results.jsonl")] == [f"t{number}" for number in range(ROWS)]
    assert {line["status"] for line in lines(out / "results.jsonl")} == {"succeeded"}
    totals = bill(url)["totals"]
    with read_only(out / "journal.db") as db:
        ended = db.execute("SELECT COUNT(*), SUM(cost) FROM all_paid WHERE cost>0").fetchone()
        assert tuple(ended) == (totals["entries"], totals["pico"])
        assert db.execute("SELECT SUM(cost) FROM served").fetchone()[0] == totals["pico"]
        assert db.execute("SELECT COUNT(DISTINCT key) FROM served").fetchone()[0] == 2 * ROWS


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_run_in_batches_is_resumed_without_loss_or_double_bill(tmp_path: Path, moment: str) -> None:
    out, rows = tmp_path / "run", tickets(tmp_path / "rows.jsonl", ROWS)
    with emulator(graph=GRAPH, batch_delay_s=0.5, latency_s=0.4) as url:
        killed(out, rows, url, "batch", MOMENTS[moment])
        resumed(out, url)
        check(out, url)
    with read_only(out / "journal.db") as db:
        times = db.execute("SELECT COUNT(*) FROM served WHERE status='succeeded' GROUP BY key").fetchall()
    assert {row[0] for row in times} == {1}, "a task was paid twice"
    assert summary(out)["attempts"]["lost"] == 0


def test_what_a_pack_had_under_way_live_is_lost_and_asked_again(tmp_path: Path) -> None:
    out, rows = tmp_path / "run", tickets(tmp_path / "rows.jsonl", ROWS)
    with emulator(graph=GRAPH, latency_s=0.3) as url:
        killed(out, rows, url, "live", "SELECT COUNT(*)>3 FROM ends")
        resumed(out, url)
        assert {line["status"] for line in lines(out / "results.jsonl")} == {"succeeded"}
        totals = bill(url)["totals"]
    with read_only(out / "journal.db") as db:
        known = db.execute("SELECT SUM(cost) FROM served").fetchone()[0]
        lost = db.execute("SELECT COUNT(*) FROM all_paid WHERE status='lost'").fetchone()[0]
    assert known <= totals["pico"], "what was lost may have been paid"
    assert lost > 0


def test_a_pack_that_comes_to_nothing_after_a_kill_is_sent_again(tmp_path: Path) -> None:
    out, rows = tmp_path / "run", tickets(tmp_path / "rows.jsonl", ROWS)
    with emulator(graph=GRAPH, batch_delay_s=0.5) as url:
        post(f"{url}/_emulator/faults", {"item": "expired", "count": 5})
        killed(out, rows, url, "batch", MOMENTS["first batch"])
        resumed(out, url)
        check(out, url)


def test_a_row_that_left_keeps_no_other_of_its_pack_waiting(tmp_path: Path) -> None:
    out, rows = tmp_path / "run", tickets(tmp_path / "rows.jsonl", ROWS)
    with emulator(graph=GRAPH, batch_delay_s=0.5) as url:
        killed(out, rows, url, "batch", MOMENTS["first batch"])
        kept = rows.read_text().splitlines(keepends=True)
        rows.write_text("".join(kept[3:20] + kept[25:]))
        resumed(out, url)
        totals = bill(url)["totals"]
    assert {line["status"] for line in lines(out / "results.jsonl")} == {"succeeded"}
    assert summary(out)["rows"]["succeeded"] == ROWS - 8
    with read_only(out / "journal.db") as db:
        assert db.execute("SELECT SUM(cost) FROM all_paid").fetchone()[0] == totals["pico"]
        times = db.execute("SELECT COUNT(*) FROM all_served WHERE status='succeeded' GROUP BY key").fetchall()
    assert {row[0] for row in times} == {1}, "a task was paid twice"
