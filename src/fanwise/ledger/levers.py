"""The levers: what the same calls would have cost without each of them, and what each took off.

The order is stated and every step is counted on the same attempts, so the steps sum to the difference:

1. every call on the dearest model of the graph, shown all that the row was shown anywhere, uncached, live;
2. `models`: each call on its own model;
3. `slices`: each call shown its own slice alone;
4. `cache`: what was written and read, as it was billed (below zero where writes were not read);
5. `batch`: the channel that it took. That is what was paid.

Outputs are those that came. What an answer without a cap would have been is not known, so caps are no
step here. Attempts without a price, and those that were free, are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from fanwise.errors import UnknownPriceError
from fanwise.journal.reader import Book
from fanwise.journal.records import ArmName
from fanwise.journal.tables import select
from fanwise.pricing.cost import WEB_SEARCH_PICO
from fanwise.pricing.rates import known_rates, price_steps, rates
from fanwise.pricing.usage import Usage
from fanwise.units import moment, usd_text

NAMES = ("models", "slices", "cache", "batch")
_CALLS = """WITH calls AS (
    SELECT row, model, CAST(sent/3600 AS INT) AS hour, prompt, chars, repeated,
      input, cache_write_5m, cache_write_1h, cache_read, output, web_searches, cost
    FROM task_attempts WHERE arm=:arm AND cost>0),
  shown AS (
    SELECT row, SUM(chars) AS chars, SUM(prompt) AS tokens, SUM(chars-repeated) AS everything
    FROM calls WHERE row>0 GROUP BY row HAVING COUNT(*)>1),
  widened AS (
    SELECT c.*, c.prompt+COALESCE(MAX(s.everything-c.chars,0)*s.tokens/MAX(s.chars,1),0) AS widest
    FROM calls c LEFT JOIN shown s ON s.row=c.row)
  SELECT model, hour, MAX(prompt) AS most_prompt, MAX(widest) AS most_widest, COUNT(*) AS calls, SUM(prompt) AS prompt,
    SUM(widest) AS widest, SUM(input) AS input, SUM(cache_write_5m) AS cache_write_5m,
    SUM(cache_write_1h) AS cache_write_1h, SUM(cache_read) AS cache_read, SUM(output) AS output,
    SUM(web_searches) AS web_searches, SUM(cost) AS cost
  FROM widened GROUP BY model, hour, {steps}"""
"""Calls in groups of one price. All that a row was shown anywhere is counted in tokens by its characters."""
_MODELS = "SELECT DISTINCT model, CAST(sent/3600 AS INT) FROM paid WHERE arm=? AND cost>0 ORDER BY 2"


@dataclass(slots=True, kw_only=True)
class _LeverGroup:
    """Calls that have one price."""

    model: str
    hour: int
    """Since 1970."""
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
    """What each took off, in order; they sum to `naive - paid`."""
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
    costs, calls = [0] * 5, 0
    for group in select(db, _LeverGroup, _CALLS.format(steps=conditions), {"arm": arm}):
        costs = [total + cost for total, cost in zip(costs, _costs(group, dearest), strict=True)]
        calls += group.calls
    saved = {name: before - after for name, (before, after) in zip(NAMES, pairwise(costs), strict=True)}
    return Levers(naive=costs[0], saved=saved, paid=costs[4], dearest=dearest, attempts=calls)


def _costs(group: _LeverGroup, dearest: str) -> tuple[int, int, int, int, int]:
    """Return what calls cost at every step."""
    at, usage, paid = moment(group.hour * 3600), group.usage, group.cost
    searched = usage.web_searches * WEB_SEARCH_PICO
    try:
        dear, wide = rates(dearest, at, group.most_widest), rates(group.model, at, group.most_widest)
        own = rates(group.model, at, group.most_prompt)
    except UnknownPriceError:  # they have a price of their own, and no other to be held against
        return paid, paid, paid, paid, paid
    cached = (
        usage.input * own.input + usage.cache_write_5m * own.write_5m + usage.cache_write_1h * own.write_1h
        + usage.cache_read * own.read
    )  # fmt: skip
    return (
        group.widest * dear.input + usage.output * dear.output + searched,
        group.widest * wide.input + usage.output * wide.output + searched,
        group.prompt * own.input + usage.output * own.output + searched,
        cached + usage.output * own.output + searched,
        paid,
    )


def data(pulled: Levers | None) -> dict[str, Any] | None:
    """Return levers as JSON-ready data."""
    if pulled is None:
        return None
    return {
        "naive_usd": usd_text(pulled.naive),
        "saved_usd": {name: usd_text(saved) for name, saved in pulled.saved.items()},
        "paid_usd": usd_text(pulled.paid),
        "dearest_model": pulled.dearest,
        "attempts": pulled.attempts,
    }
