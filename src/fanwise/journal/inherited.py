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
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from fanwise.errors import UnknownPriceError
from fanwise.pricing.cost import cost, writing_cost
from fanwise.pricing.rates import rates
from fanwise.pricing.usage import Usage
from fanwise.units import moment

from .meta import BLOCKS, BLOCKS_BEHIND
from .pilots import AgentOfArm
from .records import ArmName, Channel
from .sentblocks import SentBlock, WriteLeft, writes_left
from .tables import select
from .views import CountedAs

_IS_ANY = """SELECT 1 FROM all_paid w WHERE (SELECT COUNT(*) FROM sessions)>1 AND w.cost>0
  AND w.cache_write_5m+w.cache_write_1h>0 AND NOT EXISTS(SELECT 1 FROM main.paid p WHERE p.attempt=w.attempt) LIMIT 1"""
"""Whether anything was written by a request that counts no more."""
_USES = """SELECT p.attempt, p.arm, p.agent, p.model, p.channel, p.why, p.sent, p.prefix, p.blocks,
    COALESCE(p.cost,0) AS cost, EXISTS(SELECT 1 FROM main.paid c WHERE c.attempt=p.attempt) AS counts, p.input,
    p.cache_write_5m, p.cache_write_1h, p.cache_read, p.output, p.thinking, p.web_searches
  FROM all_paid p WHERE p.cache_write_5m+p.cache_write_1h+p.cache_read>0 ORDER BY p.attempt"""


@dataclass(slots=True, kw_only=True)
class _CacheUse:
    """A request that has used the cache."""

    attempt: int
    arm: ArmName
    agent: str
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


class TakenOver(NamedTuple):
    """A write that was taken over."""

    writer: int
    """The attempt that made it, and counts no more."""
    cost: int
    """Picodollars that the attempt which has taken it over counts for beyond what it has paid."""


class Inheritance:
    """Which requests take over which writes."""

    def __init__(self, db: sqlite3.Connection, apart: Collection[int], usual: Mapping[AgentOfArm, Channel]) -> None:
        """Look through the requests of a journal.

        Args:
            db: The journal.
            apart: Attempts that count as others than they were for another reason: what they wrote is cash of theirs.
            usual: How the calls of an agent travel, but for its pilots: what such a one wrote in another channel is
                cash in a fresh run too.
        """
        self.heirs: list[CountedAs] = []
        self.taken_over: list[TakenOver] = []
        if db.execute(_IS_ANY).fetchone() is None:
            return
        self._shared, self._behind = BLOCKS.of(db), BLOCKS_BEHIND.of(db)
        self._fronts: dict[str, SentBlock] = {}
        """By model where the blocks of its requests begin."""
        self._of_prefixes: dict[str, str] = {}
        """By prefix the key of the shared blocks of its requests: what keeps it warm notes none."""
        for use in select(db, _CacheUse, _USES):
            is_pilot = use.why == "pilot" and usual.get((use.arm, use.agent), use.channel) != use.channel
            self._meet(use, is_apart=use.attempt in apart or (is_pilot and not use.counts))

    def _meet(self, use: _CacheUse, *, is_apart: bool) -> None:
        """Let a request take over what it reads, if it counts, and leave what it has written, if it does not."""
        chain, ends, known = self._chain(use)
        read, usage = _blocks_read(use, chain, ends, known), use.usage
        for tokens in (usage.cache_read, usage.prompt - usage.input):
            place = _nearest(ends, tokens, len(chain))
            if place:
                chain[place - 1].measure(tokens)
        if use.counts and not is_apart:
            self._inherit(use, chain[:read], ends)
        written = None if use.counts or is_apart else _left(use, read, len(chain))
        for block in chain[read:] if usage.cache_write_5m + usage.cache_write_1h else ():
            block.write(written)
        for block in chain if use.counts else ():
            block.show()

    def _chain(self, use: _CacheUse) -> tuple[list[SentBlock], list[float], int]:
        """Return the blocks of a request from the front on, where they end, and how many of them were sent before.

        They begin at 0 and end at so many tokens as of the prompt's characters.
        """
        total, key, *own = use.blocks.split(" ") if use.blocks else ("0", self._of_prefixes.get(use.prefix, ""))
        if use.prefix:
            self._of_prefixes[use.prefix] = key
        shared, behind = self._shared.get(key, []), self._behind.get(key, 0)
        of_row = [(sha, int(chars)) for sha, _, chars in (text.partition(":") for text in own)]
        before = len(shared) - behind
        blocks = [*shared[:before], *of_row, *shared[before:]]
        block, chain, known = self._fronts.setdefault(use.model, SentBlock()), list[SentBlock](), 0
        for sha, _ in blocks:
            known += sha in block.behind
            block = block.behind.setdefault(sha, SentBlock())
            chain.append(block)
        chars = int(total) or sum(chars for _, chars in blocks) or 1
        ends = accumulate((chars for _, chars in blocks), initial=0)
        return chain, [end * use.usage.prompt / chars for end in ends], known

    def _inherit(self, use: _CacheUse, chain: Sequence[SentBlock], ends: Sequence[float]) -> None:
        """Let a request that counts take over the writes of the blocks that it is the first to show."""
        at, batch = moment(use.sent), use.channel == "batch"
        shared = list(writes_left(chain, ends))
        try:
            if not shared or cost(use.usage, use.model, at, batch=batch) != use.cost:
                return
            rate = rates(use.model, at, use.usage.prompt)
        except UnknownPriceError:
            return
        usage = use.usage
        for write, most in shared:
            hour, five, extra = write.take(min(most, usage.cache_read), rate, batch=batch)
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


def _blocks_read(use: _CacheUse, chain: Sequence[SentBlock], ends: Sequence[float], known: int) -> int:
    """Return how many of a request's blocks were read, from the front; of those `known` that were sent before."""
    tokens = use.usage.cache_read
    if not tokens:
        return 0
    exact = (place for place, block in enumerate(chain[:known], 1) if block.end == tokens)
    return next(exact, None) or _nearest(ends, tokens, known)


def _nearest(ends: Sequence[float], tokens: int, most: int) -> int:
    """Return behind how many blocks, up to so many, a reading or writing of so many tokens ends."""
    return min(range(most + 1), key=lambda place: abs(ends[place] - tokens))


def _left(use: _CacheUse, begins: int, ends: int) -> WriteLeft | None:
    """Return what a request leaves that counts no more; None where it has paid for no write."""
    hour, five, batch = use.usage.cache_write_1h, use.usage.cache_write_5m, use.channel == "batch"
    try:
        extra = writing_cost(hour, five, rates(use.model, moment(use.sent), use.usage.prompt), batch=batch)
    except UnknownPriceError:
        return None
    paid = min(extra, use.cost)
    return WriteLeft(attempt=use.attempt, hour=hour, five=five, paid=paid, begins=begins, ends=ends) if paid else None
