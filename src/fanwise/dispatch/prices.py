"""What the next request is expected to cost in each channel; `job.alone_price` has the average of a job. Pure."""

from __future__ import annotations

from datetime import datetime

from fanwise.context.request import Request
from fanwise.errors import UnknownPriceError
from fanwise.journal.records import Channel
from fanwise.models import facts
from fanwise.pricing.cost import cost
from fanwise.pricing.rates import rates
from fanwise.pricing.usage import Usage


def prices(
    request: Request, at: datetime, *, output: int, hit_rate: float = 0.0, row_uses: float = 1
) -> dict[Channel, int] | None:
    """Return what a request is expected to cost in each channel, in picodollars; None where that is not known.

    Live, the prefix that all rows share is read from the cache, marked blocks of the row are written by one of
    the calls that show them and read by the rest, and the reply costs full price. In a batch everything costs
    half, and the shared prefix is read as often as `hit_rate` says, or not marked at all where that is cheaper;
    blocks of the row never are.

    Args:
        request: What is sent.
        at: When.
        output: Tokens of its reply.
        hit_rate: Share of reads that a batch is expected to have.
        row_uses: Calls that show the same blocks of the row, of this row and of others.
    """
    minimum = facts(request.model).cache_minimum
    total = round(request.chars() / request.frame.per_token)
    cached = [prefix for prefix in request.prefixes() if prefix.tokens >= minimum]
    shared = max((prefix.tokens for prefix in cached if prefix.job), default=0)
    of_rows = max((prefix.tokens for prefix in cached), default=0) - shared if row_uses > 1 else 0
    first = round(of_rows / row_uses)
    try:
        rate = rates(request.model, at, total)
        marked = hit_rate * rate.read + (1 - hit_rate) * rate.write_5m < rate.input
        read = round(shared * hit_rate) if marked else 0
        written = shared - read if marked else 0
        warm = Usage(
            input=total - shared - of_rows, cache_write_5m=first, cache_read=shared + of_rows - first, output=output
        )  # fmt: skip
        live = cost(warm, request.model, at)
        half = Usage(input=total - read - written, cache_write_5m=written, cache_read=read, output=output)
        return {"live": live, "batch": cost(half, request.model, at, batch=True)}
    except (UnknownPriceError, ValueError):
        return None


def cheaper(request: Request, at: datetime, *, output: int, hit_rate: float = 0.0, row_uses: float = 1) -> Channel:
    """Return the channel in which a request is expected to cost less, as `prices`; batch where no price is known."""
    price = prices(request, at, output=output, hit_rate=hit_rate, row_uses=row_uses)
    return "live" if price is not None and price["live"] < price["batch"] else "batch"
