"""The multiplier in words, the same wherever it is shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

WHY_LEFT_OUT = {
    "unfinished": "that the fan-out has not ended",
    "without_baseline": "that one agent was not asked for or has not ended",
    "unknown_cost": "with a cost that is not known",
    "over_budget": "whose budget has stopped one agent",
}
"""Words for why rows are left out."""


def times(figure: Mapping[str, Any]) -> str:
    """Return a ratio of sums: `1.67x`."""
    ratio = figure.get("ratio")
    return "unknown" if ratio is None else f"{ratio:.2f}x"  # a figure kept by an earlier version has none


def interval(figure: Mapping[str, Any]) -> str:
    """Return the interval of a ratio of sums: `95 % 1.45 to 1.89`."""
    low, high = figure.get("low"), figure.get("high")
    return "no interval below 5 rows" if low is None or high is None else f"95 % {low:.2f} to {high:.2f}"


def with_rows(figure: Mapping[str, Any]) -> str:
    """Return a ratio of sums with its interval, and how the ratios of the rows lie."""
    rows = f"row by row median {figure['p50']:.2f}, p95 {figure['p95']:.2f}"
    return f"{times(figure)} ({interval(figure)}; {rows})"


def why_not_measured(summary: Mapping[str, Any]) -> str:
    """Return why no multiplier was measured: what keeps the rows out of it."""
    left_out = summary.get("rows_left_out")
    if left_out is None:
        return "no row has both a fan-out and a baseline"
    if left_out["unknown_cost"]:
        return f"both have ended {left_out['unknown_cost']:,} rows, whose cost is not known"
    if left_out.get("over_budget"):  # an earlier version did not count them
        return f"the budget of the row has stopped one agent in {left_out['over_budget']:,} rows"
    return "no row has both a fan-out and a baseline" if any(left_out.values()) else "one agent took nothing"


def remarks(multiplier: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a measured multiplier is to be read with: what is left out, and what weighs more than it should."""
    left_out = multiplier["left_out"]
    if any(left_out.values()):
        parts = ", ".join(f"{count:,} {WHY_LEFT_OUT[why]}" for why, count in left_out.items() if count)
        yield f"left out: rows {parts}"
    if multiplier["cut_off"]:
        yield f"one agent was cut off in {multiplier['cut_off']:,} of these rows"
    if multiplier["few_rows"]:
        share = max(multiplier["largest_row"].values())
        yield f"few rows carry the bill: one has {100 * share:.0f} % of what a side took; nothing is decided by it"
