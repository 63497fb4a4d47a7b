"""What each row cost: its own attempts, and its part of what they have written for all."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from .book import Attempt, Book
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
    """Attempts whose price is not known."""

    @property
    def all(self) -> int:
        """With its part of what rows share."""
        return self.own + self.shared


def parts(amount: int, count: int) -> list[int]:
    """Return equal parts that sum to an amount, what cannot be divided one by one to the first."""
    return [amount // count + (place < amount % count) for place in range(count)]


def shared_part(attempt: Attempt) -> int:
    """Return what an attempt has paid for others: what writing took more than reading, of what all rows share.

    One that has read something has found what rows share in the cache: what it writes is its own row's.
    """
    price = price_of(attempt.model, attempt.tokens.prompt)
    if not attempt.usd or price is None or attempt.tokens.read:
        return 0
    minutes, hour = (round(count * attempt.job_share) for count in (attempt.tokens.write_5m, attempt.tokens.write_1h))
    more = minutes * (price.write_5m - price.read) + hour * (price.write_1h - price.read)
    return min(more // (2 if attempt.channel == "batch" else 1), attempt.usd)


def row_costs(book: Book) -> dict[tuple[int, str], RowCost]:
    """Return the costs by row and side."""
    costs: dict[tuple[int, str], RowCost] = defaultdict(RowCost)
    asked: dict[tuple[str, str], set[int]] = defaultdict(set)
    pools: dict[tuple[str, str], int] = defaultdict(int)
    pool_tokens: dict[tuple[str, str], int] = defaultdict(int)
    for attempt in book.counting:
        who = (attempt.arm, attempt.agent)
        if not attempt.asks:
            pools[who] += attempt.usd or 0
            pool_tokens[who] += attempt.total
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
    for who, rows in asked.items():
        divided = (parts(pool[who], len(rows)) for pool in (pools, pool_tokens))
        for row, shared, tokens in zip(sorted(rows), *divided, strict=True):
            costs[row, who[0]].shared += shared
            costs[row, who[0]].warm_tokens += tokens
    return costs
