"""Which channel is cheaper for a task, by price: the decision of `--channel auto`."""

from __future__ import annotations

from datetime import datetime

from fanwise.context.request import Request
from fanwise.errors import UnknownPriceError
from fanwise.journal.records import Channel
from fanwise.models import facts
from fanwise.pricing.cost import cost
from fanwise.pricing.usage import Usage


def cheaper(request: Request, at: datetime) -> Channel:
    """Return the channel in which a request of this size is expected to cost less.

    Live, the prefix that all rows share is read from the cache, the prefix of a row is written
    once and the reply costs full price. In a batch everything costs half and nothing is read:
    entries of live calls are not readable there, and a batch does not read what it writes itself
    (observed in the field, see the reference of 2026-11-23). The reply is taken as a quarter of
    `max_tokens`; where no price is known the answer is batch.
    """
    per_token, minimum = facts(request.model).chars_per_token, facts(request.model).cache_minimum
    total = round(request.chars() / per_token)
    shared = max((prefix.tokens for prefix in request.prefixes() if prefix.job and prefix.tokens >= minimum), default=0)
    output = max(request.max_tokens // 4, 1)
    try:
        live = cost(Usage(input=total - shared, cache_read=shared, output=output), request.model, at)
        batch = cost(Usage(input=total, output=output), request.model, at, batch=True)
    except (UnknownPriceError, ValueError):
        return "batch"
    return "live" if live < batch else "batch"
