"""The multiplier, its interval and its spread, by docs/decisions/2026-11-29-headline-is-a-ratio-of-sums.md."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from fractions import Fraction
from statistics import fmean
from typing import Any

from .allotted import RowCost
from .book import Book
from .documents import spared
from .findings import Findings
from .student import quantile

FEWEST = 5
"""Rows for an interval."""
RESAMPLES = 1_000
Pairs = list[tuple[Fraction, Fraction]] | list[tuple[int, int]]
"""What the fan-out and what one agent took, row by row."""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What the rows that both sides have ended took, as in the whole job."""

    known: dict[int, tuple[RowCost, RowCost]]
    """What fan-out and single agent have cost, by row, where that is known."""
    usd: Pairs
    good: list[tuple[bool, bool]]
    """Which sides have succeeded."""


def check_multiplier(
    findings: Findings, summary: dict[str, Any], book: Book, costs: dict[tuple[int, str], RowCost]
) -> Compared:
    """Compare the headline in tokens and in dollars; return what it compares."""
    said = summary["multiplier"]
    other = "fanout" if summary["own_baseline"] else "baseline"
    ended = {arm: {row for row, side in book.outcomes if side == arm} for arm in ("fanout", other)}
    both = sorted(ended["fanout"] & ended[other])
    rows = {row: (costs.get((row, "fanout"), RowCost()), costs.get((row, other), RowCost())) for row in both}
    over = {task["row"] for task in book.failed if task["arm"] == other and task["kind"] == "row_budget"} & set(rows)
    over = set[int]() if other == "fanout" else over
    kept = [row for row, (a, b) in rows.items() if row not in over and (other == "fanout" or not a.unknown + b.unknown)]
    known = [rows[row] for row in kept]
    left_out = {
        "unfinished": len(set(book.rows) - ended["fanout"]),
        "without_baseline": len(set(book.rows) & ended["fanout"] - ended[other]),
        "unknown_cost": len(rows) - len(kept) - len(over),
        "over_budget": len(over),
    }
    asked = {arm: Fraction(len({row for row, side in costs if side == arm}), len(book.rows)) for arm in ended}
    beyond = spared(book)
    compared = Compared(
        known={row: rows[row] for row in kept},
        usd=[
            (
                a.own + a.shared * asked["fanout"] - beyond.get((row, "fanout"), 0),
                b.own + b.shared * asked[other] - beyond.get((row, other), 0),
            )
            for row, (a, b) in zip(kept, known, strict=True)
        ],
        good=[tuple(book.outcomes[row, arm] == "succeeded" for arm in ("fanout", other)) for row in kept],
    )
    if not ended[other] and not book.meta["agents"].get(other):
        findings.same("rows_left_out", summary["rows_left_out"], None)
    else:
        for reason, count in left_out.items():
            findings.same(f"rows_left_out.{reason}", summary["rows_left_out"][reason], count)
    if said is None:
        findings.same("multiplier", None, {} if any(b.tokens and b.all for _, b in known) else None)
        return compared
    findings.same("multiplier.baseline", said["baseline"], "own" if summary["own_baseline"] else "measured")
    findings.same("multiplier.rows", said["rows"], len(known))
    for reason, count in left_out.items():
        findings.same(f"multiplier.left_out.{reason}", said["left_out"][reason], count)
    pairs = {
        "tokens": [
            (a.tokens + a.warm_tokens * asked["fanout"], b.tokens + b.warm_tokens * asked[other]) for a, b in known
        ],
        "usd": compared.usd,
        "usd_as_paid": [(a.paid, b.paid) for a, b in known],
    }
    for name, amounts in pairs.items():
        spread(findings, f"multiplier.{name}", said[name], amounts)
    for name in ("tokens", "usd"):
        findings.same(f"multiplier.largest_row.{name}", said["largest_row"][name], largest(pairs[name]))
    few = any((largest(pairs[name]) or 0) > 0.25 for name in ("tokens", "usd"))
    findings.same("multiplier.few_rows", said["few_rows"], few)
    cut_off = {task["row"] for task in book.failed if task["arm"] == other and task["kind"] == "truncated"}
    findings.same("multiplier.cut_off", said["cut_off"], len(cut_off & set(kept)))
    return compared


def spread(findings: Findings, name: str, said: dict[str, Any] | None, pairs: Pairs) -> None:
    """Compare ratio, interval, mean and quantiles of one unit."""
    computed = figures(pairs)
    for figure in ("ratio", "low", "high", "mean", "p50", "p95", "ci95"):
        findings.same(f"{name}.{figure}", None if said is None else said[figure], computed[figure])


def figures(pairs: Pairs) -> dict[str, Any]:
    """Compute the figures of one unit, rounded as the summary has them."""
    a, b = (sum(side) for side in zip(*pairs, strict=True))
    ratio = None if not b else round(float(Fraction(a) / Fraction(b)), 6)
    low, high = interval(pairs)
    ratios = sorted(float(Fraction(one) / Fraction(other)) for one, other in pairs if other)
    return {
        "ratio": ratio, "low": low, "high": high,
        "mean": round(sum(ratios) / len(ratios), 6), "p50": between(ratios, 0.5), "p95": between(ratios, 0.95),
        "ci95": of_mean(ratios),
    }  # fmt: skip


def interval(pairs: Pairs) -> tuple[float | None, float | None]:
    """Return the bounds of the ratio of sums by the delta method."""
    a, b = (sum(side) for side in zip(*pairs, strict=True))
    if len(pairs) < FEWEST or not a or not b:
        return None, None
    variance = Fraction(0)
    for one, other in pairs:
        first, second = Fraction(one, a), Fraction(other, b)
        variance += (first - second) ** 2 * (1 + first + second)
    half = quantile(len(pairs) - 1) * math.sqrt(variance)
    return round(float(Fraction(a) / Fraction(b)) * math.exp(-half), 6), round(
        float(Fraction(a) / Fraction(b)) * math.exp(half), 6
    )


def of_mean(ratios: list[float]) -> list[float] | None:
    """Return the interval of the mean by a bootstrap, as the page has it: 1,000 samples, seed 0."""
    if len(ratios) < FEWEST:
        return None
    chance = random.Random(0)
    means = sorted(fmean(chance.choices(ratios, k=len(ratios))) for _ in range(RESAMPLES))
    return [between(means, 0.025), between(means, 0.975)]


def between(ordered: list[float], share: float) -> float:
    """Return a quantile, by a straight line between the two rows beside it."""
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return round(ordered[below] + (ordered[above] - ordered[below]) * (place - below), 6)


def largest(pairs: Pairs) -> float | None:
    """Return the largest share of one row of a side's sum."""
    shares = [max(side) / sum(side) for side in zip(*pairs, strict=True) if sum(side)]
    return round(float(max(shares)), 6) if shares else None
