"""The levers: from the single agent's bill, over the same calls without any of them, to what was paid.

Each is counted on the same attempts, so the steps sum to the difference; what one takes off depends on which were
counted before it, so two orders are told, the one the reverse of the other:

- none: every call on the dearest model of the graph, shown all that the row was shown anywhere, uncached, live;
- `models`: each call on its own model;
- `slices`: each call shown its own slice alone;
- `cache`: what was written and read of its slice, as it was billed (below zero where writes were not read);
- `batch`: the channel that it took;
- `equal`: each call once, whatever number of equal tasks it serves: without it each of them has a call like it, or in
  a pack an input more. With all five that is what was paid.

Outputs are those that came. What an answer without a cap would have been is not known, so caps are no
step here. Those that were free are left out, and attempts without a known price: `leaves_out` says how many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import floor
from operator import add
from typing import Any

from fanwise.errors import UnknownPriceError
from fanwise.journal.reader import Book
from fanwise.journal.records import ArmName, Channel
from fanwise.journal.tables import select
from fanwise.pricing.cost import WEB_SEARCH_PICO, tokens_cost
from fanwise.pricing.rates import known_rates, price_steps, rates
from fanwise.pricing.usage import Usage
from fanwise.units import moment, usd_text

from .slices import REPEATED

NAMES = ("models", "slices", "cache", "batch", "equal")
ORDERS = (NAMES, NAMES[::-1])
_NEVER_SHOWN = """p.why IN ('retry','repair','longer') AND NOT EXISTS(
  SELECT 1 FROM asks k JOIN asks s ON s.row=k.row AND s.key=k.key JOIN ends e ON e.attempt=s.attempt
  WHERE k.attempt=p.attempt AND k.place=0 AND s.attempt<p.attempt AND e.cost>0)"""
"""Whether a request goes again for one that nobody was paid for: it is the first that shows what it shows."""
_PRICED = "input, cache_write_5m, cache_write_1h, cache_read, output, web_searches, cost"
_WIDENED = f"""calls AS (
    SELECT row, model, channel, CAST(sent/3600 AS INT) AS hour, asks, inputs, prompt, chars,
      CASE WHEN {_NEVER_SHOWN} THEN {REPEATED} ELSE repeated END AS repeated, {_PRICED}
    FROM task_attempts p WHERE arm=:arm AND cost>0),
  shown AS (
    SELECT row, SUM(chars) AS chars, SUM(prompt) AS tokens, SUM(chars-repeated) AS everything
    FROM calls WHERE row>0 GROUP BY row HAVING COUNT(*)>1),
  widened AS (
    SELECT c.*, c.prompt+COALESCE(MAX(s.everything-c.chars,0)*s.tokens/MAX(s.chars,1),0) AS widest
    FROM calls c LEFT JOIN shown s ON s.row=c.row)"""
_AS_THEY_ARE = f"""widened AS (
    SELECT model, channel, CAST(sent/3600 AS INT) AS hour, asks, inputs, prompt, prompt AS widest, {_PRICED}
    FROM paid WHERE arm=:arm AND cost>0)"""
"""The same where no row has two calls, which is told in a tenth of the time: each shows all that its row was shown."""
_HAS_TWO_CALLS = "SELECT EXISTS(SELECT 1 FROM asks WHERE row>0 GROUP BY row HAVING COUNT(*)>1)"
_CALLS = """WITH {widened}
  SELECT model, channel, hour, asks, inputs, MAX(prompt) AS most_prompt, MAX(widest) AS most_widest, COUNT(*) AS calls,
    SUM(prompt) AS prompt, SUM(widest) AS widest, SUM(input) AS input, SUM(cache_write_5m) AS cache_write_5m,
    SUM(cache_write_1h) AS cache_write_1h, SUM(cache_read) AS cache_read, SUM(output) AS output,
    SUM(web_searches) AS web_searches, SUM(cost) AS cost
  FROM widened GROUP BY model, channel, hour, asks, inputs, {steps}"""
"""Calls in groups of one price, for as many tasks each. All that a row was shown anywhere is counted in tokens by its
characters."""
_MODELS = "SELECT DISTINCT model, CAST(sent/3600 AS INT) FROM paid WHERE arm=? AND cost>0 ORDER BY 2"


@dataclass(slots=True, kw_only=True)
class _LeverGroup:
    """Calls that have one price."""

    model: str
    channel: Channel
    hour: int
    """Since 1970."""
    asks: int
    """Tasks that each of them serves."""
    inputs: int
    """Inputs that each of them shows for these."""
    most_prompt: int
    most_widest: int
    """Input of the longest of them, as it was and with all that its row was shown."""
    calls: int
    prompt: int
    widest: int
    """Input tokens, as they were and with all that their rows were shown."""
    usage: Usage
    cost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Levers:
    """Picodollars of one arm."""

    naive: int
    """With none of the levers."""
    saved: dict[str, int]
    """What each took off, in the order of `NAMES`; they sum to `naive - paid`."""
    saved_reversed: dict[str, int]
    """What each took off, the last of `NAMES` counted first; they sum to the same."""
    paid: int
    dearest: str
    """The model of the first step."""
    attempts: int


def levers(db: Book, arm: ArmName = "fanout") -> Levers | None:
    """Return what each lever took off the bill of one arm, or None where nothing has a price."""
    hours = [(model, moment(hour * 3600)) for model, hour in db.execute(_MODELS, (arm,))]
    prices = {model: rate.output for model, at in hours if (rate := known_rates(model, at)) is not None}
    if not prices:
        return None
    dearest = max(sorted(prices), key=lambda model: prices[model])
    bounds = {start for model in prices for _, at in hours for start in price_steps(model, at)}
    conditions = ", ".join(f"{size}>{bound}" for size in ("prompt", "widest") for bound in bounds)
    sums, calls = [[Fraction(0)] * (len(NAMES) + 1) for _ in ORDERS], 0
    widened = _WIDENED if db.execute(_HAS_TWO_CALLS).fetchone()[0] else _AS_THEY_ARE
    for group in select(db, _LeverGroup, _CALLS.format(widened=widened, steps=conditions), {"arm": arm}):
        for costs, order in zip(sums, ORDERS, strict=True):
            costs[:] = map(add, costs, _costs(group, dearest, order))
        calls += group.calls
    orders = [[floor(cost) for cost in costs] for costs in sums]
    saved, saved_reversed = (
        {name: before - after for name, (before, after) in zip(order, pairwise(costs), strict=True)}
        for order, costs in zip(ORDERS, orders, strict=True)
    )
    return Levers(
        naive=orders[0][0], saved=saved, saved_reversed=saved_reversed, paid=orders[0][-1], dearest=dearest,
        attempts=calls,
    )  # fmt: skip


def _costs(group: _LeverGroup, dearest: str, order: Sequence[str]) -> list[Fraction]:
    """Return what calls cost with none of the levers, and with one more of them at every step."""
    try:
        costs = [_cost(group, dearest, order[:count]) for count in range(len(order))]
    except UnknownPriceError:  # they have a price of their own, and no other to be held against
        costs = [_for_each_task(group.cost, group, order[:count]) for count in range(len(order))]
    return [*costs, Fraction(group.cost)]


def _for_each_task(cost: int, group: _LeverGroup, pulled: Sequence[str]) -> Fraction:
    """Return what calls of this cost come to with some of the levers: without `equal`, as many as there are tasks."""
    return Fraction(cost) if "equal" in pulled else Fraction(cost * group.asks, group.inputs)


def _cost(group: _LeverGroup, dearest: str, pulled: Sequence[str]) -> Fraction:
    """Return what calls cost with some of the levers, in picodollars.

    Raises:
        UnknownPriceError: A price is not known.
    """
    usage, is_narrow = group.usage, "slices" in pulled
    model = group.model if "models" in pulled else dearest
    rate = rates(model, moment(group.hour * 3600), group.most_prompt if is_narrow else group.most_widest)
    more = 0 if is_narrow else group.widest - group.prompt
    if "cache" in pulled:
        tokens = usage._replace(input=usage.input + more, thinking=0, web_searches=0)
    else:
        tokens = Usage(input=group.prompt + more, output=usage.output)
    batch = "batch" in pulled and group.channel == "batch"
    cost = tokens_cost(tokens, rate, batch=batch) + usage.web_searches * WEB_SEARCH_PICO
    return _for_each_task(cost, group, pulled)


def alone(pulled: Levers, bill: int | None, ratio: float | None) -> int | None:
    """Return the single agent's bill of all rows in picodollars; None where it is not known.

    Args:
        pulled: The levers.
        bill: What it was, where the single agent has ended all rows.
        ratio: Dollars of the fan-out over its own, else.
    """
    if bill is not None:
        return bill
    return round(Decimal(pulled.paid) / Decimal(str(ratio))) if ratio else None


def data(pulled: Levers | None, leaves_out: Mapping[str, int], alone_pico: int | None = None) -> dict[str, Any] | None:
    """Return levers as JSON-ready data.

    Args:
        pulled: The levers.
        leaves_out: What has no known price, see `unpriced`.
        alone_pico: The single agent's bill; None where it is not known.
    """
    if pulled is None:
        return None
    return {
        "alone_usd": usd_text(alone_pico),
        "naive_usd": usd_text(pulled.naive),
        "saved_usd": {name: usd_text(saved) for name, saved in pulled.saved.items()},
        "saved_in_reverse_usd": {name: usd_text(saved) for name, saved in pulled.saved_reversed.items()},
        "paid_usd": usd_text(pulled.paid),
        "dearest_model": pulled.dearest,
        "attempts": pulled.attempts,
        "leaves_out": dict(leaves_out),
    }
