"""The price of one token, as a function of model, moment and prompt size.

Base rates come from the package `genai-prices`, which others keep. What it lacks or has
otherwise is in `OURS`, from the page "Pricing" of platform.claude.com, read 2026-11-23.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from genai_prices import Usage as LibraryUsage
from genai_prices import calc_price

from fanwise.errors import UnknownPriceError
from fanwise.models import dateless

PICO_PER_MTOK_DOLLAR = 10**6
"""Picodollars per token that one dollar per million tokens makes."""

OURS: dict[str, tuple[str, str, str, str, str]] = {
    # model: dollars per million tokens of input, output, 5m write, 1h write, read
    "claude-mythos-5": ("10", "50", "12.5", "20", "1"),
    "claude-mythos-5-1": ("10", "50", "12.5", "20", "0.25"),
    # The library keeps a step at 200,000 tokens that the page does not have any more.
    "claude-sonnet-4-5": ("3", "15", "3.75", "6", "0.30"),
}


@dataclass(frozen=True, slots=True)
class Rates:
    """Picodollars per token at the standard live price."""

    input: int
    output: int
    write_5m: int
    write_1h: int
    read: int


def rates(model: str, at: datetime, prompt_tokens: int = 0) -> Rates:
    """Return the live rates of a model.

    Args:
        model: Model id, dated or not.
        at: Moment of the request; prices change by date.
        prompt_tokens: All input tokens; above 100,000 Haiku 5.5 costs five times as much for
            the whole request ("Pricing", read 2026-11-23).

    Raises:
        UnknownPriceError: Nothing is known of the model's price.
    """
    steps = _steps(model, int(at.timestamp()) // 3600)
    found = steps[0][1]
    for start, rate in steps[1:]:
        if prompt_tokens > start:
            found = rate
    return found


def price_steps(model: str, at: datetime) -> tuple[int, ...]:
    """Return the prompt sizes above which a model's rates change, from 0; at least one.

    Raises:
        UnknownPriceError: Nothing is known of the model's price.
    """
    return tuple(start for start, _ in _steps(model, int(at.timestamp()) // 3600))


def known_rates(model: str, at: datetime, prompt_tokens: int = 0) -> Rates | None:
    """Return the live rates of a model, or None where nothing is known of them."""
    try:
        return rates(model, at, prompt_tokens)
    except UnknownPriceError:
        return None


@lru_cache(maxsize=4096)
def _steps(model: str, hour: int) -> tuple[tuple[int, Rates], ...]:
    """Return the rates of a model in an hour since 1970, from which prompt size on each holds, from 0."""
    prices = _prices(model, datetime.fromtimestamp(hour * 3600, UTC))
    starts = {tier.start for price in prices if not isinstance(price, Decimal) for tier in price.tiers}
    return tuple((start, Rates(*(_rate(price, start + 1) for price in prices))) for start in sorted({0, *starts}))


def _prices(model: str, hour: datetime) -> tuple[Any, ...]:
    for name in (model, dateless(model)):
        if name in OURS:
            return tuple(Decimal(text) for text in OURS[name])
        try:
            found: Any = calc_price(
                LibraryUsage(input_tokens=1), model_ref=name, provider_id="anthropic", genai_request_timestamp=hour
            )
        except LookupError:
            continue
        price = found.model_price
        base = getattr(price, "input_mtok", None)
        out = getattr(price, "output_mtok", None)
        read = getattr(price, "cache_read_mtok", None)
        write = getattr(price, "cache_write_mtok", None)
        hour_write = getattr(price, "cache_write_1h_mtok", None)
        if base is None or out is None:
            continue
        parts = (base, out, write, hour_write, read)
        if any(part is None for part in parts):
            continue
        return parts
    raise UnknownPriceError(model)


def _rate(price: Any, prompt_tokens: int) -> int:
    """Return picodollars per token; a price with tiers holds for the whole request."""
    value = price
    if not isinstance(price, Decimal):
        value = price.base
        for tier in price.tiers:
            if prompt_tokens > tier.start:
                value = tier.price
    exact = Decimal(value) * PICO_PER_MTOK_DOLLAR
    if exact != exact.to_integral_value():
        raise ValueError(f"the rate of {value} dollars per million tokens is finer than a picodollar")
    return int(exact)
