"""What was answered is kept within moments; what cannot be kept any more is not sent, and ends the run in a line."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import anyio
import pytest
from pydantic import BaseModel

from fanwise import HaltedError, Job, agent, graph, step
from fanwise.job.watcher import Watcher
from support import (
    DESK,
    PATIENCE_S,
    bill,
    emulated,
    environment,
    fanwise,
    journal_value,
    no_file_grows_beyond,
    post,
    summary,
    tickets,
)

GRAPH, SLOTS = f"{DESK}:single", 8


class Note(BaseModel):
    id: int
    text: str


@agent(model="claude-haiku-5-5", max_tokens=50)
def grade(text: str) -> int:
    """Grade the note from 1 to 6."""
    return len(text) % 6 + 1


@step
async def held(mark: int, number: int) -> int:
    if number == 9:
        await anyio.sleep_forever()
    return mark


@graph
def notes(note: Note) -> int:
    return held(grade(note.text), note.id)


def test_what_was_answered_is_kept_though_nothing_else_is_sent_and_counts_as_done_only_then(tmp_path: Path) -> None:
    """A reply was durable with a later call's intent: where none was sent, a kill lost it, and it was paid again."""
    out, watcher = tmp_path / "run", Watcher()

    async def watched() -> tuple[int, int]:
        kept = ends = 0
        job = Job(notes, rows=[Note(id=number, text=f"note {number}") for number in range(10)], out=out, channel="live")
        async with anyio.create_task_group() as group:
            group.start_soon(job.run, watcher)
            with anyio.move_on_after(PATIENCE_S):
                while kept < 9 or ends < 10:
                    await anyio.sleep(0.01)
                    progress = watcher.progress(1)
                    shown = progress.finished if progress is not None else 0
                    kept = journal_value(out, "SELECT COUNT(*) FROM results") or 0
                    ends = journal_value(out, "SELECT COUNT(*) FROM ends") or 0
                    assert shown <= kept
            group.cancel_scope.cancel()
        return kept, ends

    assert anyio.run(watched) == (9, 10)


@pytest.mark.parametrize(("channel", "room"), [("live", 200_000), ("batch", 120_000)])
def test_a_disk_that_is_full_halts_in_a_line_and_loses_nothing_that_was_kept(
    tmp_path: Path, channel: str, room: int
) -> None:
    """It was an OperationalError with its traceback, and exit status 1."""
    out, count, env = tmp_path / "run", 200, environment(ANTHROPIC_API_KEY="test-key")
    file = tickets(tmp_path / "rows.jsonl", count)
    with emulated(graph=GRAPH) as server:
        call = ("--channel", channel, "--base-url", server.url, "--slots", SLOTS, "--grace-s", 0)
        with no_file_grows_beyond(room):
            halted = fanwise("run", GRAPH, "--rows", file, "--out", out, *call, env=env)
        assert halted.returncode == 3, halted.stderr
        (said,) = [line for line in halted.stderr.splitlines() if "halted" in line]
        assert "nothing can be written in" in said or "cannot be written" in said
        assert f"fanwise resume {out}" in said
        assert "Traceback" not in halted.stderr
        entries = bill(server.url)["totals"]["entries"]
        assert 0 <= entries <= journal_value(out, "SELECT COUNT(*) FROM attempts"), "nothing was sent unwritten"
        assert fanwise("resume", out, *call, env=env).returncode == 0
        assert summary(out)["rows"]["succeeded"] == count
        assert bill(server.url)["totals"]["entries"] <= count + (SLOTS if channel == "live" else 0)


@contextmanager
def a_log_that_has_grown_to(size: int, database: Path) -> Iterator[None]:
    """Hold a database such that what is written to it comes behind so many bytes of its log."""
    with closing(sqlite3.connect(database)) as reader, closing(sqlite3.connect(database)) as writer:
        reader.execute("BEGIN")
        reader.execute("SELECT COUNT(*) FROM bill").fetchone()
        writer.execute("CREATE TABLE padding AS SELECT zeroblob(?)", (size,))
        writer.commit()
        yield
        reader.rollback()


@pytest.mark.parametrize("channel", ["live", "batch"])
def test_an_emulator_whose_disk_is_full_ends_the_run_in_a_line(tmp_path: Path, channel: str) -> None:
    """Requests were answered with 500 for an hour, as in an outage; batches ended the process in a traceback."""
    out, count, room = tmp_path / "run", 20, 300_000
    job = Job(GRAPH, rows=tickets(tmp_path / "rows.jsonl", count), out=out, channel="live")
    anyio.run(partial(job.run, only=frozenset({1})))
    call = ("--channel", channel, "--slots", 2)
    with a_log_that_has_grown_to(room - 40_000, out / "emulator.db"), no_file_grows_beyond(room):
        halted = fanwise("resume", out, *call)
    assert halted.returncode == 3, halted.stderr
    (said,) = [line for line in halted.stderr.splitlines() if "halted" in line]
    assert "the emulator cannot keep what it is asked and answers" in said
    assert "make room" in said
    assert f"fanwise resume {out}" in said
    assert "Traceback" not in halted.stderr
    assert fanwise("resume", out, *call).returncode == 0
    assert summary(out)["rows"]["succeeded"] == count


def moved(folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))


@pytest.mark.parametrize("gone", [shutil.rmtree, moved])
def test_a_directory_that_is_gone_ends_the_sending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gone: Callable[[Path], None]
) -> None:
    """A file that is open can be written after it was removed: such a run went on, and paid for what nobody kept."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test-key")
    out, watcher = tmp_path / "run", Watcher()

    async def pulled_away(job: Job) -> int:
        """Return how many calls had ended when the directory went."""
        calls = 0

        async def pull_away() -> None:
            nonlocal calls
            while watcher.calls < 20:  # noqa: ASYNC110 - what is counted rings no bell
                await anyio.sleep(0.005)
            gone(out)
            calls = watcher.calls

        async with anyio.create_task_group() as group:
            group.start_soon(pull_away)
            with pytest.raises(HaltedError, match="removed or moved"):
                await job.run(watcher)
        return calls

    with emulated(graph=GRAPH) as server:
        post(f"{server.url}/_emulator/faults", {"path": "/v1/messages", "latency_s": 0.02})
        rows = tickets(tmp_path / "rows.jsonl", 400)
        calls = anyio.run(pulled_away, Job(GRAPH, rows=rows, out=out, channel="live", base_url=server.url, slots=SLOTS))
    assert watcher.calls - calls <= 2 * SLOTS
