"""Budget, retries and channel: decisions without a clock or a network."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanwise.api.failures import Failure
from fanwise.context.parts import Part
from fanwise.context.request import Request
from fanwise.dispatch.budget import Budget
from fanwise.dispatch.call import worst_case
from fanwise.dispatch.channel import cheaper
from fanwise.dispatch.retry import RetryPolicy
from fanwise.pricing.cost import cost
from fanwise.pricing.usage import Usage

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@given(st.integers(0, 1000), st.lists(st.tuples(st.integers(0, 300), st.integers(0, 100), st.booleans()), max_size=30))
def test_whatever_happens_the_limit_holds(limit: int, calls: list[tuple[int, int, bool]]) -> None:
    """Real prices are at most what was reserved; a lost reply keeps its reservation."""
    budget, open_calls = Budget(limit), list[tuple[int, int | None]]()
    paid = 0
    for reserved, share, lost in calls:
        if budget.reserve(reserved):
            open_calls.append((reserved, None if lost else reserved * share // 100))
            paid += reserved if lost else reserved * share // 100
        if share % 3 == 0 and open_calls:
            budget.settle(*open_calls.pop())
        assert budget.spent + budget.reserved <= limit
    for one in open_calls:
        budget.settle(*one)
    assert budget.spent == paid <= limit
    assert budget.reserved == budget.in_flight == 0


def test_without_a_known_price_a_limit_lets_nothing_through() -> None:
    assert not Budget(10**15).reserve(None)
    assert Budget(None).reserve(None)


@pytest.mark.anyio
async def test_a_settled_reservation_wakes_who_waits() -> None:
    budget = Budget(10)
    assert budget.reserve(10)
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(budget.freed)
            await anyio.wait_all_tasks_blocked()
            budget.settle(10, 3)
    assert budget.reserve(7)


@given(st.integers(1, 20), st.none() | st.floats(0, 100), st.sampled_from(["retry", "lost", "final", "terminal"]))
def test_retries_are_bounded_and_heed_the_server(number: int, after: float | None, verdict: str) -> None:
    policy = RetryPolicy(random=Random(1))
    wait = policy.wait_s(Failure(verdict, "x", "y", 429, after), number)  # type: ignore[arg-type]
    most = policy.most_refused if verdict == "retry" else policy.most
    if verdict in ("final", "terminal") or number >= most:
        assert wait is None
    else:
        assert wait is not None
        assert wait >= (after or 0)
        assert wait <= (after or 0) + policy.longest_s


@given(
    st.text(max_size=200),
    st.text(max_size=200),
    st.booleans(),
    st.sampled_from(["claude-haiku-5-5", "claude-opus-4-5", "claude-fable-5-2"]),
    st.booleans(),
)
def test_the_worst_case_is_above_every_bill(front: str, back: str, marked: bool, model: str, batch: bool) -> None:
    request = Request(model, 50, None, None, None, (Part(front, marked),), (Part(back),))
    bound = worst_case(request, batch=batch, at=NOW)
    tokens = len((front + back).encode("utf-8", "surrogatepass"))
    for usage in (
        Usage(input=tokens, output=50),
        Usage(cache_write_5m=tokens if marked else 0, output=50),
        Usage(cache_read=tokens, output=50),
    ):
        assert bound is not None
        assert cost(usage, model, NOW, batch=batch) <= bound


def test_a_long_shared_prefix_goes_live_and_a_long_row_goes_in_a_batch() -> None:
    shared = Request("claude-haiku-5-5", 100, None, None, None, (Part("a" * 30_000, True),), (Part("b" * 300),))
    private = Request("claude-haiku-5-5", 100, None, None, None, (Part("a" * 3_000, True),), (Part("b" * 30_000),))
    assert cheaper(shared, NOW, output=25) == "live"
    assert cheaper(private, NOW, output=25) == "batch"


def test_a_shared_prefix_goes_in_a_batch_where_batches_read_it() -> None:
    shared = Request("claude-haiku-5-5", 100, None, None, None, (Part("a" * 30_000, True),), (Part("b" * 300),))
    assert cheaper(shared, NOW, output=25, hit_rate=0.5) == "live"
    assert cheaper(shared, NOW, output=25, hit_rate=0.98) == "batch"


def test_long_answers_go_in_a_batch() -> None:
    shared = Request("claude-haiku-5-5", 9_000, None, None, None, (Part("a" * 30_000, True),), (Part("b" * 300),))
    assert cheaper(shared, NOW, output=100) == "live"
    assert cheaper(shared, NOW, output=8_000) == "batch"
