"""What intervals of the account have in common."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

LEVEL = 0.95
"""Of every interval, two-sided."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its interval at `LEVEL`."""

    value: float
    low: float
    high: float


def student(level: float, degrees: int) -> float:
    """Return the quantile of Student's t for a two-sided level, by Cornish and Fisher's expansion.

    Within 0.1 % from five degrees of freedom on; a sample has more.
    """
    z = NormalDist().inv_cdf((1 + level) / 2)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / degrees ** (power + 1) for power, term in enumerate(terms))
