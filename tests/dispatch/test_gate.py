"""The prefix gate: one leader, followers after it, nobody left waiting."""

from __future__ import annotations

import time

import anyio
import pytest
from anyio import wait_all_tasks_blocked
from anyio.lowlevel import checkpoint

from fanwise.context.parts import Prefix
from fanwise.dispatch.gate import Gate

pytestmark = pytest.mark.anyio
JOB, ROW = Prefix("job", 1000, True), Prefix("row", 3000, False)


async def test_one_leads_and_the_rest_wait_for_its_reply() -> None:
    gate, order, release = Gate(), list[str](), anyio.Event()

    async def call(name: str) -> None:
        led = await gate.enter([JOB], 512)
        order.append(f"{name} in, leads {len(led)}")
        if led:
            await release.wait()
        gate.leave(led, [JOB], warm=True, started=time.monotonic())

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            for number in range(64):
                group.start_soon(call, f"c{number}")
            await wait_all_tasks_blocked()
            assert len(order) == 1
            release.set()
    assert sum("leads 1" in line for line in order) == 1
    assert len(order) == 64


async def test_a_leader_that_fails_hands_over() -> None:
    gate = Gate()
    led = await gate.enter([JOB], 512)
    follower: list[int] = []

    async def follow() -> None:
        follower.append(len(await gate.enter([JOB], 512)))

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(follow)
            await wait_all_tasks_blocked()
            gate.leave(led, [JOB], warm=False)
    assert follower == [1], "the next in line leads"


async def test_levels_are_gated_one_by_one() -> None:
    gate = Gate()
    led = await gate.enter([JOB, ROW], 512)
    assert led == [JOB, ROW]
    gate.leave(led, [JOB, ROW], warm=True, started=time.monotonic())
    other = Prefix("other row", 3000, False)
    assert await gate.enter([JOB, other], 512) == [other]


async def test_nobody_waits_for_what_will_not_be_cached() -> None:
    gate = Gate()
    small = Prefix("small", 300, True)
    with anyio.fail_after(5):
        assert await gate.enter([small], 512) == []
        led = await gate.enter([JOB], 512)
        gate.leave(led, [JOB], warm=True, cached=False, started=time.monotonic())
        assert await gate.enter([JOB], 512) == [], "a reply showed that it is not cached"


async def test_a_prefix_that_has_expired_is_led_again() -> None:
    gate = Gate()
    led = await gate.enter([JOB], 512)
    gate.leave(led, [JOB], warm=True, started=time.monotonic() - 290)
    assert await gate.enter([JOB], 512) == [JOB]


async def test_a_leader_that_is_cancelled_while_it_waits_further_in_lets_go() -> None:
    gate = Gate()
    assert await gate.enter([ROW], 512) == [ROW]
    with anyio.move_on_after(0) as scope:
        await checkpoint()
        await gate.enter([JOB, ROW], 512)
    assert scope.cancelled_caught
    with anyio.fail_after(5):
        assert await gate.enter([JOB], 512) == [JOB]
