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

import sqlite3
from dataclasses import dataclass
from typing import Any, NamedTuple

from fanwise.errors import UnknownPriceError
from fanwise.journal.records import ArmName
from fanwise.pricing.cost import WEB_SEARCH_PICO
from fanwise.pricing.rates import known_rates, price_steps, rates
from fanwise.units import moment, usd_text

NAMES = ("models", "slices", "cache", "batch")
_CALLS = """WITH calls AS (
    SELECT row, model, CAST(sent/3600 AS INT) AS hour, prompt, chars, repeated,
      input, cache_write_5m, cache_write_1h, cache_read, output, web_searches, cost
    FROM paid WHERE arm=:arm AND cost>0),
  shown AS (
    SELECT row, SUM(chars) AS chars, SUM(prompt) AS tokens, SUM(chars-repeated) AS everything
    FROM calls WHERE row>0 GROUP BY row HAVING COUNT(*)>1),
  widened AS (
    SELECT c.*, c.prompt+COALESCE(MAX(s.everything-c.chars,0)*s.tokens/MAX(s.chars,1),0) AS whole
    FROM calls c LEFT JOIN shown s ON s.row=c.row)
  SELECT model, hour, MAX(prompt), MAX(whole), COUNT(*), SUM(prompt), SUM(whole),
    SUM(input), SUM(cache_write_5m), SUM(cache_write_1h), SUM(cache_read), SUM(output), SUM(web_searches), SUM(cost)
  FROM widened GROUP BY model, hour, {steps}"""
"""Calls in groups of one price. All that a row was shown anywhere is counted in tokens by its characters."""


class _Group(NamedTuple):
    """Calls that have one price, as the query gives them."""

    model: str
    hour: int
    """Since 1970."""
    most_prompt: int
    most_whole: int
    """Input of the longest of them, as it was and with all that its row was shown."""
    calls: int
    prompt: int
    whole: int
    plain: int
    five: int
    hour_long: int
    read: int
    output: int
    searches: int
    paid: int


@dataclass(frozen=True, slots=True)
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


def levers(db: sqlite3.Connection, arm: ArmName = "fanout") -> Levers | None:
    """Return what each lever took off the bill of one arm, or None where nothing has a price."""
    models = "SELECT DISTINCT model, CAST(sent/3600 AS INT) FROM paid WHERE arm=? AND cost>0 ORDER BY 2"
    seen = [(model, moment(hour * 3600)) for model, hour in db.execute(models, (arm,))]
    known = {model: rate.output for model, at in seen if (rate := known_rates(model, at)) is not None}
    if not known:
        return None
    dearest = max(sorted(known), key=lambda model: known[model])
    bounds = {start for model in known for _, at in seen for start in price_steps(model, at)}
    steps, count = [0] * 5, 0
    query = _CALLS.format(steps=", ".join(f"{size}>{bound}" for size in ("prompt", "whole") for bound in bounds))
    for group in map(_Group._make, db.execute(query, {"arm": arm})):
        for step, one in enumerate(_costs(group, dearest)):
            steps[step] += one
        count += group.calls
    saved = {name: steps[index] - steps[index + 1] for index, name in enumerate(NAMES)}
    return Levers(steps[0], saved, steps[4], dearest, count)


def _costs(group: _Group, dearest: str) -> tuple[int, int, int, int, int]:
    """Return what calls cost at every step."""
    at, searched = moment(group.hour * 3600), group.searches * WEB_SEARCH_PICO
    try:
        dear, wide = rates(dearest, at, group.most_whole), rates(group.model, at, group.most_whole)
        own = rates(group.model, at, group.most_prompt)
    except UnknownPriceError:  # they have a price of their own, and no other to be held against
        return group.paid, group.paid, group.paid, group.paid, group.paid
    cached = (
        group.plain * own.input + group.five * own.write_5m + group.hour_long * own.write_1h + group.read * own.read
    )
    return (
        group.whole * dear.input + group.output * dear.output + searched,
        group.whole * wide.input + group.output * wide.output + searched,
        group.prompt * own.input + group.output * own.output + searched,
        cached + group.output * own.output + searched,
        group.paid,
    )


def data(found: Levers | None) -> dict[str, Any] | None:
    """Return levers as JSON-ready data."""
    if found is None:
        return None
    return {
        "naive_usd": usd_text(found.naive),
        "saved_usd": {name: usd_text(one) for name, one in found.saved.items()},
        "paid_usd": usd_text(found.paid),
        "dearest_model": found.dearest,
        "attempts": found.attempts,
    }
