"""kill -9 at the three moments at which a batch run can be caught, and resume."""

from __future__ import annotations

import signal
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support import (
    DESK,
    bill,
    clear_faults,
    emulator,
    environment,
    fanwise,
    journal_value,
    lines,
    post,
    read_only,
    started,
    stored_bill,
    summary,
    tickets,
    wait_for,
)

ROWS = 300
GRAPH = f"{DESK}:triage"
MOMENTS = {
    "before submit": "SELECT COUNT(*) FROM batches WHERE state='intent'",
    "while polling": "SELECT COUNT(*) FROM batches WHERE state='created'",
    "while reading": "SELECT COUNT(*)>0 AND COUNT(*)<900 FROM ends",
}
SIZES = {"before submit": 60, "while polling": 60, "while reading": ROWS}
"""Rows of a run: results of fewer come in one piece, and nobody could be caught reading them."""


@dataclass
class Server:
    """Where a run finds the API, and how its bill is seen from outside."""

    options: tuple[object, ...]
    url: str | None

    def entries(self, out: Path) -> list[Any]:
        return bill(self.url)["entries"] if self.url else [dict(row) for row in stored_bill(out)]


@pytest.fixture(params=["embedded", "separate"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with ExitStack() as stack:
        if request.param == "embedded":
            yield Server(("--batch-delay-s", 1, "--latency-s", 0.5), None)
        else:
            url = stack.enter_context(emulator(graph=GRAPH, batch_delay_s=1, latency_s=0.5))
            yield Server(("--base-url", url, "--grace-s", 3), url)


# Sixty random moments, in batches and live: bench/crash.py.
@pytest.mark.parametrize(
    ("moment", "channel"), [("before submit", "live"), ("while polling", "batch"), ("while reading", "live")]
)
def test_killed_batch_run_is_resumed_without_loss_or_double_bill(
    tmp_path: Path, server: Server, moment: str, channel: str
) -> None:
    """Curator billed such a job once and lost it, four others billed it twice; both are what we exist to prevent."""
    out, count = tmp_path / "run", SIZES[moment]
    rows = tickets(tmp_path / "rows.jsonl", count)
    run = started(
        "run", GRAPH, "--rows", rows, "--out", out, "--channel", "batch", *server.options, env=environment_for(server)
    )
    if moment == "while reading":
        slow_down_results(server, out)
    wait_for(lambda: journal_value(out, MOMENTS[moment]), moment)
    run.send_signal(signal.SIGKILL)
    run.wait()

    resumed = fanwise("resume", out, "--channel", channel, *server.options, env=environment_for(server))

    assert resumed.returncode == 0, resumed.stderr
    assert [line["id"] for line in lines(out / "results.jsonl")] == [f"t{number}" for number in range(count)]
    assert {line["status"] for line in lines(out / "results.jsonl")} == {"succeeded"}
    account = summary(out)
    assert account["cost_usd"] == account["bill_usd"]
    assert account["attempts"]["lost"] == 0
    times = tasks_billed(out, server.entries(out))
    assert len(times) == count * 4
    assert set(times.values()) == {1}, "a task was billed twice"


def environment_for(server: Server) -> dict[str, str]:
    return environment(ANTHROPIC_API_KEY="test-key") if server.url else environment()


def slow_down_results(server: Server, out: Path) -> None:
    def address() -> list[str]:
        path = out / "emulator.url"
        return path.read_text().split() if path.exists() else []

    url, *key = [server.url] if server.url else wait_for(address, "the emulator's address")
    post(f"{url}/_emulator/faults", {"path": "/results", "latency_s": 0.3}, key="".join(key))


def tasks_billed(out: Path, entries: list[Any]) -> Counter[str]:
    """How often each task stands on the bill, by the journal's attempts."""
    with read_only(out / "journal.db") as db:
        keys: dict[str, str] = {str(row["attempt"]): row["key"] for row in db.execute("SELECT * FROM asks")}
        query = "SELECT request_id, key FROM served WHERE at IS NOT NULL"
        live: dict[str, str] = {row[0]: row[1] for row in db.execute(query)}
    return Counter(
        keys[entry["custom_id"].rpartition("-")[2]] if entry["custom_id"] else live[entry["id"]] for entry in entries
    )


def test_a_batch_that_was_adopted_and_half_read_is_not_sent_again_after_a_second_kill(tmp_path: Path) -> None:
    """Found: its first result was already applied, so the batch looked like somebody else's and all was paid again."""
    out, rows = tmp_path / "run", tickets(tmp_path / "rows.jsonl", ROWS)
    env = environment(ANTHROPIC_API_KEY="test-key")
    with emulator(graph=f"{DESK}:single") as url:
        faults = [{"lost": True, "count": 1, "path": "/v1/messages/batches"}, {"path": "/results", "latency_s": 0.5}]
        post(f"{url}/_emulator/faults", faults)
        options = ("--channel", "batch", "--base-url", url, "--grace-s", 3)
        run = started("run", f"{DESK}:single", "--rows", rows, "--out", out, *options, env=env)
        wait_for(lambda: journal_value(out, "SELECT COUNT(*)>0 FROM ends"), "the first results")
        run.send_signal(signal.SIGKILL)
        run.wait()
        assert 0 < journal_value(out, "SELECT COUNT(*) FROM ends") < ROWS
        with sqlite3.connect(out / "journal.db") as db:  # as if the kill had come before the id was certain
            db.execute("UPDATE batches SET state='adopted'")
        clear_faults(url)
        assert fanwise("resume", out, *options, env=env).returncode == 0
        assert bill(url)["totals"]["entries"] == ROWS
    assert summary(out)["rows"]["succeeded"] == ROWS


def test_journal_is_whole_after_a_kill(tmp_path: Path) -> None:
    """An attempt is durable before it is sent: whatever was billed has an intent."""
    out, rows = tmp_path / "run", tickets(tmp_path / "rows.jsonl", 200)
    run = started("run", GRAPH, "--rows", rows, "--out", out, "--channel", "live", "--slots", 16, "--latency-s", 0.05)
    wait_for(lambda: (journal_value(out, "SELECT COUNT(*) FROM ends") or 0) > 100, "100 replies")
    run.send_signal(signal.SIGKILL)
    run.wait()

    with read_only(out / "journal.db") as db:
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        open_attempts = db.execute(
            "SELECT COUNT(*) FROM attempts a LEFT JOIN ends e ON e.attempt=a.id WHERE e.attempt IS NULL"
        ).fetchone()[0]
        sent = db.execute("SELECT COUNT(*) FROM attempts").fetchone()[0]
    assert len(stored_bill(out)) <= sent
    assert open_attempts <= 16, "at most the requests in flight are open"

    assert fanwise("resume", out).returncode == 0
    account = summary(out)
    assert account["attempts"]["lost"] == open_attempts
    with read_only(out / "journal.db") as db:
        known = {row[0] for row in db.execute("SELECT request_id FROM ends WHERE status='succeeded'")}
        cost = db.execute("SELECT SUM(cost) FROM ends").fetchone()[0]
    lost_entries = [row for row in stored_bill(out) if row["id"] not in known]
    assert cost + sum(row["pico"] for row in lost_entries) == sum(row["pico"] for row in stored_bill(out))
    assert len(lost_entries) <= open_attempts


def test_two_processes_do_not_share_a_run_directory(tmp_path: Path) -> None:
    out, rows = tmp_path / "run", tickets(tmp_path / "rows.jsonl", 50)
    run = started("run", GRAPH, "--rows", rows, "--out", out, "--channel", "batch", "--batch-delay-s", 30)
    wait_for(lambda: journal_value(out, MOMENTS["while polling"]), "a batch in flight")
    second = fanwise("resume", out)
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert second.returncode == 2
    assert "another process works on" in second.stderr
    assert "Traceback" not in second.stderr


def test_database_errors_are_not_hidden(tmp_path: Path) -> None:
    out = tmp_path / "run"
    out.mkdir()
    (out / "journal.db").write_text("this is no database, but long enough to be looked at as one" * 40)
    result = fanwise("resume", out)
    assert result.returncode == 2
    assert "is not a journal" in result.stderr
