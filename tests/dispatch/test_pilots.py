"""`--channel auto` learns what it goes by from a few calls that go ahead, where that could change its choice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest
from pydantic import BaseModel

from fanwise import Block, Emulator, Job, agent, graph, tool
from fanwise.engine.arms import build_arms
from fanwise.engine.standin import answerer

GUIDE = Block("guide", "Keep to every rule of this guide. " * 200)  # about 2,700 tokens

LONG_GUIDE = Block("guide", GUIDE.text * 5)


class Row(BaseModel):
    id: str
    text: str


@agent(model="claude-sonnet-5-5", context=[GUIDE], max_tokens=2_000)
def read(text: str) -> str:
    """Read the text by the guide."""
    return "read it " * 25


@agent(model="claude-sonnet-5-5", max_tokens=200)
def plain(text: str) -> str:
    """Read the text."""
    return "seen"


@tool
def look_up(passage: str) -> str:
    """Look up a passage."""
    return "an entry"


@agent(model="claude-sonnet-5-5", context=[LONG_GUIDE], tools=[look_up], max_tokens=600)
def seek(text: str) -> str:
    """Look up what the text names, by the guide."""
    return look_up("seek it " * 25) * 25


@graph
def guided(row: Row) -> str:
    return read(row.text)


@graph
def searched(row: Row) -> str:
    return seek(row.text)


@graph
def unguided(row: Row) -> str:
    return plain(row.text)


def rows(count: int) -> list[Row]:
    return [Row(id=str(number), text=f"text {number}") for number in range(count)]


def took(account: dict[str, Any]) -> dict[tuple[str, str], int]:
    return {(each["channel"], each["why"]): each["calls"] for one in account["choices"] for each in one["took"]}


def test_a_few_calls_go_ahead_and_the_others_go_by_what_they_show(tmp_path: Path) -> None:
    account = Job(guided, rows=rows(300), out=tmp_path / "run", channel="auto").run_sync().summary
    assert account["rows"]["succeeded"] == 300
    assert took(account) == {("batch", "pilot"): 24, ("batch", "price"): 276}
    live = Job(guided, rows=rows(300), out=tmp_path / "live", channel="live").run_sync().summary
    assert float(account["cost_usd"]) < 0.8 * float(live["cost_usd"]), "the emulator's batches read what was primed"


def test_where_batches_do_not_read_what_was_written_the_rest_goes_live(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entries are gone before the batch behind them is worked on: its clock runs past their hour."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    answer = answerer(build_arms({"fanout": guided.spec}))
    with Emulator(answer=answer, batch_delay_s=4_000.0, clock_speed=20_000.0) as emulator:
        job = Job(guided, rows=rows(300), out=tmp_path / "run", channel="auto", base_url=emulator.url)
        account = job.run_sync().summary
    assert took(account)["live", "price"] >= 260


def test_nothing_is_tried_where_nothing_could_change_the_choice(tmp_path: Path) -> None:
    account = Job(unguided, rows=rows(30), out=tmp_path / "run", channel="auto").run_sync().summary
    assert took(account) == {("batch", "price"): 30}, "without a prefix a batch is half the price of anything"


def test_a_small_job_does_not_wait_for_batches_to_learn(tmp_path: Path) -> None:
    account = Job(guided, rows=rows(6), out=tmp_path / "run", channel="auto").run_sync().summary
    assert ("batch", "pilot") not in took(account)
    assert account["rows"]["succeeded"] == 6


def test_pilots_that_fail_let_the_others_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    with Emulator(answer=answerer(build_arms({"fanout": guided.spec}))) as emulator:
        emulator.fault(item="errored", status=400, count=4, match="text: ")
        job = Job(guided, rows=rows(60), out=tmp_path / "run", channel="auto", base_url=emulator.url)
        account = job.run_sync().summary
    assert account["rows"]["failed"] == 4
    assert account["rows"]["succeeded"] == 56


def test_nobody_waits_for_a_batch_to_learn_from_where_nobody_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    with Emulator(answer=answerer(build_arms({"fanout": guided.spec})), batch_delay_s=3_600.0) as emulator:
        job = Job(guided, rows=rows(300), out=tmp_path / "run", channel="auto", base_url=emulator.url)

        async def work() -> Any:
            with anyio.fail_after(60):
                return await job.run(detach=True)

        account = anyio.run(work).summary
    assert ("batch", "pilot") not in took(account)
    assert account["ended"] in ("detached", "completed")


def bounded(job: Job) -> dict[str, Any]:
    """Carry out a job that ends within a minute, or fail."""

    async def work() -> Any:
        with anyio.fail_after(60):
            return await job.run()

    return anyio.run(work).summary


def test_pilots_that_ask_for_tools_do_not_wait_for_themselves(tmp_path: Path) -> None:
    """Found by a job that never ended: the second request of a pilot was parked until that pilot had ended."""
    account = bounded(Job(searched, rows=rows(150), out=tmp_path / "run", channel="auto"))
    assert account["rows"]["succeeded"] == 150
    assert took(account)["batch", "pilot"] == 24
    assert account["cost_usd"] == account["bill_usd"]
