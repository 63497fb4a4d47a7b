"""What a request is expected to cost in each channel. Pure."""

from __future__ import annotations

from datetime import datetime

from fanwise.context.request import Request
from fanwise.errors import UnknownPriceError
from fanwise.journal.records import Channel
from fanwise.models import facts
from fanwise.pricing.cost import cost
from fanwise.pricing.rates import rates
from fanwise.pricing.usage import Usage


def prices(request: Request, at: datetime, *, output: int, hit_rate: float = 0.0) -> dict[Channel, int] | None:
    """Return what a request is expected to cost in each channel, in picodollars; None where that is not known.

    Live, the prefix that all rows share is read from the cache, the prefix of a row is written
    once and the reply costs full price. In a batch everything costs half, and the shared prefix is
    read as often as `hit_rate` says, or not marked at all where that is cheaper.
    """
    minimum = facts(request.model).cache_minimum
    total = round(request.chars() / request.frame.per_token)
    shared = max((prefix.tokens for prefix in request.prefixes() if prefix.job and prefix.tokens >= minimum), default=0)
    try:
        rate = rates(request.model, at, total)
        marked = hit_rate * rate.read + (1 - hit_rate) * rate.write_5m < rate.input
        read = round(shared * hit_rate) if marked else 0
        written = shared - read if marked else 0
        live = cost(Usage(input=total - shared, cache_read=shared, output=output), request.model, at)
        half = Usage(input=total - read - written, cache_write_5m=written, cache_read=read, output=output)
        return {"live": live, "batch": cost(half, request.model, at, batch=True)}
    except (UnknownPriceError, ValueError):
        return None


def cheaper(request: Request, at: datetime, *, output: int, hit_rate: float = 0.0) -> Channel:
    """Return the channel in which a request is expected to cost less; batch where no price is known."""
    price = prices(request, at, output=output, hit_rate=hit_rate)
    return "live" if price is not None and price["live"] < price["batch"] else "batch"
