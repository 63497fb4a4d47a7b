"""The floor: the least that the same requests could have cost in the channels that were used.

Every block that is sent again within its life is written once, by the request that sent it first and at its price, and
read otherwise, whatever the order of the blocks; no less is read than was really read; all else is plain input, and
outputs are as they were. So it is never above what was paid: see docs/decisions/2026-11-29-floor.md. Attempts whose
cost is not known have no floor; `unpriced` says how many they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from fanwise.errors import UnknownPriceError
from fanwise.journal.reader import Book
from fanwise.journal.records import ArmName
from fanwise.pricing.cost import WEB_SEARCH_PICO, tokens_cost
from fanwise.pricing.rates import Rates, price_steps, rates
from fanwise.pricing.usage import Usage
from fanwise.units import moment

from .lives import BilledRequest, CacheableRequest, lives
from .unpriced import unpriced

_WARM = "SELECT COALESCE(SUM(cost),0) FROM paid WHERE (NOT serves OR taken) AND cost>0 AND arm=?"
_PRICED = "SELECT 1 FROM paid WHERE cost>0 AND arm=? LIMIT 1"
_NOT_NOTED = "SELECT 1 FROM paid WHERE serves AND NOT taken AND cost>0 AND blocks='' AND arm=? LIMIT 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """Floor of the attempts whose price is known, and what their input has cost, in picodollars."""

    total: int
    input_total: int
    """Of the floor, what is not output."""
    input_paid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _TokenPrices:
    """Picodollars of a token."""

    plain: int
    read: int
    write: int
    """For five minutes: the cheapest way to write it."""
    output: int


def floor(db: Book, arm: ArmName) -> Floor | None:
    """Return the floor of one arm of a run, beside what was paid; None where it is not known.

    It is not where it was not noted what was sent, or where no attempt has a known price and some have none. Requests
    that keep a prefix warm are in it as they were paid, as are those of other runs, in whose caches they were read, and
    what has a price of its own and none of its model.
    """
    if db.execute(_NOT_NOTED, (arm,)).fetchone() is not None or _nothing_is_priced(db, arm):
        return None
    warm: int = db.execute(_WARM, (arm,)).fetchone()[0]
    least, input_paid, outputs = warm, warm, 0
    for cacheable in lives(db, arm):
        request = cacheable.request
        cost = request.cost
        if cost is None:
            continue
        try:
            price = _prices(request)
        except UnknownPriceError:
            least, input_paid = least + cost, input_paid + cost
            continue
        output = request.output * price.output + request.web_searches * WEB_SEARCH_PICO
        least += _least_input(cacheable, price)
        input_paid, outputs = input_paid + cost - output, outputs + output
    least = min(least, input_paid)
    return Floor(total=least + outputs, input_total=least, input_paid=input_paid)


def _nothing_is_priced(db: Book, arm: ArmName) -> bool:
    return unpriced(db, arm).attempts > 0 and db.execute(_PRICED, (arm,)).fetchone() is None


def _least_input(cacheable: CacheableRequest, price: _TokenPrices) -> int:
    """Return what the input of a request could have cost, with what its reading takes to be written before."""
    prompt = cacheable.request.prompt
    plain = prompt - cacheable.readable
    left = plain
    for life, tokens in cacheable.begun:  # what was really read here was not written here
        written = min(tokens, left)
        left -= written
        life.write = written * (price.write - price.plain)
    writes = 0
    for life, tokens in cacheable.alive:  # a write that readings do not pay for would not be made
        paid_for = min(life.write, tokens * (price.plain - price.read))
        life.write -= paid_for
        writes += paid_for
    return plain * price.plain + cacheable.readable * price.read + writes


def _prices(request: BilledRequest) -> _TokenPrices:
    """Return what the tokens of a request cost when it was sent, by its length and channel.

    Raises:
        UnknownPriceError: No price is known.
    """
    steps = _steps(request.model, int(request.sent // 3600), request.channel == "batch")
    if len(steps) == 1:  # of most models
        return steps[0][1]
    return next(price for start, price in reversed(steps) if request.prompt > start or not start)


@lru_cache(maxsize=256)
def _steps(model: str, hour: int, batch: bool) -> tuple[tuple[int, _TokenPrices], ...]:
    """Return the prices of a model's tokens in an hour since 1970, each with the prompt size above which it holds."""
    at = moment(hour * 3600)
    return tuple((start, _token_prices(rates(model, at, start + 1), batch)) for start in price_steps(model, at))


def _token_prices(rate: Rates, batch: bool) -> _TokenPrices:
    return _TokenPrices(
        plain=tokens_cost(Usage(input=1), rate, batch=batch),
        read=tokens_cost(Usage(cache_read=1), rate, batch=batch),
        write=tokens_cost(Usage(cache_write_5m=1), rate, batch=batch),
        output=tokens_cost(Usage(output=1), rate, batch=batch),
    )
