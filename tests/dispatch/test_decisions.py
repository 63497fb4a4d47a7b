"""Budget, retries and channel: decisions without a clock or a network."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanwise.api.failures import Failure
from fanwise.context.frame import Frame
from fanwise.context.parts import Part
from fanwise.context.request import Request
from fanwise.dispatch.attempts import worst_case
from fanwise.dispatch.budget import Budget, Hold, Limits, Spent
from fanwise.dispatch.errand import Ask
from fanwise.dispatch.prices import cheaper
from fanwise.dispatch.retry import RetryPolicy
from fanwise.pricing.cost import cost
from fanwise.pricing.usage import Usage

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def of(*rows: int) -> tuple[Ask, ...]:
    return tuple(Ask(f"key {place}", row, "answer", "answer") for place, row in enumerate(rows))


amounts = st.none() | st.integers(0, 1000)


sizes = st.integers(0, 300)
row_numbers = st.lists(st.integers(1, 3), min_size=1, max_size=4)


@given(
    st.builds(Limits, cost=amounts, tokens=amounts, row_cost=amounts, row_tokens=amounts),
    st.lists(
        st.tuples(row_numbers, sizes, sizes, st.integers(0, 100), st.booleans()),
        max_size=30,
    ),
)
def test_whatever_happens_no_limit_is_passed(limits: Limits, sent: list[tuple[list[int], int, int, int, bool]]) -> None:
    """Really taken is at most what was reserved; a lost reply keeps its reservation.

    Where a request serves several tasks, their rows bear it in equal parts.
    """
    budget, in_flight = Budget(limits), list[tuple[Hold, int | None, int | None]]()
    paid = {row: [0, 0] for row in range(4)}
    for rows, price, tokens, share, lost in sent:
        hold = Hold(price, tokens, of(*rows))
        if budget.reserve(hold) == "fits":
            used = (price, tokens) if lost else (price * share // 100, tokens * share // 100)
            in_flight.append((hold, None, None) if lost else (hold, *used))
            for kind, amount in enumerate(used):
                parts = [amount // len(rows) + (place < amount % len(rows)) for place in range(len(rows))]
                assert sum(parts) == amount
                paid[0][kind] += amount
                for row, part in zip(rows, parts, strict=True):
                    paid[row][kind] += part
        if share % 3 == 0 and in_flight:
            budget.settle(*in_flight.pop())
        assert limits.cost is None or budget.cost + budget.reserved_cost <= limits.cost
        assert limits.tokens is None or budget.tokens + budget.reserved_tokens <= limits.tokens
    for settled in in_flight:
        budget.settle(*settled)
    assert budget.reserved_cost == budget.reserved_tokens == budget.in_flight == 0
    assert [budget.cost, budget.tokens] == paid[0]
    for row in range(1, 4):
        assert limits.row_cost is None or paid[row][0] <= limits.row_cost
        assert limits.row_tokens is None or paid[row][1] <= limits.row_tokens


def test_the_rows_of_a_request_bear_it_in_equal_parts() -> None:
    budget = Budget(Limits(row_cost=10))
    assert budget.reserve(Hold(20, 0, of(1, 2))) == "fits"
    assert budget.reserve(Hold(1, 0, of(2))) == "row waits"
    budget.settle(Hold(20, 0, of(1, 2)), 7, 0)
    assert budget.reserve(Hold(6, 0, of(1))) == "fits", "4 of the 7 are its own: the first bears what is left over"
    assert budget.reserve(Hold(8, 0, of(2))) == "row full", "3 are the other's"
    assert budget.reserve(Hold(21, 0, of(3, 4))) == "row full"
    assert budget.reserve(Hold(20, 0, of(5, 5))) == "row full", "a row that is served twice bears both parts"


def test_without_a_known_price_a_limit_in_dollars_lets_nothing_through() -> None:
    unknown = Hold(None, 10, of(1))
    assert Budget(Limits(cost=10**15)).reserve(unknown) == "never"
    assert Budget(Limits(row_cost=10**15)).reserve(unknown) == "row full"
    assert Budget(Limits(tokens=10)).reserve(unknown) == "fits"
    assert "no price is known for model 'm'" in Budget(Limits(cost=1)).lack(unknown, "task", "m")


def test_a_row_without_room_waits_for_its_own_and_never_for_others() -> None:
    budget = Budget(Limits(row_tokens=100), of_row=lambda row: Spent(tokens=30 if row == 2 else 0))
    assert budget.reserve(Hold(1, 60, of(1))) == "fits"
    assert budget.reserve(Hold(1, 60, of(1))) == "row waits"
    assert budget.reserve(Hold(1, 80, of(2))) == "row full", "an earlier session has used a part"
    assert budget.reserve(Hold(1, 70, of(2))) == "fits"
    budget.settle(Hold(1, 60, of(1)), 1, 20)
    assert budget.reserve(Hold(1, 80, of(1))) == "fits"
    lack = budget.row_lack(Hold(1, 110, of(3)))
    assert "110 tokens" in lack and "0 of 100" in lack


@pytest.mark.anyio
async def test_a_settled_reservation_wakes_who_waits() -> None:
    budget, hold = Budget(Limits(cost=10)), Hold(10, 0, of(1))
    assert budget.reserve(hold) == "fits"
    assert budget.reserve(hold) == "wait"
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(budget.freed)
            await anyio.wait_all_tasks_blocked()
            budget.settle(hold, 3, 0)
    assert budget.reserve(Hold(7, 0, of(1))) == "fits"
    assert Budget(Limits(cost=6), Spent(6)).reserve(Hold(7, 0, of(1))) == "never"


@given(st.integers(1, 20), st.none() | st.floats(0, 100), st.sampled_from(["retry", "lost", "final", "terminal"]))
def test_retries_are_bounded_and_heed_the_server(number: int, after: float | None, verdict: str) -> None:
    policy = RetryPolicy(random=Random(1))
    wait = policy.wait_s(Failure(verdict=verdict, kind="x", message="y", status=429, retry_after_s=after), number)  # type: ignore[arg-type]
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
    request = Request(frame=Frame(model=model, max_tokens=50, system=(Part(front, marked),)), content=(Part(back),))
    bound = worst_case(request, of(1), batch=batch, at=NOW)
    tokens = len((front + back).encode("utf-8", "surrogatepass"))
    for usage in (
        Usage(input=tokens, output=50),
        Usage(cache_write_5m=tokens if marked else 0, output=50),
        Usage(cache_read=tokens, output=50),
    ):
        assert bound.cost is not None
        assert cost(usage, model, NOW, batch=batch) <= bound.cost
        assert usage.total <= bound.tokens


def shown(front: int, back: int, cap: int = 100) -> Request:
    """Return a request with so many characters that rows share, and so many of its own."""
    frame = Frame(model="claude-haiku-5-5", max_tokens=cap, system=(Part("a" * front, True),))
    return Request(frame=frame, content=(Part("b" * back),))


def test_a_long_shared_prefix_goes_live_and_a_long_row_goes_in_a_batch() -> None:
    shared = shown(30_000, 300)
    private = shown(3_000, 30_000)
    assert cheaper(shared, NOW, output=25) == "live"
    assert cheaper(private, NOW, output=25) == "batch"


def test_a_shared_prefix_goes_in_a_batch_where_batches_read_it() -> None:
    shared = shown(30_000, 300)
    assert cheaper(shared, NOW, output=25, hit_rate=0.5) == "live"
    assert cheaper(shared, NOW, output=25, hit_rate=0.98) == "batch"


def test_long_answers_go_in_a_batch() -> None:
    shared = shown(30_000, 300, 9_000)
    assert cheaper(shared, NOW, output=100) == "live"
    assert cheaper(shared, NOW, output=8_000) == "batch"
