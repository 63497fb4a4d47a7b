"""What it cost, against one agent, and why: in sentences, and in eight figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from fanwise.ledger.summary import read_share
from fanwise.rendering.words import LEVERS, PARTS

from .figures import dollars, share


def words(summary: Mapping[str, Any]) -> Iterator[str]:
    """Yield what it cost, against one agent, and why, in sentences."""
    rows, good = summary["rows"], summary["cost_per_successful_row_usd"]
    if _nothing_known(summary):
        yield "What the fan-out cost is not known."
    else:
        each = f", {dollars(good)} for each of the {rows['succeeded']:,} rows that succeeded" if good else ""
        yield f"The fan-out cost {dollars(summary['fanout_usd'])}{each}; retries and failures are counted."
    measured, modelled = summary["multiplier"], summary["modelled"]
    if measured is not None:
        low, high = measured["usd"]["ci95"]
        yield (
            f"Against one agent, measured on {measured['rows']:,} of these rows, it took"
            f" {measured['tokens']['mean']:.2f} times the tokens and {measured['usd']['mean']:.2f} times the dollars"
            f" (95 % {low:.2f} to {high:.2f})."
        )
    if modelled is not None:
        usd_ = "" if modelled["usd"] is None else f" and {modelled['usd']['mean']:.2f} times the dollars"
        yield (
            f"Against one agent that was not asked, whose call was composed and counted on {modelled['rows']:,} rows,"
            f" it {'would have taken' if measured else 'took'} {modelled['tokens']['mean']:.2f} times the tokens{usd_}."
        )
    if measured is None and modelled is None:
        yield "It was not held against one agent: no row has both, and none could be modelled."
    parts = summary["made_of"].get("fanout")
    if parts and sum(parts.values()):
        kind = max(parts, key=lambda one: parts[one])
        whole = sum(parts.values())
        yield f"Most of its tokens, {share(parts[kind], whole)}, are {PARTS[kind]}."
    levers = summary["levers"]
    if levers is not None:
        best, saved = max(levers["saved_usd"].items(), key=lambda one: Decimal(one[1]))
        if Decimal(saved) > 0:
            yield f"What took most off the bill: {LEVERS[best]}, {dollars(saved)}."
    if summary["attempts"]["lost"]:
        most = dollars(summary["lost_upper_bound_usd"])
        yield f"{summary['attempts']['lost']:,} attempts were lost and may have cost up to {most} more."
    if summary["unpriced_attempts"]:
        yield f"{summary['unpriced_attempts']:,} attempts have no known price and are in no total."


def figures(summary: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield name, value and remark of the figures on top."""
    rows, attempts, tokens = summary["rows"], summary["attempts"], summary["tokens"]
    asked = attempts["baseline"]["sent"]
    remark = f"baseline {dollars(summary['baseline_usd'])} of it" if asked else "no baseline was asked"
    unknown = _nothing_known(summary)
    yield "paid", "unknown" if unknown else dollars(summary["cost_usd"]), remark
    good = None if unknown else summary["cost_per_successful_row_usd"]
    yield "a good row", dollars(good), _one_agent(summary)
    found, how = (summary["multiplier"], "measured") if summary["multiplier"] else (summary["modelled"], "modelled")
    if found is not None:
        priced = "" if found["usd"] is None else f"{found['usd']['mean']:.2f}x in dollars, "
        yield "multiplier", f"{found['tokens']['mean']:.2f}x", f"{priced}{how}"
    yield "read from the cache", f"{100 * read_share(tokens):.0f} %", "of all input"
    over = summary["input_over_floor"]
    yield (
        "over the floor",
        "unknown" if over is None else f"{over:.2f}x",
        ("no price is known" if unknown else f"floor {dollars(summary['floor_usd'])}"),
    )
    bad = rows["failed"] + rows["rejected"] + rows["partial"]
    yield "rows", f"{rows['read']:,}", f"{rows['succeeded']:,} succeeded, {bad:,} not wholly"
    retried = f"{attempts['retried']:,} again, {attempts['failed']:,} failed, {attempts['lost']:,} lost"
    yield "requests", f"{attempts['sent']:,}", retried
    yield "time", _time(summary["wall_s"]), f"{summary['sessions']:,} session{'s' if summary['sessions'] != 1 else ''}"


def _nothing_known(summary: Mapping[str, Any]) -> bool:
    """Return whether there are attempts without a price and nothing else: unknown is not zero."""
    return bool(summary["unpriced_attempts"]) and not Decimal(summary["fanout_usd"])


def _one_agent(summary: Mapping[str, Any]) -> str:
    base = summary["baseline_cost_per_successful_row_usd"]
    return f"one agent {dollars(base)}" if base is not None else "all failures in it"


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
