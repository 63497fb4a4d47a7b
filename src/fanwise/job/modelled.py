"""The baseline that nobody paid for: one agent's call for each row, composed and counted.

It is an estimate, and neither a bound nor a measure. Its prompt is the very request that the single
agent would be sent, counted. Its answer has the size of the row's own result, or as much more as a
measured sample of it has shown. It travels as the run does, and what its rows share is written and
read as `--channel auto` expects it. Nothing here looks at what the fan-out was billed.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from fanwise.dispatch.primer import expected_hits
from fanwise.graph.baseline import has_one_agent
from fanwise.graph.nodes import GraphSpec
from fanwise.journal.reader import Book
from fanwise.journal.records import Channel
from fanwise.ledger.alike import ALONE, Alike, alike
from fanwise.ledger.outcomes import output_lengths, rows_with_output
from fanwise.ledger.paired import CostsInOrder, JobSize
from fanwise.ledger.spread import Bin, RowRatios, Spread, bins
from fanwise.ledger.tasks import batch_reads, chosen_channel, sampled_answers
from fanwise.models import facts
from fanwise.pricing.usage import Usage

from .alone_price import APART, call_prices, channel_of
from .arms import single
from .composed import ComposedCall, composed_calls
from .manifest import Manifest

MOST_ROWS = 600
"""So many rows are modelled at most, drawn by chance: the interval says how well they stand for all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Modelled:
    """The multiplier against a modelled baseline."""

    model: str
    """Which would have been asked."""
    rows: int
    tokens: Spread
    usd: Spread | None
    """None where the price of its model is not known."""
    usd_by_channel: Mapping[Channel, float]
    """The ratio in dollars for each way of the single agent's calls, where these differ much; else empty."""
    bins: tuple[Bin, ...]
    """Of the multiplier in tokens."""
    answers: str
    """Where the size of its answers comes from: `results` or `sample`."""

    def data(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        return {
            "baseline": "modelled", "model": self.model, "rows": self.rows, "tokens": self.tokens.data(),
            "usd": None if self.usd is None else self.usd.data(),
            "usd_by_channel": {channel: round(ratio, 6) for channel, ratio in self.usd_by_channel.items()},
            "bins": list(map(list, self.bins)), "answers": self.answers,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _SampleRates:
    """What a measured sample of the single agent has shown; zeros where there was none."""

    prompt: float = 0.0
    """Tokens for a character of its prompt."""
    output: float = 0.0
    """Tokens of its answer for a character of the row's result."""
    rows: int = 0


@dataclass(slots=True, kw_only=True)
class _Ratios:
    """The fan-out over the single agent, row by row."""

    tokens: RowRatios = field(default_factory=RowRatios)
    usd: RowRatios = field(default_factory=RowRatios)
    """Of the rows whose price is known."""
    fanout: float = 0.0
    """Picodollars of these rows."""
    alone: Counter[Channel] = field(default_factory=Counter[Channel])
    """Picodollars of the single agent for them, in each channel."""

    def usd_by_channel(self) -> dict[Channel, float]:
        """Return the ratio for each way of the single agent's calls; empty where these cost about the same."""
        least, most = min(self.alone.values(), default=0), max(self.alone.values(), default=0)
        if not least or most < APART * least:
            return {}
        return {channel: self.fanout / cost for channel, cost in self.alone.items()}


def modelled(db: Book, manifest: Manifest, fanout: GraphSpec) -> Modelled | None:
    """Return the multiplier against one agent that was not asked.

    None where none could do the job, where the fan-out is one agent itself, or where it has tools: how often it would
    use them is not known.

    Args:
        db: The journal of a run.
        manifest: What the run is.
        fanout: Its graph.
    """
    graph = None if has_one_agent(fanout) else single(fanout)
    if graph is None or any(node.target.spec is not None and node.target.spec.tools for node in graph.tasks()):
        return None
    result_chars = _drawn(db)
    arm = manifest.arms({"baseline": graph})["baseline"]
    calls = composed_calls(db, manifest, arm, list(result_chars))
    rates = _sample_rates(db, calls)
    same = alike(db, calls, ()) if arm.agents()[0].shared else {}
    ratios = _ratios(db, calls, result_chars, rates, same)
    tokens = ratios.tokens.spread()
    if tokens is None:
        return None
    return Modelled(
        model=next(iter(calls.values())).model,
        rows=ratios.tokens.sums.rows,
        tokens=tokens,
        usd=ratios.usd.spread() if ratios.usd.sums.rows == ratios.tokens.sums.rows else None,
        usd_by_channel=ratios.usd_by_channel(),
        bins=bins(ratios.tokens.values),
        answers="sample" if rates.rows else "results",
    )


def _ratios(
    db: Book,
    calls: Mapping[int, ComposedCall],
    result_chars: Mapping[int, int],
    rates: _SampleRates,
    same: Mapping[int, Alike],
) -> _Ratios:
    """Return what rows took in the fan-out over what one call would have taken.

    Args:
        db: The journal of the run.
        calls: The single agent's call for each row.
        result_chars: Characters of each row's result.
        rates: What a sample of these calls has shown.
        same: Rows that are alike: one call would serve them.
    """
    ratios, size, costs, chosen = _Ratios(), JobSize(db), CostsInOrder(db), chosen_channel(db)
    different = fmean([1 / same.get(number, ALONE).rows for number in calls]) if calls else 1.0
    asked = max(round(size.rows * different), 1)
    """Calls of the job: what rows share is written once for all of them."""
    hit_rate = expected_hits(*batch_reads(db))
    for number in sorted(calls):
        call = calls[number]
        fanout, _ = costs.of(number)
        if fanout.unknown or not fanout.tokens or not fanout.paid:
            continue
        usage, shared_by = _usage(call, result_chars[number], rates), same.get(number, ALONE).rows
        ratios.tokens.add([size.tokens(fanout)], [usage.total * size.rows // shared_by])
        of_row = _of_row(call, usage)
        shown_by = max(call.shown_by // shared_by, 1)
        prices = call_prices(usage, call.model, asked, hit_rate, of_row=of_row, shown_by=shown_by)
        if prices:
            cost = size.cost(fanout) / size.rows
            alone: dict[Channel, int] = {channel: round(price / shared_by) for channel, price in prices.items()}
            ratios.usd.add([round(cost)], [alone[channel_of(chosen, prices)]])
            ratios.fanout += cost
            ratios.alone.update(alone)
    return ratios


def _drawn(db: Book) -> dict[int, int]:
    """Return rows with an output, drawn by chance, and the characters of that."""
    good = rows_with_output(db)
    return output_lengths(db, random.Random(0).sample(good, min(len(good), MOST_ROWS)))


def _sample_rates(db: Book, calls: Mapping[int, ComposedCall]) -> _SampleRates:
    """Return what a measured sample of the very same agent has shown; nothing where it asks for tools."""
    rows = prompt_tokens = output_tokens = prompt_chars = result_chars = 0
    for answer in sampled_answers(db):
        call = calls.get(answer.row)
        if call is not None:
            rows += 1
            prompt_tokens, prompt_chars = prompt_tokens + answer.prompt, prompt_chars + call.chars
            output_tokens, result_chars = output_tokens + answer.output, result_chars + answer.result_chars
    if not rows or not prompt_chars or not result_chars:
        return _SampleRates()
    return _SampleRates(prompt=prompt_tokens / prompt_chars, output=output_tokens / result_chars, rows=rows)


def _of_row(call: ComposedCall, usage: Usage) -> int:
    """Return the tokens that a call marks of its row, where that is long enough to be kept."""
    tokens = round(call.row_tokens * usage.prompt * call.chars_per_token / max(call.chars, 1))
    marked = round((call.shared_tokens + call.row_tokens) * usage.prompt * call.chars_per_token / max(call.chars, 1))
    return min(tokens, usage.input) if marked >= facts(call.model).cache_minimum else 0


def _usage(call: ComposedCall, result_chars: int, rates: _SampleRates) -> Usage:
    """Return what a call would take; what all rows share of it as read, where it is long enough to be kept."""
    per_char = rates.prompt or 1 / call.chars_per_token
    prompt = round(call.chars * per_char)
    output = max(round(result_chars * (rates.output or 1 / call.chars_per_token)), 1)
    read = min(round(call.shared_tokens * call.chars_per_token * per_char), prompt)
    if read < facts(call.model).cache_minimum:
        read = 0
    return Usage(input=prompt - read, cache_read=read, output=output)
