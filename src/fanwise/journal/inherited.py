"""Writes to the cache that rows still read, though what made them counts no more: another request takes them over.

An edit replaces the answer that wrote what rows share, or its row leaves the file; the requests that count go on
reading what it wrote, as long as the cache has it. Then nobody in the account would have written it, and a fan-out that
was edited would look cheaper than the same one from the start. So the first request that counts and reads it counts as
if it had written it, as it would have in a fresh run, and what has really written it has so much less in the cash
(docs/decisions/2026-11-30-inherited-writes.md).

Nothing of this is kept: it is computed for a connection when a journal is opened for its account.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import NamedTuple

from fanwise.errors import UnknownPriceError
from fanwise.pricing.cost import cost, tokens_cost
from fanwise.pricing.rates import Rates, rates
from fanwise.pricing.usage import Usage
from fanwise.units import moment

from .meta import BLOCKS, BLOCKS_BEHIND
from .records import Channel
from .tables import select
from .views import CountedAs

_IS_ANY = """SELECT 1 FROM all_paid w WHERE (SELECT COUNT(*) FROM sessions)>1 AND w.cost>0
  AND w.cache_write_5m+w.cache_write_1h>0 AND NOT EXISTS(SELECT 1 FROM main.paid p WHERE p.attempt=w.attempt) LIMIT 1"""
"""Whether anything was written by a request that counts no more."""
_USES = """SELECT p.attempt, p.model, p.channel, p.why, p.sent, p.prefix, p.blocks, COALESCE(p.cost,0) AS cost,
    EXISTS(SELECT 1 FROM main.paid c WHERE c.attempt=p.attempt) AS counts, p.input, p.cache_write_5m,
    p.cache_write_1h, p.cache_read, p.output, p.thinking, p.web_searches
  FROM all_paid p WHERE p.cache_write_5m+p.cache_write_1h+p.cache_read>0 ORDER BY p.attempt"""


@dataclass(slots=True, kw_only=True)
class _CacheUse:
    """A request that has used the cache."""

    attempt: int
    model: str
    channel: Channel
    why: str
    sent: float
    """In seconds since 1970."""
    prefix: str
    blocks: str
    """What `context.cacheable.blocks_text` has noted."""
    cost: int
    """Picodollars; 0 where none is known."""
    counts: bool
    usage: Usage


@dataclass(slots=True, kw_only=True)
class _WriteLeft:
    """What one request has written that counts no more, as far as no other has taken it over."""

    attempt: int
    hour: int
    """Tokens that were written for an hour."""
    five: int
    """Tokens that were written for five minutes."""
    paid: int
    """Picodollars that the writing took more than a reading."""

    def take(self, read: int, rate: Rates, *, batch: bool) -> tuple[int, int, int]:
        """Let a request take over what it can; returns tokens for an hour, for five minutes, and what that costs it.

        No more than it has read, and no more than was paid for: where writing is more expensive by now, less tokens.
        """
        hour = min(self.hour, read)
        five = min(self.five, read - hour)
        extra = _extra(hour, five, rate, batch=batch)
        if extra > self.paid:
            hour, five = hour * self.paid // extra, five * self.paid // extra
            extra = _extra(hour, five, rate, batch=batch)
        self.hour, self.five, self.paid = self.hour - hour, self.five - five, self.paid - extra
        return hour, five, extra


@dataclass(slots=True)
class _SentBlock:
    """A block behind the blocks in front of it."""

    is_shown: bool = False
    """Whether a request that counts has shown it."""
    left: _WriteLeft | None = None
    """What wrote it last, where that counts no more."""
    behind: dict[str, _SentBlock] = field(default_factory=dict[str, "_SentBlock"])
    """By the hash of their content."""

    def write(self, left: _WriteLeft | None) -> None:
        """Note what has written it; None: a request that counts, or that has paid nothing."""
        self.left = left

    def show(self) -> None:
        """Note that a request that counts has shown it."""
        self.is_shown = True


class TakenOver(NamedTuple):
    """A write that was taken over."""

    writer: int
    """The attempt that made it, and counts no more."""
    cost: int
    """Picodollars that the attempt which has taken it over counts for beyond what it has paid."""


class Inheritance:
    """Which requests take over which writes."""

    def __init__(self, db: sqlite3.Connection, apart: Collection[int]) -> None:
        """Look through the requests of a journal.

        Args:
            db: The journal.
            apart: Attempts that count as others than they were for another reason: they leave nothing and take nothing.
        """
        self.heirs: list[CountedAs] = []
        self.taken_over: list[TakenOver] = []
        if db.execute(_IS_ANY).fetchone() is None:
            return
        self._shared, self._behind = BLOCKS.of(db), BLOCKS_BEHIND.of(db)
        self._fronts: dict[str, _SentBlock] = {}
        """By model where the blocks of its requests begin."""
        self._of_prefixes: dict[str, str] = {}
        """By prefix the key of the shared blocks of its requests: what keeps it warm notes none."""
        for use in select(db, _CacheUse, _USES):
            if use.attempt not in apart and use.why != "pilot":
                self._meet(use)

    def _meet(self, use: _CacheUse) -> None:
        """Let a request take over what it reads, if it counts, and leave what it has written, if it does not."""
        chain, sizes, known = self._chain(use)
        read = _blocks_read(use, sizes, known)
        if use.counts:
            self._inherit(use, chain[:read])
        written = None if use.counts else _left(use)
        for block in chain[read:]:
            block.write(written)
        for block in chain if use.counts else ():
            block.show()

    def _chain(self, use: _CacheUse) -> tuple[list[_SentBlock], list[int], int]:
        """Return the blocks of a request from the front on, their characters, and how many of them were sent before."""
        _, key, *own = use.blocks.split(" ") if use.blocks else ("", self._of_prefixes.get(use.prefix, ""))
        if use.prefix:
            self._of_prefixes[use.prefix] = key
        shared, behind = self._shared.get(key, []), self._behind.get(key, 0)
        of_row = [(sha, int(chars)) for sha, _, chars in (text.partition(":") for text in own)]
        before = len(shared) - behind
        blocks = [*shared[:before], *of_row, *shared[before:]]
        block, chain, known = self._fronts.setdefault(use.model, _SentBlock()), list[_SentBlock](), 0
        for sha, _ in blocks:
            known += sha in block.behind
            block = block.behind.setdefault(sha, _SentBlock())
            chain.append(block)
        return chain, [chars for _, chars in blocks], known

    def _inherit(self, use: _CacheUse, chain: Sequence[_SentBlock]) -> None:
        """Let a request that counts take over the writes of the blocks that it is the first to show."""
        at, batch = moment(use.sent), use.channel == "batch"
        left = {id(block.left): block.left for block in chain if not block.is_shown and block.left is not None}
        try:
            if not left or cost(use.usage, use.model, at, batch=batch) != use.cost:
                return
            rate = rates(use.model, at, use.usage.prompt)
        except UnknownPriceError:
            return
        usage = use.usage
        for write in reversed(left.values()):
            hour, five, extra = write.take(usage.cache_read, rate, batch=batch)
            if not hour + five:
                continue
            usage = usage._replace(
                cache_read=usage.cache_read - hour - five,
                cache_write_1h=usage.cache_write_1h + hour,
                cache_write_5m=usage.cache_write_5m + five,
            )
            self.taken_over.append(TakenOver(write.attempt, extra))
        if usage != use.usage:
            price = cost(usage, use.model, at, batch=batch)
            heir = CountedAs(attempt=use.attempt, channel=use.channel, cost=price, usage=usage)
            self.heirs.append(heir)


def _blocks_read(use: _CacheUse, sizes: Sequence[int], known: int) -> int:
    """Return how many of a request's blocks were read, from the front: a block has its tokens by its characters."""
    usage = use.usage
    if not usage.cache_read:
        return 0
    if not usage.cache_write_5m + usage.cache_write_1h:
        return len(sizes)
    chars = int(use.blocks.partition(" ")[0]) if use.blocks else sum(sizes)
    ends = [end * usage.prompt / max(chars, 1) for end in accumulate(sizes, initial=0)]
    return min(range(known + 1), key=lambda place: abs(ends[place] - usage.cache_read))


def _left(use: _CacheUse) -> _WriteLeft | None:
    """Return what a request leaves that counts no more; None where it has paid for no write."""
    hour, five, batch = use.usage.cache_write_1h, use.usage.cache_write_5m, use.channel == "batch"
    try:
        extra = _extra(hour, five, rates(use.model, moment(use.sent), use.usage.prompt), batch=batch)
    except UnknownPriceError:
        return None
    paid = min(extra, use.cost)
    return _WriteLeft(attempt=use.attempt, hour=hour, five=five, paid=paid) if paid else None


def _extra(hour: int, five: int, rate: Rates, *, batch: bool) -> int:
    """Return what writing tokens costs more than reading them, in picodollars."""
    written = tokens_cost(Usage(cache_write_1h=hour, cache_write_5m=five), rate, batch=batch)
    return written - tokens_cost(Usage(cache_read=hour + five), rate, batch=batch)
