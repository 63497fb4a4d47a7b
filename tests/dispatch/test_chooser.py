"""Who waits for whom: pilots of a role, and the calls that go by what these show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from anyio.abc import TaskStatus

from fanwise.api.replies import Reply
from fanwise.context.frame import Frame
from fanwise.context.parts import Part
from fanwise.context.request import Request
from fanwise.dispatch.carriers import Carriers
from fanwise.dispatch.channel import PILOTS, Chooser
from fanwise.dispatch.errand import Ask, Errand
from fanwise.dispatch.role import Role

MODEL = "claude-sonnet-5-5"
ROLE = Role(arm="fanout", agent="seek", model=MODEL)
ASKS_TOOLS = Reply(text="", stop_reason="tool_use", usage={"output_tokens": 60}, request_id="r")
ROWS = 60


class Reads:
    """Reads of a prefix in batches that nobody has seen yet, and that it would pay to know."""

    def hits(self, errand: Errand) -> float:
        return 0.5

    def learnt(self) -> bool:
        return False

    def worth(self, gain: int) -> bool:
        return True


class Carried:
    """A carrier that only takes note of what it is given."""

    queued = in_flight = open_batches = 0

    def __init__(self) -> None:
        self.errands: list[Errand] = []

    def submit(self, errand: Errand) -> None:
        self.errands.append(errand)

    def claim(self, errand: Errand) -> bool:
        return False

    def is_idle(self) -> bool:
        return True

    def outlives(self) -> bool:
        return True

    def stop(self) -> None:
        pass

    async def run(self, *, task_status: TaskStatus[None]) -> None:
        task_status.started()


def carriers() -> tuple[Carriers, Carried, Carried]:
    live, batches = Carried(), Carried()
    return Carriers(live, batches, Chooser("auto", Reads(), {})), live, batches


def errands(cap: int) -> list[Errand]:
    """One for each row: a prefix of 16,000 tokens that rows share, and an answer of at most so many."""
    frame = Frame(model=MODEL, max_tokens=cap, system=(Part("rule " * 11_000, True),))

    def compose(errand: Errand) -> Request:
        return Request(frame=frame, content=(Part(f"row {errand.row}"),))

    asks: Sequence[Any] = [(Ask(f"key {row}", row, "seek", "seek"),) for row in range(1, ROWS + 1)]
    return [Errand(role=ROLE, asks=ask, compose=compose) for ask in asks]


def test_pilots_in_a_batch_that_ask_for_tools_go_on_and_let_the_others_go() -> None:
    """Found by a job that never ended: the second request of a pilot waited until that pilot had ended."""
    way, live, batches = carriers()
    for errand in errands(600):
        way.submit(errand)
    pilots = list(batches.errands)
    assert len(pilots) == PILOTS["batch"]
    assert not live.errands
    for pilot in pilots:
        way.replied(pilot, ASKS_TOOLS)
        pilot.go_on()
        way.submit(pilot)
    sent = [*live.errands, *batches.errands]
    assert len(sent) == ROWS + len(pilots), "each row once, and each pilot a second time"
    assert {errand.row for errand in sent} == set(range(1, ROWS + 1))


def test_pilots_that_go_live_and_are_asked_again_keep_nobody_waiting() -> None:
    way, live, batches = carriers()
    for errand in errands(16_000):
        way.submit(errand)
    pilots = list(live.errands)
    assert len(pilots) == PILOTS["live"]
    for pilot in pilots:
        way.replied(pilot, ASKS_TOOLS)
    assert len(live.errands) + len(batches.errands) > PILOTS["live"], "what they were sent for is known"


@pytest.mark.parametrize("cap", [600, 16_000])
def test_pilots_that_end_without_a_reply_let_the_others_go(cap: int) -> None:
    way, live, batches = carriers()
    for errand in errands(cap):
        way.submit(errand)
    for _ in PILOTS:  # behind the pilots of one channel there may be those of the other
        for pilot in [*live.errands, *batches.errands]:
            way.ended(pilot)
    assert len(live.errands) + len(batches.errands) == ROWS


def test_once_batches_are_left_nobody_waits_for_pilots_in_them() -> None:
    """Found by reading: what waited for a batch went on waiting for it though the deadline was near."""
    way, live, batches = carriers()
    for errand in errands(600):
        way.submit(errand)
    way.only_live()
    assert len(live.errands) == ROWS - PILOTS["batch"]
    assert len(batches.errands) == PILOTS["batch"]
