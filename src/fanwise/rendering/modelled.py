"""The multiplier against one agent that was not asked, in words: an estimate, with its model and how it was counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .headline import interval, times


def modelled_words(modelled: Mapping[str, Any]) -> str:
    """Return the estimate, and how its call was counted."""
    dollars = "" if modelled["usd"] is None else f", {_ratio(modelled['usd'])} in dollars"
    length = "as long as the rows' results" if modelled["answers"] == "results" else "as long as the measured ones"
    model = f" on {modelled['model']}" if "model" in modelled else ""  # an earlier version has not kept it
    counted = f"an estimate, its call composed and counted on {modelled['rows']:,} rows, answers {length}"
    ways = by_channel(modelled)
    alone = f"against one agent{model} that was not asked: {counted}{f'; {ways}' if ways else ''}"
    return f"{_ratio(modelled['tokens'])} in tokens{dollars}, {alone}"


def by_channel(modelled: Mapping[str, Any]) -> str:
    """Return the ratio in dollars for each way of the single agent's calls; empty where they differ by little."""
    ways = modelled.get("usd_by_channel")
    if not ways:
        return ""
    return f"with its calls live {ways['live']:.2f}x in dollars, in batches {ways['batch']:.2f}x"


def _ratio(figure: Mapping[str, Any]) -> str:
    return f"{times(figure)} ({interval(figure)})"
