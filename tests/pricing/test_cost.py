"""Prices: two tables from two sources must agree to the last digit."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanwise.emulator import tables
from fanwise.emulator.charges import Tokens, price
from fanwise.errors import UnknownPriceError
from fanwise.models import known_models
from fanwise.pricing.cost import cost, reply_cost
from fanwise.pricing.usage import Usage, read_usage
from fanwise.units import pico_from_usd, usd_text

counts = st.integers(0, 2_000_000)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@given(
    st.sampled_from(sorted(tables.MODELS)), counts, counts, counts, counts, counts, st.booleans(), st.booleans(),
    st.sampled_from([None, "us", "global"]),
    st.datetimes(datetime(2026, 10, 8), datetime(2026, 12, 31), timezones=st.just(UTC)),
)  # fmt: skip
def test_the_clients_price_is_the_emulators(
    model: str,
    plain: int,
    five: int,
    hour: int,
    read: int,
    output: int,
    batch: bool,
    fast: bool,
    geo: str | None,
    at: datetime,
) -> None:
    """genai-prices with our additions, against a table typed from the pricing page.

    Found: the library keeps a price step of Sonnet 4.5 that the page has not any more.
    """
    usage = Usage(plain, five, hour, read, output)
    counted = Tokens(plain, five, hour, read, output)
    theirs = price(model, at.timestamp(), counted, batch=batch, geo=geo, fast=fast and not batch)
    assert cost(usage, model, at, batch=batch, geo=geo, fast=fast and not batch) == theirs


def test_both_know_the_same_models() -> None:
    assert set(known_models()) == set(tables.MODELS)


def test_the_step_of_haiku_holds_for_the_whole_request() -> None:
    """Over 100,000 prompt tokens everything costs five times as much; "Pricing", 2026-11-23."""
    below = cost(Usage(input=50_000, cache_read=50_000, output=10), "claude-haiku-5-5", NOW)
    above = cost(Usage(input=50_000, cache_read=50_001, output=10), "claude-haiku-5-5", NOW)
    assert above == below * 5 + 50_000


def test_a_price_that_fell_is_taken_by_date() -> None:
    """Sonnet 5.5 reads cost $0.20 until 2026-10-07, then $0.10."""
    usage = Usage(cache_read=1_000_000)
    assert cost(usage, "claude-sonnet-5-5", datetime(2026, 10, 20, tzinfo=UTC)) == pico_from_usd("0.1")


def test_a_batch_is_half_on_every_date() -> None:
    """genai-prices has batch prices only since 2026-10-14 and full ones before; ours is a factor."""
    early, usage = datetime(2026, 9, 30, tzinfo=UTC), Usage(input=1000, output=1000)
    assert cost(usage, "claude-opus-5", early, batch=True) * 2 == cost(usage, "claude-opus-5", early)


def test_an_unknown_price_is_no_zero() -> None:
    with pytest.raises(UnknownPriceError, match="claude-next-9"):
        cost(Usage(input=1), "claude-next-9", NOW)


def test_iterations_are_priced_at_their_own_models() -> None:
    """Compaction and advisor tokens are not in the top-level counts."""
    advisor = {"type": "advisor_message", "model": "claude-opus-5-5", "input_tokens": 100, "output_tokens": 10}
    message = {"type": "message", "input_tokens": 50, "output_tokens": 5}
    usage, price = reply_cost(
        {"input_tokens": 50, "output_tokens": 5, "iterations": [message, advisor]}, "claude-haiku-5-5", NOW
    )
    assert (usage.input, usage.output) == (150, 15)
    assert price == cost(Usage(input=50, output=5), "claude-haiku-5-5", NOW) + cost(
        Usage(input=100, output=10), "claude-opus-5-5", NOW
    )


def test_usage_without_a_split_is_five_minutes() -> None:
    assert read_usage({"input_tokens": 1, "cache_creation_input_tokens": 7, "cache_creation": None}).cache_write_5m == 7


@given(st.integers(0, 10**24))
def test_dollars_are_exact_both_ways(pico: int) -> None:
    text = usd_text(pico)
    assert text is not None
    assert pico_from_usd(text) == pico
    assert Decimal(text) * 10**12 == pico


@pytest.mark.parametrize("text", ["", "-1", "NaN", "1e-13", "one", "Infinity"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="dollars"):
        pico_from_usd(text)
