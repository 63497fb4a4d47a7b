"""`fanwise status` reads a running or dead run; `fanwise batches` lists, watches, cancels and collects its batches."""

from __future__ import annotations

import json
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from desk import single

from fanwise import Job
from fanwise.journal.sqlite import SqliteJournal
from support import DESK, bill, emulator, environment, fanwise, journal_value, started, summary, tickets, wait_for

GRAPH = f"{DESK}:single"
KEY = environment(ANTHROPIC_API_KEY="k")


def content(directory: Path) -> dict[str, bytes]:
    """All files of a run directory but the memory that readers of the journal share."""
    return {path.name: path.read_bytes() for path in directory.iterdir() if not path.name.endswith("-shm")}


def test_a_run_is_seen_at_work_and_dead_and_is_not_touched(tmp_path: Path) -> None:
    rows, out = tickets(tmp_path / "rows.jsonl", 2_000), tmp_path / "run"
    run = started("run", GRAPH, "--rows", rows, "--out", out, "--channel", "live", "--latency-s", 0.2, "--slots", 4)
    wait_for(lambda: (journal_value(out, "SELECT COUNT(*) FROM ends") or 0) > 20, "some replies")
    at_work = json.loads(fanwise("status", out, "--json").stdout)
    assert (at_work["working"], at_work["ended"], at_work["offline"]) == (True, "running", True)
    run.send_signal(signal.SIGKILL)
    run.wait()
    before = content(out)
    dead = fanwise("status", out)
    assert f"dead: its process has ended without a word; go on with: fanwise resume {out}" in dead.stdout
    found = json.loads(fanwise("status", out, "--json").stdout)
    assert not found["working"]
    assert 0 < found["in_flight"] <= 4
    assert found["rows"]["succeeded"] > 10
    assert content(out) == before
    assert fanwise("status", tmp_path).returncode == 2


def test_batches_are_listed_watched_and_collected(tmp_path: Path) -> None:
    rows, out = tickets(tmp_path / "rows.jsonl", 6), tmp_path / "run"
    with emulator(graph=GRAPH, batch_delay_s=3) as url:
        there = ("--base-url", url)
        options = ("--channel", "batch", *there)
        assert fanwise("run", GRAPH, "--rows", rows, "--out", out, *options, "--detach", env=KEY).returncode == 0
        (listed,) = fanwise("batches", out, *there, env=KEY).stdout.splitlines()
        assert listed.startswith("msgbatch_")
        assert "6 requests" in listed
        assert "batch     msgbatch_" in fanwise("status", out).stdout
        watch = fanwise("batches", out, "watch", "--json", *there, env=KEY)
        watched = [json.loads(line) for line in watch.stdout.splitlines()]
        assert watched[-1]["status"] == "ended"
        assert fanwise("batches", out, "collect", *there, env=KEY).returncode == 0
        assert fanwise("batches", out, *there, env=KEY).stderr == "no batch is open\n"
        assert bill(url)["totals"]["entries"] == 6
    assert summary(out)["rows"]["succeeded"] == 6


def test_batches_are_cancelled(tmp_path: Path) -> None:
    rows, out = tickets(tmp_path / "rows.jsonl", 6), tmp_path / "run"
    with emulator(graph=GRAPH, batch_delay_s=60) as url:
        there = ("--base-url", url)
        options = ("--channel", "batch", *there)
        assert fanwise("run", GRAPH, "--rows", rows, "--out", out, *options, "--detach", env=KEY).returncode == 0
        assert "asked to cancel 1 batches: msgbatch_" in fanwise("batches", out, "cancel", *there, env=KEY).stderr
        assert "ended" in fanwise("batches", out, "watch", *there, env=KEY).stdout
        assert bill(url)["totals"]["entries"] == 0


def test_a_run_that_never_began_is_no_run_of_zeros(tmp_path: Path) -> None:
    """Its report was of a run named None that cost $0."""
    out = tmp_path / "run"
    out.mkdir()
    SqliteJournal(out / "journal.db").close()
    for command in (("report", out), ("report", out, "--by", "agent"), ("diff", out, out), ("export", out)):
        ended = fanwise(*command)
        assert (ended.returncode, ended.stdout) == (2, "")
        assert "a run that never began" in ended.stderr
    first = fanwise("status", out).stdout.splitlines()[0]
    assert "None" not in first and f"it never began: remove {out}" in first


@pytest.mark.parametrize(
    ("damage", "what"),
    [("json_remove(value, '$.mode')", "it has no 'mode'"), ("json_set(value, '$.spec', 7)", "mapping"),
     ("'{oops'", "Expecting property name"), ("'[1]'", "it is no object")],
)  # fmt: skip
def test_a_damaged_manifest_is_said_in_a_line(tmp_path: Path, damage: str, what: str) -> None:
    """It was a KeyError with its traceback."""
    out = tmp_path / "run"
    Job(single, rows=[{"id": "a", "subject": "s", "body": "b"}], out=out, channel="live").run_sync()
    with closing(sqlite3.connect(out / "journal.db")) as db:
        db.execute(f"UPDATE meta SET value={damage} WHERE key='manifest'")
        db.commit()
    for command in (("resume", out, "--yes"), ("batches", out, "list"), ("show", out, "a", "greet")):
        ended = fanwise(*command)
        assert ended.returncode == 2
        assert ended.stderr.count("\n") == 1 and "manifest is damaged" in ended.stderr and what in ended.stderr
