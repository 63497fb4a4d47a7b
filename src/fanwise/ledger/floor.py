"""The floor: the least that the same tokens could have cost in the channels that were used.

Every piece of a request is taken at the cheaper of plain and written once, read after, whatever the
shortest prefix, the order or the life of an entry; outputs as they were. A run cannot cost less.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from fanwise.errors import UnknownPriceError
from fanwise.journal.records import ArmName
from fanwise.pricing.cost import WEB_SEARCH_PICO, tokens_cost
from fanwise.pricing.rates import rates
from fanwise.pricing.usage import Usage
from fanwise.units import moment

_SHARES = """SELECT model, channel, CAST(sent/3600 AS INT), MAX(prompt), SUM(prompt),
  SUM(1.0*prompt*readable/MAX(chars,1)), SUM(1.0*prompt*reusable/MAX(chars,1)),
  SUM(output), SUM(cost), SUM(web_searches) FROM paid WHERE cost>0 AND arm=? GROUP BY 1, 2, 3, prompt>100000"""


@dataclass(frozen=True, slots=True)
class Floor:
    """Floor of the attempts whose price is known, and what their input has cost, in picodollars."""

    total: int
    input_total: int
    """Of the floor, what is not output."""
    input_paid: int

    def __add__(self, other: Floor) -> Floor:
        return Floor(
            self.total + other.total,
            self.input_total + other.input_total, self.input_paid + other.input_paid,
        )  # fmt: skip


def floor(db: sqlite3.Connection, arm: ArmName) -> Floor:
    """Return the floor of one side of a run, beside what was paid.

    Tokens are allotted to the pieces of a request by their characters.
    """
    whole = Floor(0, 0, 0)
    for model, channel, hour, largest, prompt, readable, reusable, output, paid, searches in db.execute(
        _SHARES, (arm,)
    ):
        try:
            rate = rates(model, moment(hour * 3600), largest)
        except UnknownPriceError:
            continue
        batch = channel == "batch"
        fresh, again = max(int(prompt - readable - reusable), 0), int(readable)
        least = Usage(input=fresh, cache_write_5m=min(int(reusable), int(prompt)), cache_read=again)
        plain = tokens_cost(Usage(input=prompt), rate, batch=batch)
        front = min(tokens_cost(least, rate, batch=batch), plain)
        back = tokens_cost(Usage(output=output), rate, batch=batch) + searches * WEB_SEARCH_PICO
        whole += Floor(front + back, front, paid - back)
    return whole
