"""The quantile of Student's t, from its density: nothing but arithmetic."""

from __future__ import annotations

import math
from functools import cache


def _tail(t: float, degrees: int) -> float:
    """Return the probability above t, by the continued fraction of the incomplete beta function."""
    x, a, b = degrees / (degrees + t * t), degrees / 2, 0.5
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a / 2
    return (1 - front * _fraction(b, a, 1 - x) / b) / 2


def _fraction(a: float, b: float, x: float) -> float:
    numerators = [1.0]
    for m in range(200):
        if m:
            numerators.append(m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)))
        numerators.append(-(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)))
    value = 1.0
    for numerator in reversed(numerators[1:]):
        value = 1 + numerator / value
    return 1 / value


@cache
def quantile(degrees: int, confidence: float = 0.95) -> float:
    """Return t so that a share `confidence` lies between -t and t."""
    low, high = 0.0, 700.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if _tail(middle, degrees) > (1 - confidence) / 2 else (low, middle)
    return low
