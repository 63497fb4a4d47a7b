"""The price list, typed from the documentation, and what an amount of tokens costs by it.

Source: "Pricing" and "Prompt caching" of platform.claude.com as read on 2026-11-23 (`anthropic-api.md` of the project's
reference, sections 2 and 4). Nothing of fanwise or of its emulator is read.
"""

from __future__ import annotations

from typing import NamedTuple


class Tokens(NamedTuple):
    """What a request took."""

    input: int = 0
    write_5m: int = 0
    write_1h: int = 0
    read: int = 0
    output: int = 0

    @property
    def prompt(self) -> int:
        """All input, cached or not."""
        return self.input + self.write_5m + self.write_1h + self.read


class Price(NamedTuple):
    """Picodollars a token, live, and the shortest prefix that is cached."""

    input: int
    write_5m: int
    write_1h: int
    read: int
    output: int
    minimum: int


def _price(dollars_in: float, dollars_out: float, read: float, minimum: int) -> Price:
    """Dollars a million tokens; writes are 1.25 and 2 times the input."""
    base = round(dollars_in * 10**6)
    return Price(base, base * 5 // 4, base * 2, round(read * 10**6), round(dollars_out * 10**6), minimum)


LIST = {
    "claude-haiku-5-5": _price(0.10, 0.50, 0.01, 512),
    "claude-haiku-4-5": _price(1, 5, 0.10, 4_096),
    "claude-sonnet-5-5": _price(2, 10, 0.10, 512),
    "claude-sonnet-5": _price(2, 10, 0.20, 1_024),
    "claude-sonnet-4-6": _price(3, 15, 0.30, 1_024),
    "claude-opus-5-5": _price(4, 20, 0.20, 512),
    "claude-opus-4-8": _price(5, 25, 0.50, 1_024),
}
LONG_HAIKU = _price(0.50, 2.50, 0.05, 512)
"""Haiku 5.5 where the whole prompt, cached or not, is over 100,000 tokens."""
DEAREST_FIRST = sorted(LIST, key=lambda model: -LIST[model].output)


def price_of(model: str, prompt: int) -> Price | None:
    """Return the price of a model for a prompt of so many tokens; None: nobody knows."""
    return LONG_HAIKU if model == "claude-haiku-5-5" and prompt > 100_000 else LIST.get(model)


def cost(tokens: Tokens, model: str, *, batch: bool) -> int | None:
    """Return picodollars; a batch is half of everything."""
    price = price_of(model, tokens.prompt)
    if price is None:
        return None
    live = sum(count * rate for count, rate in zip(tokens, price, strict=False))
    assert not batch or live % 2 == 0
    return live // 2 if batch else live
