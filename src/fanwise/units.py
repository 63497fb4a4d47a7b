"""Money, ids and time: the few conversions that every layer shares.

Money is an integer count of picodollars (10**-12 US dollars), so that a rate per token is
exact after every documented multiplier (batch 1/2, geo 11/10).
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache

PICO_PER_USD = 10**12
"""Picodollars in one US dollar."""

MOST_USD = (2**63 - 1) // PICO_PER_USD
"""Dollars that a journal can count: sums of picodollars are whole numbers of 64 bits there."""
_ID_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def usd(pico: int) -> Decimal:
    """Return an exact dollar amount for a count of picodollars."""
    return Decimal(pico) / PICO_PER_USD


def usd_text(pico: int | None) -> str | None:
    """Return dollars as a plain decimal string (`"0.0123"`), or None when unknown."""
    if pico is None:
        return None
    dollars, rest = divmod(abs(pico), PICO_PER_USD)
    decimals = f"{rest:012d}".rstrip("0")
    return f"{'-' if pico < 0 else ''}{dollars}{'.' + decimals if decimals else ''}"


def pico_from_usd(text: str) -> int:
    """Return picodollars for a decimal dollar amount.

    Raises:
        ValueError: `text` is no number, is negative, or has more than 12 decimals.
    """
    try:
        value = Decimal(text)
        pico = value * PICO_PER_USD if value.is_finite() else value
    except ArithmeticError:  # no number, or one beyond all exponents
        raise ValueError(f"{text!r} is not an amount of dollars") from None
    if not value.is_finite() or value < 0 or pico != pico.to_integral_value():
        raise ValueError(f"{text!r} is not a positive amount of dollars with at most 12 decimals")
    return int(pico)


def new_run_id() -> str:
    """Return a fresh run id: 12 characters of `[0-9a-z]`, 60 bits of chance.

    With an attempt number it makes a `custom_id` of at most 40 characters of `[a-z0-9-]`.
    """
    return "".join(secrets.choice(_ID_ALPHABET) for _ in range(12))


def now() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)


@lru_cache(maxsize=256)
def moment(at: float) -> datetime:
    """Return a moment given in seconds since 1970; remembered, since all requests of a batch have one."""
    return datetime.fromtimestamp(at, UTC)
