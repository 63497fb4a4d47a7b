"""A batch whose id did not come is told from those of other programs by the server's times, and cancelled by nobody."""

from __future__ import annotations

import json
import re
import urllib.request
from pathlib import Path
from typing import Any

import anyio
import pytest

from fanwise import Job
from fanwise.emulator.store import Store
from fanwise.job.batches import cancel_batches
from fanwise.job.watcher import Watcher
from gateway import gateway
from support import DESK, bill, emulated, environment, fanwise, post, summary, tickets

GRAPH, ROWS = f"{DESK}:single", 6
HEADERS = {"x-api-key": "k", "anthropic-version": "2023-06-01", "content-type": "application/json"}


def asked(url: str, body: object = None) -> Any:
    """What the emulator answers another program."""
    request = urllib.request.Request(url, None if body is None else json.dumps(body).encode(), HEADERS)
    with urllib.request.urlopen(request, timeout=10) as reply:
        return json.load(reply)


def others_batch(url: str) -> str:
    params = {"model": "claude-haiku-5-5", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]}
    requests = [{"custom_id": f"other-{number}", "params": params} for number in range(ROWS)]
    return asked(f"{url}/v1/messages/batches", {"requests": requests})["id"]


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_batch_is_found_though_the_clock_here_is_wrong(tmp_path: Path, hours: int) -> None:
    """By a clock that is ahead it was created before its intent: it was not found, made once more, and paid twice."""
    rows, out, env = tickets(tmp_path / "rows.jsonl", ROWS), tmp_path / "run", environment(ANTHROPIC_API_KEY="k")
    store = Store(tmp_path / "emulator.db")
    store.put("clock_offset_s", str(3_600 * hours))
    store.close()
    with emulated(graph=GRAPH, directory=tmp_path) as server:
        post(f"{server.url}/_emulator/faults", {"lost": True, "count": 1, "path": "/v1/messages/batches"})
        call = ("--channel", "batch", "--base-url", server.url, "--grace-s", 1, "--deadline", "20m")
        ended = fanwise("run", GRAPH, "--rows", rows, "--out", out, *call, env=env)
        assert ended.returncode == 0, ended.stderr
        assert bill(server.url)["totals"]["entries"] == ROWS
    assert summary(out)["attempts"]["sent"] == ROWS


def test_a_batch_that_may_be_another_programs_is_not_cancelled_and_one_from_before_costs_no_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`resume --cancel` cancelled a batch of somebody else, that had as many requests."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    rows, out, watcher = tickets(tmp_path / "rows.jsonl", ROWS), tmp_path / "run", Watcher()

    async def watched(url: str) -> str:
        earlier = others_batch(url)
        post(f"{url}/_emulator/clock", {"advance_s": 60})
        post(f"{url}/_emulator/faults", {"status": 500, "path": "/v1/messages/batches", "count": 1})
        async with anyio.create_task_group() as group:
            group.start_soon(Job(GRAPH, rows=rows, out=out, channel="batch", base_url=url, grace_s=300).run, watcher)
            while [entry["method"] for entry in asked(f"{url}/_emulator/requests")["requests"]].count("POST") < 2:  # noqa: ASYNC110
                await anyio.sleep(0.01)
            other = others_batch(url)
            while watcher.engine is None or not watcher.engine.notes:  # noqa: ASYNC110
                await anyio.sleep(0.01)
            assert other in watcher.engine.notes[0]
            assert earlier not in watcher.engine.notes[0]
            group.cancel_scope.cancel()
        cancelled = await cancel_batches(str(out), url)
        assert (cancelled.asked, cancelled.unsure) == ((), ROWS)
        return other

    with emulated(graph=GRAPH, batch_delay_s=3600) as server:
        other = anyio.run(watched, server.url)
        assert asked(f"{server.url}/v1/messages/batches/{other}")["processing_status"] == "in_progress"


def worst_usd(said: str) -> float:
    return float(re.findall(r"at worst \$([\d.]+)", said)[0])


def interrupted_in_an_unsure_batch(rows: Path, out: Path, url: str) -> str:
    """Begin a run whose batch is created though its id does not come, and end it there; returns the batch's id."""
    post(f"{url}/_emulator/faults", {"lost": True, "count": 1, "path": "/v1/messages/batches"})

    async def begun() -> None:
        watcher = Watcher()
        async with anyio.create_task_group() as group:
            group.start_soon(Job(GRAPH, rows=rows, out=out, channel="batch", base_url=url).run, watcher)
            while watcher.engine is None or not watcher.engine.notes:  # noqa: ASYNC110
                await anyio.sleep(0.01)
            assert "`resume --pay-twice` sends them at once" in watcher.engine.notes[0]
            group.cancel_scope.cancel()

    anyio.run(begun)
    return asked(f"{url}/v1/messages/batches")["data"][0]["id"]


def test_who_pays_twice_does_not_wait_for_a_batch_that_may_be_the_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    rows, out = tickets(tmp_path / "rows.jsonl", ROWS), tmp_path / "run"
    with emulated(graph=GRAPH, batch_delay_s=3600) as server:
        batch = interrupted_in_an_unsure_batch(rows, out, server.url)
        env = environment(ANTHROPIC_API_KEY="k", ANTHROPIC_BASE_URL=server.url)
        with gateway(server.url, shows=False) as one:  # nobody says that nothing is paid here
            call = ("resume", out, "--ask-above-usd", "0", "--base-url", one.url)
            once, twice = fanwise(*call, env=env), fanwise(*call, "--pay-twice", env=env)
        assert (once.returncode, twice.returncode) == (5, 5), twice.stderr
        assert f"with {ROWS} requests that may be paid twice, will cost about" in twice.stderr
        assert worst_usd(twice.stderr) > worst_usd(once.stderr) > 0
        again = fanwise("resume", out, "--pay-twice", "--channel", "live", env=env)
        assert again.returncode == 0, again.stderr
        before = summary(out)
        assert before["rows"]["succeeded"] == ROWS
        assert any(f"batch {batch} has {ROWS} requests" in note for note in before["notes"])
        assert (before["attempts"]["paid_twice"], before["open"]["attempts"]) == (0, ROWS)

        post(f"{server.url}/_emulator/clock", {"advance_s": 3700})
        collected = fanwise("resume", out, env=env)
        assert collected.returncode == 0, collected.stderr
        after = summary(out)
        assert (after["attempts"]["paid_twice"], after["open"]["attempts"]) == (ROWS, 0)
        assert after["cost_usd"] == after["bill_usd"]
        assert f"{ROWS} attempts, whose tasks were sent again before these were answered" in collected.stdout
        assert bill(server.url)["totals"]["entries"] == 2 * ROWS
