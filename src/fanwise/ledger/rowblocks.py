"""Blocks of rows in the cache: which the cache still has, and what calls have paid for writing theirs.

They are written for five minutes. A block is known by its content and by all that stands in front of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from fanwise.canonical import digest
from fanwise.journal.meta import BLOCKS_BEHIND
from fanwise.journal.reader import Book
from fanwise.journal.records import ArmName
from fanwise.journal.tables import select
from fanwise.pricing.cost import writing_cost
from fanwise.pricing.rates import known_rates
from fanwise.pricing.usage import Usage
from fanwise.units import moment

from .lives import SHORT_LIFE_S, blocks_in_common
from .shared import written_for_all

_COLUMNS = """arm, agent, model, channel, sent, blocks, job_share, input, cache_write_5m, cache_write_1h,
  cache_read"""
_USED = f"""SELECT 0 AS row, {_COLUMNS} FROM all_paid
  WHERE sent>? AND status='succeeded' AND blocks LIKE '% % %' AND cache_write_5m+cache_write_1h+cache_read>0"""
_WRITES = f"""SELECT row, {_COLUMNS} FROM task_attempts
  WHERE cost>0 AND row>0 AND why<>'tools' AND blocks LIKE '% % %' AND cache_write_5m>0"""


@dataclass(slots=True, kw_only=True)
class _BlockUse:
    """A request that shows blocks of its row, and has used the cache."""

    row: int
    arm: ArmName
    agent: str
    model: str
    channel: str
    sent: float
    blocks: str
    """What `context.cacheable.blocks_text` has noted."""
    job_share: float
    usage: Usage


class RowBlockWrite(NamedTuple):
    """What a call has written of its row."""

    row: int
    arm: ArmName
    agent: str
    model: str
    keys: Sequence[str]
    """Of the row's blocks that it wrote, from the front; who has the last has all of them."""
    tokens: int
    extra: int
    """What the writing costs over a reading, in picodollars."""

    def is_alive(self, alive: Collection[str]) -> bool:
        """Return whether a cache has it that has blocks with these keys."""
        return self.keys[-1] in alive


class _RowChains:
    """The blocks of requests, each by all that stands in front of it."""

    def __init__(self, db: Book) -> None:
        self._shared, self._behind = blocks_in_common(db), BLOCKS_BEHIND.of(db)

    def keys(self, use: _BlockUse) -> list[str]:
        """Return the keys of a request's blocks of the row that are read or written when it is answered."""
        total, key, *own = use.blocks.split(" ")
        shared = self._shared.get(key, [])
        before = shared[: len(shared) - self._behind.get(key, 0)]
        blocks = [*before, *((sha, int(chars)) for sha, _, chars in (text.partition(":") for text in own))]
        prompt, chars = use.usage.prompt, max(int(total), 1)
        ends = [end * prompt / chars for end in accumulate((size for _, size in blocks), initial=0)]
        reach = prompt - use.usage.input
        place = min(range(len(ends)), key=lambda place: abs(ends[place] - reach))
        shas = [use.model, *(sha for sha, _ in blocks)]
        return [digest(" ".join(shas[: end + 1])) for end in range(len(before) + 1, place + 1)]


def alive_row_blocks(db: Book, at: float) -> frozenset[str]:
    """Return the keys of the rows' blocks that the cache still has at a moment, in seconds since 1970."""
    chains = _RowChains(db)
    return frozenset(key for use in select(db, _BlockUse, _USED, (at - SHORT_LIFE_S,)) for key in chains.keys(use))


def row_block_writes(db: Book) -> Iterator[RowBlockWrite]:
    """Yield what calls have written of the blocks of their rows, at a known price."""
    chains = _RowChains(db)
    for use in select(db, _BlockUse, _WRITES):
        rate = known_rates(use.model, moment(use.sent), use.usage.prompt)
        tokens = use.usage.cache_write_5m - written_for_all(use.usage, use.job_share)[0]
        keys = chains.keys(use)
        if rate is not None and tokens and keys:
            extra = writing_cost(0, tokens, rate, batch=use.channel == "batch")
            yield RowBlockWrite(
                row=use.row, arm=use.arm, agent=use.agent, model=use.model, keys=keys, tokens=tokens, extra=extra
            )
