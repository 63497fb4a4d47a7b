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
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from fanwise.errors import UnknownPriceError
from fanwise.journal.records import Side
from fanwise.pricing.cost import WEB_SEARCH_PICO
from fanwise.pricing.rates import known_rates, rates
from fanwise.units import usd_text

NAMES = ("models", "slices", "cache", "batch")
_ATTEMPTS = """SELECT a.row, a.model, a.sent, a.chars, a.repeated, e.input, e.write_5m, e.write_1h, e.read, e.output,
  e.searches, e.cost FROM attempts a JOIN ends e ON e.attempt=a.id
  WHERE a.side=? AND e.cost>0 ORDER BY a.row"""


class _Call(NamedTuple):
    """An attempt as the query gives it."""

    row: int
    model: str
    sent: float
    chars: int
    repeated: int
    plain: int
    five: int
    hour: int
    read: int
    output: int
    searches: int
    paid: int

    @property
    def prompt(self) -> int:
        return self.plain + self.five + self.hour + self.read


@dataclass(frozen=True, slots=True)
class Levers:
    """Picodollars of one side."""

    naive: int
    """With none of the levers."""
    saved: dict[str, int]
    """What each took off, in order; they sum to `naive - paid`."""
    paid: int
    dearest: str
    """The model of the first step."""
    attempts: int


def levers(db: sqlite3.Connection, side: Side = "fanout") -> Levers | None:
    """Return what each lever took off the bill of one side, or None where nothing has a price."""
    models = """SELECT a.model, MAX(a.sent) FROM attempts a JOIN ends e ON e.attempt=a.id
      WHERE a.side=? AND e.cost>0 GROUP BY a.model"""
    dearest, most = "", -1
    for model, sent in db.execute(models, (side,)):
        rate = known_rates(model, datetime.fromtimestamp(sent, UTC))
        if rate is not None and rate.output > most:
            dearest, most = model, rate.output
    if not dearest:
        return None
    steps, count = [0] * 5, 0
    for _, group in groupby(map(_Call._make, db.execute(_ATTEMPTS, (side,))), key=itemgetter(0)):
        for costs in _row(list(group), dearest):
            for step, one in enumerate(costs):
                steps[step] += one
            count += 1
    saved = {name: steps[index] - steps[index + 1] for index, name in enumerate(NAMES)}
    return Levers(steps[0], saved, steps[4], dearest, count)


def _row(calls: list[_Call], dearest: str) -> Iterator[tuple[int, int, int, int, int]]:
    """Yield for each call of a row what it costs at every step."""
    chars, tokens = sum(call.chars for call in calls), sum(call.prompt for call in calls)
    everything = sum(call.chars - call.repeated for call in calls)
    for call in calls:
        at, prompt, out, more = datetime.fromtimestamp(call.sent, UTC), call.prompt, call.output, call.searches
        whole = prompt + (max(everything - call.chars, 0) * tokens // max(chars, 1) if call.row else 0)
        try:
            dear, wide, own = rates(dearest, at, whole), rates(call.model, at, whole), rates(call.model, at, prompt)
        except UnknownPriceError:  # it has a price of its own, and no other to be held against
            yield call.paid, call.paid, call.paid, call.paid, call.paid
            continue
        searched = more * WEB_SEARCH_PICO
        cached = call.plain * own.input + call.five * own.write_5m + call.hour * own.write_1h + call.read * own.read
        yield (
            whole * dear.input + out * dear.output + searched, whole * wide.input + out * wide.output + searched,
            prompt * own.input + out * own.output + searched, cached + out * own.output + searched, call.paid,
        )  # fmt: skip


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
