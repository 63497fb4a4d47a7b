"""Figures as people read them."""

from __future__ import annotations

from decimal import Decimal

from fanwise.units import PICO_PER_USD

_DECIMALS = ((Decimal(100), 2), (Decimal(1), 3), (Decimal("0.01"), 4), (Decimal("0.0001"), 6))
"""Least amount and decimals of it, the largest first."""
_LARGE = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def compact(count: float) -> str:
    """Return a number of tokens in three digits: 950, 12.3k, 4.56M."""
    for size, letter in _LARGE:
        if abs(count) >= size * 0.9995:
            value = count / size
            return f"{value:.{2 if value < 9.995 else 1 if value < 99.95 else 0}f}{letter}"
    return f"{count:.0f}"


def pico_dollars(pico: float) -> str:
    """Return picodollars as dollars, with as many digits as tell something."""
    return dollars(Decimal(round(pico)) / PICO_PER_USD)


def dollars(amount: Decimal | str | None) -> str:
    """Return an amount of dollars, or `unknown`."""
    if amount is None:
        return "unknown"
    value = Decimal(amount)
    return f"{'-' if value < 0 else ''}${abs(value):,.{_decimals(abs(value))}f}" if value else "$0"


def _decimals(size: Decimal) -> int:
    """Return how many decimals of an amount tell something: fewer the larger it is."""
    for least, decimals in _DECIMALS:
        if size >= least:
            return decimals
    return 1 - size.adjusted()  # two digits that tell something


def share(part: float, total: float) -> str:
    """Return a share in per cent."""
    return f"{100 * part / total:.0f} %" if total else "0 %"


def short(text: str, most: int) -> str:
    """Return a text that is at most so long, and says where it was cut."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
