"""Dollars for each row that succeeded, fan-out over baseline, and the interval of it."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from .findings import Findings
from .headline import FEWEST, Compared
from .student import quantile


def check_success(findings: Findings, said: dict[str, Any] | None, compared: Compared) -> None:
    """Compare the second figure of the headline."""
    computed = figures(compared)
    if said is None or computed is None:
        findings.same("per_success", said, computed)
        return
    for name, figure in computed.items():
        findings.same(f"per_success.{name}", said[name], figure)


def figures(compared: Compared) -> dict[str, float | None] | None:
    """Compute the ratio, and its interval by the delta method with successes as the second unit of each side."""
    if not compared.usd:
        return None
    sides = [sum(side) for side in zip(*compared.usd, strict=True)]
    goods = [sum(side) for side in zip(*compared.good, strict=True)]
    if not all(sides) or not all(goods):
        return None
    ratio = float(Fraction(sides[0]) / sides[1] * goods[1] / goods[0])
    variance = Fraction(0)
    for costs, good in zip(compared.usd, compared.good, strict=True):
        moves = [Fraction(cost) / side - Fraction(g, all_good)
                 for cost, side, g, all_good in zip(costs, sides, good, goods, strict=True)]  # fmt: skip
        variance += (moves[0] - moves[1]) ** 2
    rows = len(compared.usd)
    if rows < FEWEST:
        return {"ratio": round(ratio, 6), "low": None, "high": None}
    half = quantile(rows - 1) * math.sqrt(variance * Fraction(rows, rows - 1))
    return {
        "ratio": round(ratio, 6), "low": round(ratio * math.exp(-half), 6), "high": round(ratio * math.exp(half), 6)
    }  # fmt: skip
