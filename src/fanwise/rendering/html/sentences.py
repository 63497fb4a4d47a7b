"""What it cost, against one agent, and why: in sentences, and in eight figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from fanwise.ledger.summary import read_share
from fanwise.rendering.cash import paid_in_all
from fanwise.rendering.headline import interval, remarks, times, why_not_measured
from fanwise.rendering.layouts import earlier_layouts
from fanwise.rendering.modelled import by_channel
from fanwise.rendering.words import LEVERS, NONE_LEFT_OUT, OWN_BASELINE, PARTS, left_out_of, may_have_cost

from .figures import dollars, share


def sentences(summary: Mapping[str, Any]) -> Iterator[str]:
    """Yield what it cost, against one agent, and why, in sentences."""
    yield _cost(summary)
    in_all = paid_in_all(summary)
    if in_all is not None:
        yield f"{in_all[0].upper()}{in_all[1:]}."
    relaid = earlier_layouts(summary.get("answers_of_earlier_layouts", {}))
    if relaid is not None:
        yield f"{relaid}."
    yield from _against_one_agent(summary)
    yield from _causes(summary)
    if summary["attempts"]["lost"]:
        most = may_have_cost(summary["lost_upper_bound_usd"], dollars)
        yield f"{summary['attempts']['lost']:,} attempts were lost and {most}."
    if summary["unpriced_attempts"]:
        most = may_have_cost(summary["unpriced_upper_bound_usd"], dollars)
        yield f"{summary['unpriced_attempts']:,} attempts have no known price and are in no total; they {most}."


def _cost(summary: Mapping[str, Any]) -> str:
    if _is_unknown(summary):
        return "What the fan-out cost is not known."
    per_row = summary["cost_per_successful_row_usd"]
    succeeded = summary["rows"]["succeeded"]
    at_least = "at least " if summary["attempts_of_unknown_cost"]["fanout"] else ""
    per_success = f", {at_least}{dollars(per_row)} for each of the {succeeded:,} rows that succeeded" if per_row else ""
    return (
        f"The fan-out cost {at_least}{dollars(summary['fanout_usd'])}{per_success}; retries and failures are counted."
    )


def _against_one_agent(summary: Mapping[str, Any]) -> Iterator[str]:
    measured, modelled = summary["multiplier"], summary["modelled"]
    if summary["own_baseline"] and summary["attempts"]["sent"]:
        yield f"{OWN_BASELINE[0].upper()}{OWN_BASELINE[1:]}."
        return
    if measured is not None:
        yield (
            f"Against one agent, measured on {measured['rows']:,} of these rows, it took"
            f" {_times(measured['tokens'])} the tokens and {_times(measured['usd'])} the dollars"
            f" ({interval(measured['usd'])}), sum over sum."
        )
        success = summary["per_success"]
        if success is not None:
            yield f"A row that succeeded cost {_times(success)} the dollars of one agent's ({interval(success)})."
        yield from (f"{remark[0].upper()}{remark[1:]}." for remark in remarks(measured))
    if modelled is not None and measured is None:
        in_dollars = "" if modelled["usd"] is None else f" and {_times(modelled['usd'])} the dollars"
        model = f" on {modelled['model']}" if "model" in modelled else ""
        rows = f"whose call was composed and counted on {modelled['rows']:,} rows"
        in_tokens = f"took an estimated {_times(modelled['tokens'])} the tokens"
        yield f"Against one agent{model} that was not asked, {rows}, it {in_tokens}{in_dollars}."
        ways = by_channel(modelled)
        if ways:
            yield f"{ways[0].upper()}{ways[1:]}."
    if measured is None and modelled is None:
        yield f"It was not held against one agent: {why_not_measured(summary)}, and none could be modelled."


def _times(figure: Mapping[str, Any]) -> str:
    """Return a ratio in a sentence: `1.67 times`."""
    return f"{times(figure).removesuffix('x')} times"


def _causes(summary: Mapping[str, Any]) -> Iterator[str]:
    """Yield what most of the tokens are, and what took most off the bill."""
    tokens_by_part: Mapping[str, int] = summary["made_of"].get("fanout") or {}
    total = sum(tokens_by_part.values())
    if total:
        largest = max(tokens_by_part, key=lambda part: tokens_by_part[part])
        yield f"Most of its tokens, {share(tokens_by_part[largest], total)}, are {PARTS[largest]}."
    if levers_lead(summary):
        yield from _best_lever(summary["levers"])
    unpriced = left_out_of(summary.get("floor_leaves_out", NONE_LEFT_OUT), "floor and levers")
    if unpriced:
        yield f"{unpriced}."


def levers_lead(summary: Mapping[str, Any]) -> bool:
    """Return whether levers may stand in front: never where the fan-out cost more than one agent."""
    levers = summary["levers"]
    return levers is not None and Decimal(levers["alone_usd"] or levers["naive_usd"]) >= Decimal(levers["paid_usd"])


def _best_lever(levers: Mapping[str, Any]) -> Iterator[str]:
    """Yield what took most off in whichever order it is counted, with what it took off in both."""
    orders = (levers["saved_usd"], levers["saved_in_reverse_usd"])
    least = {lever: min(Decimal(saved[lever]) for saved in orders) for lever in orders[0]}
    best = max(least, key=lambda lever: least[lever])
    if least[best] > 0:
        amounts = sorted({Decimal(saved[best]) for saved in orders})
        told = " or ".join(dollars(str(amount)) for amount in amounts)
        by_order = ", by which lever is counted first" if len(amounts) > 1 else ""
        yield f"What took most off the bill: {LEVERS[best]}, {told}{by_order}."


def figures(summary: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield name, value and remark of the figures on top."""
    of_fanout, of_baseline = (summary["attempts_of_unknown_cost"][side] for side in ("fanout", "baseline"))
    has_baseline = summary["attempts"]["baseline"]["sent"]
    of_it = f"baseline {_at_least(summary['baseline_usd'], of_baseline)}"
    baseline = "one agent, and its own baseline" if summary["own_baseline"] else "no baseline was asked"
    name = "paid" if paid_in_all(summary) is None else "cost"
    yield name, _at_least(summary["cost_usd"], of_fanout + of_baseline), f"{of_it} of it" if has_baseline else baseline
    yield "a good row", _at_least(summary["cost_per_successful_row_usd"], of_fanout), _one_agent(summary)
    yield from _multiplier(summary)
    read = read_share(summary["tokens"])
    yield "read from the cache", "unknown" if read is None else f"{100 * read:.0f} %", _of_input(summary)
    over = summary["input_over_floor"]
    yield "over the floor", "unknown" if over is None else f"{over:.2f}x", _floor(summary)
    yield from _work(summary)


