"""What each row cost: its own attempts, and its part of what they have written for all."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from .attempt import Attempt
from .book import Book
from .prices import price_of


@dataclass(kw_only=True)
class RowCost:
    """Of one row on one side: picodollars and tokens."""

    own: int = 0
    shared: int = 0
    warm_tokens: int = 0
    """Its part of those that kept prefixes from expiring."""
    paid: int = 0
    """Of its attempts as they were paid, whoever else their writing served."""
    tokens: int = 0
    unknown: int = 0
    """Attempts whose price is not known, those among them that kept its prefixes from expiring."""

    @property
    def all(self) -> int:
        """With its part of what rows share."""
        return self.own + self.shared


Shared = tuple[str, str, str]
"""Side, agent and prefix: what rows share."""


def parts(amount: int, count: int) -> list[int]:
    """Return equal parts that sum to an amount, what cannot be divided one by one to the first."""
    return [amount // count + (place < amount % count) for place in range(count)]


def shared_part(attempt: Attempt) -> int:
    """Return what an attempt has paid for others: what writing took more than reading, of what all rows share.

    What rows share stands in front and alone is written for an hour; what was read of it was not written.
    """
    price, tokens = price_of(attempt.model, attempt.tokens.prompt), attempt.tokens
    if not attempt.usd or price is None or not attempt.job_share:
        return 0
    hour = tokens.write_1h
    more = front_written(attempt) * (price.write_5m - price.read) + hour * (price.write_1h - price.read)
    return min(more // (2 if attempt.channel == "batch" else 1), attempt.usd)


def front_written(attempt: Attempt) -> int:
    """Return the tokens of what all rows share that an attempt has written for five minutes."""
    tokens = attempt.tokens
    if tokens.write_1h:
        return 0
    front = round(attempt.job_share * (tokens.read + tokens.write_5m))
    return min(max(front - tokens.read, 0), tokens.write_5m)


def row_costs(book: Book) -> dict[tuple[int, str], RowCost]:
    """Return the costs by row and side."""
    costs: dict[tuple[int, str], RowCost] = defaultdict(RowCost)
    asked: dict[Shared, set[int]] = defaultdict(set)
    pools: dict[Shared, int] = defaultdict(int)
    pool_tokens: dict[Shared, int] = defaultdict(int)
    pool_unknown: dict[Shared, int] = defaultdict(int)
    for attempt in book.counting:
        who = (attempt.arm, attempt.agent, attempt.prefix)
        if not attempt.asks:
            pools[who] += attempt.usd or 0
            pool_tokens[who] += attempt.total
            pool_unknown[who] += attempt.usd is None
            continue
        asked[who] |= {ask.row for ask in attempt.asks}
        shared = shared_part(attempt)
        pools[who] += shared
        count = len(attempt.asks)
        shares = [parts(amount, count) for amount in ((attempt.usd or 0) - shared, attempt.usd or 0, attempt.total)]
        for ask, own, paid, tokens in zip(attempt.asks, *shares, strict=True):
            row = costs[ask.row, attempt.arm]
            row.own, row.paid, row.tokens = row.own + own, row.paid + paid, row.tokens + tokens
            row.unknown += attempt.usd is None
    for who in pools:
        rows = sorted(asked[who]) or [0]
        divided = (parts(pool[who], len(rows)) for pool in (pools, pool_tokens))
        for row, shared, tokens in zip(rows, *divided, strict=True):
            costs[row, who[0]].shared += shared
            costs[row, who[0]].warm_tokens += tokens
            costs[row, who[0]].unknown += pool_unknown[who]
    return {key: cost for key, cost in costs.items() if key[0] or cost.all or cost.warm_tokens or cost.unknown}
