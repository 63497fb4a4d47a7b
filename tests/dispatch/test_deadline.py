"""Batches first, and live calls in time for what they have not done: never dearer than live, nothing paid twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from fanwise import Emulator, Job, agent, graph
from fanwise.dispatch.deadline import Left, need_s, seconds
from fanwise.engine.arms import build_arms
from fanwise.engine.standin import answerer
from fanwise.job.job import resume
from support import DESK, fanwise, tickets


class Row(BaseModel):
    id: str
    text: str


@agent(model="claude-haiku-5-5", max_tokens=50)
def read(text: str) -> str:
    """Read the text."""
    return f"read: {text}"


@agent(model="claude-haiku-5-5", max_tokens=50)
def tell(text: str) -> str:
    """Tell it."""
    return f"told: {text}"


@graph
def two(row: Row) -> str:
    return tell(read(row.text))


@agent(model="claude-haiku-5-5", max_tokens=500)
def write(text: str) -> str:
    """Write it down."""
    return f"written: {text}"


@graph
def long(row: Row) -> str:
    return write(read(row.text))


def rows(count: int) -> list[Row]:
    return [Row(id=str(number), text=f"text {number}") for number in range(count)]


def carried_out(out: Path, emulator: Emulator, **options: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    job = Job(two, rows=rows(40), out=out, base_url=emulator.url, slots=16, **options)
    return job.run_sync().summary, emulator.bill()["entries"]


@dataclass
class Took:
    """How long something took, but for the time that a busy machine gave to others."""

    seconds: float = 0.0


@contextmanager
def timed() -> Iterator[Took]:
    took, late, ended = Took(), 0.0, threading.Event()

    def tick() -> None:
        nonlocal late
        before = time.monotonic()
        while not ended.wait(0.05):
            before, slept = time.monotonic(), time.monotonic() - before
            late += slept - 0.05

    ticks, begun = threading.Thread(target=tick), time.monotonic()
    ticks.start()
    try:
        yield took
    finally:
        ended.set()
        ticks.join()
        took.seconds = time.monotonic() - begun - late


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_a_batch_that_does_not_end_is_left_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    answer = answerer(build_arms({"fanout": two.spec}))
    with Emulator(answer=answer, batch_delay_s=3_600.0, batch_cancel_share=share) as emulator, timed() as took:
        account, entries = carried_out(tmp_path / "run", emulator, channel="batch", deadline="12s")
    assert account["rows"]["succeeded"] == 40
    assert took.seconds < 12
    assert len(entries) == 80, "each task is billed once: what succeeded while canceling is not asked again"
    assert Decimal(account["cost_usd"]) == sum(Decimal(entry["pico"]) for entry in entries) / 10**12
    assert any("the deadline is near: batches with 40 requests are cancelled" in note for note in account["notes"])
    with Emulator(answer=answer) as emulator:
        live, _ = carried_out(tmp_path / "live", emulator, channel="live")
    assert Decimal(account["cost_usd"]) <= Decimal(live["cost_usd"])


def test_a_batch_that_ends_in_time_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    with Emulator(answer=answerer(build_arms({"fanout": two.spec}))) as emulator:
        account, entries = carried_out(tmp_path / "run", emulator, channel="batch", deadline="1h")
    assert account["rows"]["succeeded"] == 40
    assert not account["notes"]
    assert len(entries) == 80


@given(st.integers(0, 10_000), st.integers(1, 9), st.integers(1, 500), st.none() | st.floats(0.01, 100))
def test_more_to_do_needs_more_time(requests: int, depth: int, slots: int, latency_s: float | None) -> None:
    left = Left(requests=requests, depth=depth, slots=slots, latency_s=latency_s)
    nothing = Left(requests=0, depth=1, slots=slots, latency_s=latency_s)
    assert need_s(left, 3_600) >= need_s(nothing, 3_600) or latency_s is None
    assert need_s(replace(left, requests=requests + 500), 3_600) >= need_s(left, 3_600)


def test_a_length_of_time_is_read() -> None:
    assert [seconds(text) for text in ("90s", "1.5m", "6h", "1d")] == [90, 90, 21_600, 86_400]
    for wrong in ("6", "h", "-1h", "0s", "6 hours"):
        with pytest.raises(ValueError, match="no length of time"):
            seconds(wrong)


def test_a_deadline_that_is_none_is_told(tmp_path: Path) -> None:
    file = tickets(tmp_path / "rows.jsonl", 1)
    said = fanwise("run", f"{DESK}:single", "--rows", file, "--out", tmp_path / "run", "--deadline", "soon")
    assert said.returncode == 2
    assert "--deadline: 'soon' is no length of time; write it like 90s, 30m, 6h or 1d" in said.stderr


def test_with_time_for_one_round_of_batches_one_stage_has_it_and_the_report_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch is taken to last an hour before any was seen; two stages, and an hour and a half."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    with Emulator(answer=answerer(build_arms({"fanout": long.spec}))) as emulator:
        job = Job(long, rows=rows(40), out=tmp_path / "run", base_url=emulator.url, channel="auto", deadline="90m")
        account = job.run_sync().summary
    took = {one["agent"]: one["took"] for one in account["choices"]}
    assert took["read"] == [{"channel": "live", "why": "time", "calls": 40}]
    assert took["write"] == [{"channel": "batch", "why": "price", "calls": 40}], "its answers may be ten times as long"
    said = fanwise("report", tmp_path / "run").stdout
    assert "live since the deadline leaves no round of batches for it" in said


def test_what_a_cancelled_batch_still_answers_is_paid_twice_only_where_that_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch goes on while it is cancelled, past the deadline, and all of it succeeds."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    options: dict[str, Any] = {"batch_delay_s": 3_600.0, "batch_cancel_share": 1.0, "batch_cancel_s": 30.0}
    with Emulator(answer=answerer(build_arms({"fanout": two.spec})), **options) as emulator:
        with timed() as took:
            account, _ = carried_out(
                tmp_path / "run", emulator, channel="batch", deadline="10s", pay_twice_for_deadline=True
            )
        assert took.seconds < 10
        assert account["rows"]["succeeded"] == 40
        assert any("what these still answer is paid twice" in note for note in account["notes"])
        assert account["open"]["attempts"] == 40, "the batch has not been read"
        emulator.advance(60)
        after = anyio.run(partial(resume, tmp_path / "run", graph=two, base_url=emulator.url, detach=True)).summary
        assert after["attempts"]["paid_twice"] == 40
        assert after["open"]["attempts"] == 0
        assert after["cost_usd"] == after["bill_usd"]
