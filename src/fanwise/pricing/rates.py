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

from fanwise.errors import UnknownPriceError
from fanwise.models import dateless, native

_EPOCH = datetime.fromtimestamp(0, UTC)
PICO_PER_MTOK_DOLLAR = 10**6
"""Picodollars per token that one dollar per million tokens makes."""

OURS: dict[str, tuple[str, str, str, str, str]] = {
    # model: dollars per million tokens of input, output, 5m write, 1h write, read
    "claude-mythos-5": ("10", "50", "12.5", "20", "1"),
    "claude-mythos-5-1": ("10", "50", "12.5", "20", "0.25"),
    # The library keeps a step at 200,000 tokens that the page does not have any more.
    "claude-sonnet-4-5": ("3", "15", "3.75", "6", "0.30"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Picodollars per token at the standard live price."""

    input: int
    output: int
    write_5m: int
    write_1h: int
    read: int


_LIBRARY_NAMES = {
    "input": "input_mtok",
    "output": "output_mtok",
    "write_5m": "cache_write_mtok",
    "write_1h": "cache_write_1h_mtok",
    "read": "cache_read_mtok",
}
"""Fields of `Rates`, in the order of `OURS`, with the library's names for them."""


def rates(model: str, at: datetime, prompt_tokens: int = 0) -> Rates:
    """Return the live rates of a model.

    Args:
        model: Model id, dated or not, of the API's own, of Bedrock or of Vertex; the price is the API's own. What
            the endpoints of a region add is in none of our sources and not in it.
        at: Moment of the request; prices change by date.
        prompt_tokens: All input tokens; above 100,000 Haiku 5.5 costs five times as much for
            the whole request ("Pricing", read 2026-11-23).

    Raises:
        UnknownPriceError: Nothing is known of the model's price.
    """
    steps = _steps_at(model, at)
    rate = steps[0][1]
    for start, next_rate in steps[1:]:
        if prompt_tokens > start:
            rate = next_rate
    return rate


def price_steps(model: str, at: datetime) -> tuple[int, ...]:
    """Return the prompt sizes above which a model's rates change, from 0; at least one.

    Raises:
        UnknownPriceError: Nothing is known of the model's price.
    """
    return tuple(start for start, _ in _steps_at(model, at))


def known_rates(model: str, at: datetime, prompt_tokens: int = 0) -> Rates | None:
    """Return the live rates of a model, or None where nothing is known of them."""
    try:
        return rates(model, at, prompt_tokens)
    except UnknownPriceError:
        return None


def _steps_at(model: str, at: datetime) -> tuple[tuple[int, Rates], ...]:
    """Return the rates of a model at a moment, from which prompt size on each holds, from 0."""
    since = at - _EPOCH  # `timestamp` takes twice as long, and every request asks twice
    return _steps(model, since.days * 24 + since.seconds // 3600)


@lru_cache(maxsize=4096)
def _steps(model: str, hour: int) -> tuple[tuple[int, Rates], ...]:
    """Return the rates of a model in an hour since 1970, from which prompt size on each holds, from 0."""
    prices = _prices(model, datetime.fromtimestamp(hour * 3600, UTC))
    starts = {step.start for price in prices.values() if not isinstance(price, Decimal) for step in price.tiers}
    return tuple(
        (start, Rates(**{kind: _rate(price, start + 1) for kind, price in prices.items()}))
        for start in sorted({0, *starts})
    )


def _prices(model: str, hour: datetime) -> dict[str, Any]:
    """Return dollars per million tokens by the fields of `Rates`, as a number or as the library's steps of sizes.

    Raises:
        UnknownPriceError: Neither we nor the library know a price for every kind of token.
    """
    for name in (native(model), dateless(model)):
        if name in OURS:
            return {kind: Decimal(text) for kind, text in zip(_LIBRARY_NAMES, OURS[name], strict=True)}
        prices = _library_prices(name, hour)
        if prices is not None and None not in prices.values():
            return prices
    raise UnknownPriceError(model)


def _library_prices(name: str, hour: datetime) -> dict[str, Any] | None:
    """Return what the library has of a model, None for a kind of token that it lacks; None of an unknown model."""
    # Imported here, since it is dear to load and only what prices something needs it.
    from genai_prices import Usage as LibraryUsage
    from genai_prices import calc_price

    try:
        quote: Any = calc_price(
            LibraryUsage(input_tokens=1), model_ref=name, provider_id="anthropic", genai_request_timestamp=hour
        )
    except LookupError:
        return None
    return {kind: getattr(quote.model_price, field, None) for kind, field in _LIBRARY_NAMES.items()}


def _rate(price: Any, prompt_tokens: int) -> int:
    """Return picodollars per token; a price by prompt size holds for the whole request."""
    value = price
    if not isinstance(price, Decimal):
        value = price.base
        for step in price.tiers:  # the library's word
            if prompt_tokens > step.start:
                value = step.price
    exact = Decimal(value) * PICO_PER_MTOK_DOLLAR
    if exact != exact.to_integral_value():
        raise ValueError(f"the rate of {value} dollars per million tokens is finer than a picodollar")
    return int(exact)
