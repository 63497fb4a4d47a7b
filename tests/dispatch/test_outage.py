"""An outage is no row's fault: the run pauses, one request at a time tries, and no attempt is used up."""

from __future__ import annotations

from pathlib import Path
from random import Random

import anyio
import pytest

from fanwise.api.failures import Failure
from fanwise.dispatch.errand import Ask, Errand, never_composed
from fanwise.dispatch.outage import IN_A_ROW, Outage
from fanwise.dispatch.retry import RetryPolicy
from support import DESK, emulated, environment, fanwise, post, summary, tickets

AWAY = Failure(verdict="retry", kind="overloaded_error", message="away", status=529)


def test_an_outage_fails_no_row(tmp_path: Path) -> None:
    """Five minutes of refused connections failed all rows that were in work."""
    rows, out = tickets(tmp_path / "rows.jsonl", 6), tmp_path / "run"
    with emulated(graph=f"{DESK}:single") as server:
        post(f"{server.url}/_emulator/faults", {"status": 500, "path": "/v1/messages", "count": 12})
        call = ("--channel", "live", "--base-url", server.url)
        env = environment(ANTHROPIC_API_KEY="k")
        ended = fanwise("run", f"{DESK}:single", "--rows", rows, "--out", out, *call, env=env)
    assert ended.returncode == 0, ended.stderr
    assert "the run pauses" in ended.stderr
    assert "the run goes on" in ended.stderr
    assert summary(out)["rows"]["succeeded"] == 6


class Heard:
    """Who is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.halted = ""

    def note(self, text: str) -> None:
        self.notes.append(text)

    def halt(self, reason: str) -> None:
        self.halted = reason


def errand(number: int) -> Errand:
    ask = Ask(f"key {number}", number, "answer", "answer")
    return Errand(role=None, asks=(ask,), compose=never_composed)  # type: ignore[arg-type] - nothing asks for it


@pytest.mark.parametrize("requests", [2, 3])
def test_it_takes_three_requests_and_uses_up_no_attempt(requests: int) -> None:
    async def fails() -> tuple[list[int], int]:
        outage = Outage(Heard(), RetryPolicy(random=Random(1)), lambda errand: None)  # type: ignore[arg-type]
        errands = [errand(number) for number in range(requests)]
        for turn in range(IN_A_ROW):
            errands[turn % requests].begin()
            outage.failed(errands[turn % requests], AWAY)
        return [errand.tries for errand in errands], len(outage)

    assert anyio.run(fails) == (([5, 5], 0) if requests == 2 else ([0, 0, 0], 1))


def test_an_outage_that_lasts_is_given_up() -> None:
    heard = Heard()

    async def lasts() -> None:
        outage = Outage(heard, RetryPolicy(give_up_s=0, first_s=0), lambda errand: None)  # type: ignore[arg-type]
        errands = [errand(number) for number in range(3)]
        for turn in range(IN_A_ROW):
            outage.failed(errands[turn % 3], AWAY)
        assert outage.holds(errands[1])
        with anyio.move_on_after(0.01):
            await outage.probes.run()
        outage.failed(errands[0], AWAY)

    anyio.run(lasts)
    assert "has not answered for" in heard.halted
