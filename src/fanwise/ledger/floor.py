"""The floor: the least that the same tokens could have cost in the channels that were used.

Every piece of a request is taken at the cheaper of plain and written once, read after, whatever the
shortest prefix, the order or the life of an entry; outputs as they were. A run cannot cost less.
"""

from __future__ import annotations

from dataclasses import dataclass

from fanwise.errors import UnknownPriceError
from fanwise.journal.reader import Book
from fanwise.journal.records import ArmName, Channel
from fanwise.journal.tables import select
from fanwise.pricing.cost import WEB_SEARCH_PICO, tokens_cost
from fanwise.pricing.rates import rates
from fanwise.pricing.usage import Usage
from fanwise.units import moment

_GROUPS = """SELECT model, channel, CAST(sent/3600 AS INT) AS hour, MAX(prompt) AS most_prompt, SUM(prompt) AS prompt,
  SUM(1.0*prompt*readable/MAX(chars,1)) AS readable, SUM(1.0*prompt*reusable/MAX(chars,1)) AS reusable,
  SUM(output) AS output, SUM(cost) AS cost, SUM(web_searches) AS web_searches
  FROM paid WHERE cost>0 AND arm=? GROUP BY 1, 2, 3, prompt>100000"""


@dataclass(slots=True, kw_only=True)
class _FloorGroup:
    """Attempts that have one price."""

    model: str
    channel: Channel
    hour: int
    """Since 1970."""
    most_prompt: int
    """Input tokens of the longest of them."""
    prompt: int
    readable: float
    """Of these tokens, what the run had sent to the model before, by characters."""
    reusable: float
    """Of these tokens, what was sent to it for the second time."""
    output: int
    cost: int
    web_searches: int


@dataclass(frozen=True, slots=True)
class Floor:
    """Floor of the attempts whose price is known, and what their input has cost, in picodollars."""

    total: int
    input_total: int
    """Of the floor, what is not output."""
    input_paid: int

    def __add__(self, more: Floor) -> Floor:
        return Floor(
            self.total + more.total,
            self.input_total + more.input_total, self.input_paid + more.input_paid,
        )  # fmt: skip


def floor(db: Book, arm: ArmName) -> Floor:
    """Return the floor of one arm of a run, beside what was paid.

    Tokens are allotted to the pieces of a request by their characters.
    """
    total = Floor(0, 0, 0)
    for group in select(db, _FloorGroup, _GROUPS, (arm,)):
        try:
            total += _least(group)
        except UnknownPriceError:
            continue
    return total


def _least(group: _FloorGroup) -> Floor:
    """Return the floor of attempts that have one price.

    Raises:
        UnknownPriceError: It is not known.
    """
    rate, batch = rates(group.model, moment(group.hour * 3600), group.most_prompt), group.channel == "batch"
    fresh = max(int(group.prompt - group.readable - group.reusable), 0)
    written = min(int(group.reusable), int(group.prompt))
    least = Usage(input=fresh, cache_write_5m=written, cache_read=int(group.readable))
    plain = tokens_cost(Usage(input=group.prompt), rate, batch=batch)
    front = min(tokens_cost(least, rate, batch=batch), plain)
    back = tokens_cost(Usage(output=group.output), rate, batch=batch) + group.web_searches * WEB_SEARCH_PICO
    return Floor(front + back, front, group.cost - back)
