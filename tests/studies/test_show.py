"""A request is rendered again, and every attempt is held against it; what cannot be told is not called the same."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from fanwise import Block, Emulator, Job, UsageError, agent, graph
from fanwise.context.tags import fence
from fanwise.engine.arms import build_arms
from fanwise.engine.standin import answerer
from fanwise.job.sizes import TokenCache
from fanwise.studies.show import rendered
from gateway import gateway
from sample import shapes
from sample.helper import Ticket, desk
from support import fanwise

ROW = [shapes.Row(id="a", n=1, tags=["x"])]
SMALL, LARGE = Block("small", "A word of ours. " * 400), Block("large", "Another word of ours. " * 500)
MODEL = "claude-haiku-5-5"


@agent(model=MODEL, max_tokens=300, context=[SMALL, LARGE])
def both(n: int) -> int:
    """Read both."""
    return n


@agent(model=MODEL, max_tokens=300, context=[SMALL])
def one_of_them(n: int) -> int:
    """Read the small one."""
    return n


@agent(model=MODEL, max_tokens=300, context=[LARGE])
def other_of_them(n: int) -> int:
    """Read the large one."""
    return n


@graph
def by_size(row: shapes.Row) -> list[int]:
    return [both(row["n"]), one_of_them(row["n"]), other_of_them(row["n"])]


def tamper(out: Path, statement: str) -> None:
    with closing(sqlite3.connect(out / "journal.db")) as db:
        db.execute(statement)
        db.commit()


def checked(out: Path, task: str, row: str = "a") -> list[tuple[int, bool | None]]:
    return [(attempt.number, attempt.is_unchanged) for attempt in rendered(str(out), row, task, "fanout").attempts]


def test_a_request_is_rendered_with_the_sizes_that_it_was_made_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The counted sizes turn the order of the blocks around, behind a server that passes for the API."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    graphs = {"fanout": by_size.spec}
    with TokenCache() as cache:
        for block, tokens in ((SMALL, 9_000), (LARGE, 1_000)):
            cache.keep(MODEL, fence(block.name, block.text), tokens)
    with (
        Emulator(answer=answerer(build_arms(graphs))) as emulator,
        gateway(emulator.url, shows=False) as api,
    ):
        Job(by_size, rows=ROW, out=tmp_path / "run", channel="live", base_url=api.url).run_sync()
    assert checked(tmp_path / "run", "both") == [(1, True)]


def test_every_attempt_is_checked(tmp_path: Path) -> None:
    """Cut off, then asked with a higher cap: both requests can be made again."""
    Job(shapes.tight, rows=ROW, out=tmp_path / "run", channel="live").run_sync()
    assert checked(tmp_path / "run", "nearly") == [(1, True), (2, True)]
    tamper(tmp_path / "run", "UPDATE attempts SET request_hash='x' WHERE why='longer'")
    assert checked(tmp_path / "run", "nearly") == [(1, True), (2, False)]
    shown = fanwise("show", tmp_path / "run", "a", "nearly")
    assert shown.returncode == 1
    assert "attempt 1: the same request\nattempt 2: NOT the same request any more\n" in shown.stderr


def test_answers_of_a_run_that_began_with_another_form_of_requests_stay(tmp_path: Path) -> None:
    """Nothing that a task's key holds has changed; what was sent cannot be rendered as it was."""
    Job(shapes.tight, rows=ROW, out=tmp_path / "run", channel="live").run_sync()
    tamper(tmp_path / "run", "UPDATE meta SET value=json_remove(value, '$.form') WHERE key='manifest'")
    tamper(tmp_path / "run", "UPDATE attempts SET request_hash='x'")
    shown = fanwise("show", tmp_path / "run", "a", "nearly")
    assert shown.returncode == 1
    assert "attempt 1: NOT the same request any more: the run began with an earlier fanwise, whose" in shown.stderr
    assert fanwise("report", tmp_path / "run").returncode == 0
    resumed = fanwise("resume", tmp_path / "run")
    assert resumed.returncode == 0
    assert "the form of requests has changed since this run began: its answers stay" in resumed.stderr
    assert "nothing was missing: no request was sent" in resumed.stderr


def test_rounds_of_tools_are_checked_while_their_content_is_kept(tmp_path: Path) -> None:
    row = Ticket(id="a", order="o1", depth=2)
    Job(desk, rows=[row], out=tmp_path / "run", channel="live").run_sync()
    rounds = checked(tmp_path / "run", "answer")
    assert rounds == [(number, True) for number in range(1, 5)]
    tamper(tmp_path / "run", "UPDATE attempts SET request_hash='x' WHERE id=3")
    assert checked(tmp_path / "run", "answer")[2] == (3, False)
    tamper(tmp_path / "run", "DELETE FROM texts WHERE sha IN (SELECT message FROM turns)")
    assert [same for _, same in checked(tmp_path / "run", "answer")] == [True, None, None, None]


def test_what_says_why_an_answer_was_refused_is_not_checked(tmp_path: Path) -> None:
    Job(shapes.invalid, rows=ROW, out=tmp_path / "run", channel="live").run_sync()
    assert checked(tmp_path / "run", "at_least_five") == [(1, True), (2, None)]
    shown = fanwise("show", tmp_path / "run", "a", "at_least_five")
    assert shown.returncode == 0
    assert "attempt 2: not checked" in shown.stderr
    tamper(tmp_path / "run", "UPDATE attempts SET request_hash='x' WHERE why='first'")
    assert checked(tmp_path / "run", "at_least_five") == [(1, False), (2, None)]


def test_a_row_whose_file_is_gone_is_one_line(tmp_path: Path) -> None:
    """It was a traceback of FileNotFoundError."""
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"id": "a", "n": 1, "tags": ["x"]}\n')
    Job(by_size, rows=rows, out=tmp_path / "run", channel="live").run_sync()
    rows.unlink()
    with pytest.raises(UsageError, match="there is no rows file"):
        rendered(str(tmp_path / "run"), "a", "both", "fanout")


def test_a_request_is_printed_as_the_model_reads_it(tmp_path: Path) -> None:
    row = Ticket(id="a", order="o1\n\x1b[2J", depth=1)
    Job(desk, rows=[row], out=tmp_path / "run", channel="live").run_sync()
    shown = fanwise("show", tmp_path / "run", "a", "answer", "--text")
    assert shown.returncode == 0
    assert "\n<order>\no1\n [2J\n</order>\n" in shown.stdout, "lines are lines, and nothing steers a terminal"
    titles = [line for line in shown.stdout.splitlines() if line.startswith("===")]
    assert titles == ["=== tools ===", "=== system ===", "=== user ==="], "the answer is a text, so there is no schema"
