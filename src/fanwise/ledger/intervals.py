"""What intervals of the account have in common."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist

LEVEL = 0.95
"""Of every interval, two-sided."""
MANY_DEGREES = 400
"""Of freedom, from which on an expansion is as exact as the sum, which takes as many terms."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its interval at `LEVEL`."""

    value: float
    low: float
    high: float


@cache
def student(level: float, degrees: int) -> float:
    """Return the quantile of Student's t for a two-sided level, to eleven digits or more."""
    if degrees > MANY_DEGREES:
        return _expanded(level, degrees)
    low, high = 0.0, 1.0
    while _beyond(high, degrees) > 1 - level:
        low, high = high, high * 2
    middle = (low + high) / 2
    while low < middle < high:
        low, high = (middle, high) if _beyond(middle, degrees) > 1 - level else (low, middle)
        middle = (low + high) / 2
    return middle


def _expanded(level: float, degrees: int) -> float:
    """Return the quantile by Cornish and Fisher's expansion, which many degrees make exact."""
    z = NormalDist().inv_cdf((1 + level) / 2)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / degrees ** (power + 1) for power, term in enumerate(terms))


def _beyond(t: float, degrees: int) -> float:
    """Return the probability outside of -t and t: a finite sum, by the parity of the degrees.

    Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4.
    """
    angle = math.atan2(t, math.sqrt(degrees))
    square = math.cos(angle) ** 2
    is_odd = degrees % 2
    term, total = (math.cos(angle) if is_odd else 1.0), 0.0
    for step in range(2 + is_odd, degrees + 1, 2):
        total += term
        term *= square * (step - 1) / step
    if is_odd:
        return 1 - 2 / math.pi * (angle + math.sin(angle) * total)
    return 1 - math.sin(angle) * total
