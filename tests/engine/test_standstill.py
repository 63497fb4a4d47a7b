"""A run that would wait for nothing halts, says so, and can be resumed."""

from __future__ import annotations

import time
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from fanwise.dispatch.channel import Chooser
from fanwise.dispatch.errand import Errand
from fanwise.dispatch.gate import Gate
from fanwise.engine.standstill import standstill
from support import bill, emulator, environment, fanwise, summary, tickets

GRAPH = str(Path(__file__).parents[1] / "sample" / "desk.py") + ":triage"


def never(chooser: Chooser, errand: Errand) -> None:
    """Choose no channel for any call: a bug, planted."""


def half(chooser: Chooser, errand: Errand) -> str | None:
    """Choose none for the calls of every second row."""
    return "live" if errand.row % 2 else None


async def closed(gate: Gate, prefixes: object, minimum: int) -> None:
    """Let nobody pass: a bug, planted."""
    await anyio.sleep_forever()


PLANTED = {
    "no channel for any call": (Chooser, "channel", never),
    "no channel for half of them": (Chooser, "channel", half),
    "all live calls wait for a prefix that nobody writes": (Gate, "enter", closed),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_run_that_waits_for_nothing_halts_and_resumes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, planted: str
) -> None:
    rows, out = tickets(tmp_path / "rows.jsonl", 12), tmp_path / "run"
    with emulator(graph=GRAPH) as url:
        env = environment(ANTHROPIC_API_KEY="k")
        call = ("--base-url", url, "--yes")
        with monkeypatch.context() as bug:
            bug.setattr(*PLANTED[planted])
            channel = "live" if PLANTED[planted][0] is Gate else "auto"
            halted = fanwise("run", GRAPH, "--rows", rows, "--out", out, "--channel", channel, *call, env=env)
        assert halted.returncode == 3, halted.stderr
        assert "none is under way" in halted.stderr
        assert f"fanwise resume {out}" in halted.stderr
        assert "none is under way" in summary(out)["halted"]
        before = len(bill(url)["entries"])
        assert (before > 0) == (PLANTED[planted][2] is half)
        resumed = fanwise("resume", out, *call, env=env)
        assert resumed.returncode == 0, resumed.stderr
        account = summary(out)
        assert account["rows"]["succeeded"] == 12
        assert account["cost_usd"] == account["bill_usd"]
        entries = bill(url)["entries"]
        assert len(entries) == account["attempts"]["sent"], "what was answered before is not asked again"


def test_what_parks_calls_for_a_moment_is_no_standstill(monkeypatch: pytest.MonkeyPatch, anyio_backend: str) -> None:
    """It has to be seen twice in a row, and the run has to be at work."""
    monkeypatch.setattr("fanwise.engine.standstill.LOOK_S", 0.01)

    async def looks(seen: list[bool]) -> bool:
        ended = anyio.Event()

        def is_still() -> bool:
            if len(seen) == 1:
                ended.set()
            return seen.pop(0)

        with anyio.fail_after(30):
            return await standstill(is_still, ended)

    assert not anyio.run(looks, [True, False, True, False], backend=anyio_backend)
    assert anyio.run(looks, [False, True, True, True], backend=anyio_backend)


def slow_turn() -> None:
    """Hold the event loop for longer than the time between two looks."""
    time.sleep(0.003)


def test_what_is_handed_on_by_a_slow_loop_is_no_standstill(monkeypatch: pytest.MonkeyPatch, anyio_backend: str) -> None:
    """One of 1,300 runs was halted, on a machine where a turn took longer than the time between two looks."""
    monkeypatch.setattr("fanwise.engine.standstill.LOOK_S", 0.001)

    async def looks() -> bool:
        ended, turns = anyio.Event(), 0

        async def hand_on() -> None:
            nonlocal turns
            while turns < 8:
                turns += 1
                slow_turn()
                await anyio.lowlevel.checkpoint()

        def is_still() -> bool:
            if turns == 8:
                ended.set()
            return turns < 8

        with anyio.fail_after(30):
            async with anyio.create_task_group() as group:
                group.start_soon(hand_on)
                return await standstill(is_still, ended)
        raise AssertionError

    assert not anyio.run(looks, backend=anyio_backend)