def _of_input(summary: Mapping[str, Any]) -> str:
    """Return of what a share of the input is."""
    uncounted = summary["attempts_of_unknown_tokens"]
    return f"of all input but that of {uncounted:,} requests, which is unknown" if uncounted else "of all input"


def _floor(summary: Mapping[str, Any]) -> str:
    """Return the floor, with how many attempts have none."""
    unpriced = summary.get("floor_leaves_out", NONE_LEFT_OUT)["attempts"]
    if summary["floor_usd"] is None:
        return "no price is known" if unpriced else "not noted"
    without = f", without {unpriced:,} attempt{'s' if unpriced != 1 else ''} of unknown cost" if unpriced else ""
    return f"floor {dollars(summary['floor_usd'])}{without}"


def _multiplier(summary: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield the multiplier as it was measured, else as it was modelled; nothing where neither is known."""
    source = "multiplier" if summary["multiplier"] else "modelled"
    multiplier = summary[source]
    if multiplier is not None:
        in_dollars = "" if multiplier["usd"] is None else f"{times(multiplier['usd'])} in dollars, "
        origin = "its own baseline" if summary["own_baseline"] else "measured" if source == "multiplier" else "modelled"
        yield "multiplier", times(multiplier["tokens"]), f"{in_dollars}{origin}"


def _work(summary: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield how many rows and requests there were, and how long it took."""
    rows, attempts, sessions = summary["rows"], summary["attempts"], summary["sessions"]
    not_wholly = rows["failed"] + rows["rejected"] + rows["partial"]
    yield "rows", f"{rows['read']:,}", f"{rows['succeeded']:,} succeeded, {not_wholly:,} not wholly"
    retried = f"{attempts['retried']:,} again, {attempts['failed']:,} failed, {attempts['lost']:,} lost"
    yield "requests", f"{attempts['sent']:,}", retried
    yield "time", _time(summary["wall_s"]), f"{sessions:,} session{'s' if sessions != 1 else ''}"


def _is_unknown(summary: Mapping[str, Any]) -> bool:
    """Return whether there are attempts of unknown cost and nothing else: unknown is not zero."""
    return _at_least(summary["fanout_usd"], summary["attempts_of_unknown_cost"]["fanout"]) == "unknown"


def _at_least(amount: str | None, unknown: int) -> str:
    """Return an amount of which so many attempts are unknown; an earlier version has kept 0 where all of them are."""
    if amount is None or (unknown and not Decimal(amount)):
        return "unknown"
    return f"at least {dollars(amount)}" if unknown else dollars(amount)


def _one_agent(summary: Mapping[str, Any]) -> str:
    per_row = summary["baseline_cost_per_successful_row_usd"]
    amount = _at_least(per_row, summary["attempts_of_unknown_cost"]["baseline"])
    return "all failures in it" if per_row is None or summary["own_baseline"] else f"one agent {amount}"


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
