"""What each row cost: its own attempts, and its part of what they have written for all."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

from .attempt import Attempt
from .book import Book
from .prices import Tokens, price_of


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


def split(attempt: Attempt) -> list[Attempt]:
    """Return an attempt as each of its tasks has it: with its part of each kind of tokens, and of the price."""
    count = len(attempt.asks)
    if count < 2:
        return [attempt]
    kinds = zip(*(parts(kind, count) for kind in attempt.tokens), strict=True)
    prices = [None] * count if attempt.usd is None else parts(attempt.usd, count)
    return [
        replace(attempt, asks=(ask,), tokens=Tokens(*tokens), usd=usd)
        for ask, tokens, usd in zip(attempt.asks, kinds, prices, strict=True)
    ]


def shared_part(attempt: Attempt, prompt: int | None = None) -> int:
    """Return what an attempt has paid for others: what writing took more than reading, of what all rows share.

    What rows share stands in front and alone is written for an hour; what was read of it was not written.

    Args:
        attempt: The attempt, or what a task has of it.
        prompt: Input tokens of the whole of it; None: it is the whole.
    """
    tokens = attempt.tokens
    price = price_of(attempt.model, tokens.prompt if prompt is None else prompt)
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
        for part in split(attempt):
            shared, paid = shared_part(part, attempt.tokens.prompt), part.usd or 0
            pools[who] += shared
            row = costs[part.asks[0].row, attempt.arm]
            row.own, row.paid, row.tokens = row.own + paid - shared, row.paid + paid, row.tokens + part.total
            row.unknown += attempt.usd is None
    for who in pools:
        rows = sorted(asked[who]) or [0]
        divided = (parts(pool[who], len(rows)) for pool in (pools, pool_tokens))
        for row, shared, tokens in zip(rows, *divided, strict=True):
            costs[row, who[0]].shared += shared
            costs[row, who[0]].warm_tokens += tokens
            costs[row, who[0]].unknown += pool_unknown[who]
    return {key: cost for key, cost in costs.items() if key[0] or cost.all or cost.warm_tokens or cost.unknown}
