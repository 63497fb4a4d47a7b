"""Lives of blocks: which of a request's blocks were sent before, and so long ago that a cache could still have them.

A block lives from a billed request that shows it for an hour, the longest that the API keeps an entry, and anew from
each further one: reads renew ("Prompt caching", read 2026-11-23). Which arm and which model it was sent to divides
lives; channel, row and place in the request do not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from fanwise.journal.meta import BLOCKS
from fanwise.journal.reader import Book
from fanwise.journal.records import ArmName, Channel
from fanwise.journal.tables import select
from fanwise.models import facts
from fanwise.quick import maker

LIFE_S, SHORT_LIFE_S = 3600.0, 300.0
_SENT = """SELECT arm, agent, model, channel, sent, blocks, prompt, cache_read AS read, output, web_searches, cost
  FROM paid WHERE status='succeeded' AND serves AND NOT taken AND cost IS NOT 0 AND arm=? ORDER BY attempt"""

_USES = """SELECT prefix, sent, cache_write_5m, cache_write_1h FROM all_paid
  WHERE prefix<>'' AND status='succeeded' AND cache_write_5m+cache_write_1h+cache_read>0 AND sent>? ORDER BY attempt"""


@dataclass(slots=True, kw_only=True)
class BilledRequest:
    """A request that was answered, and not for nothing."""

    arm: ArmName
    agent: str
    model: str
    channel: Channel
    sent: float
    """In seconds since 1970."""
    blocks: str
    """What `context.cacheable.blocks_text` has noted."""
    prompt: int
    """All input tokens."""
    read: int
    """Of these, what was really read."""
    output: int
    web_searches: int
    cost: int | None
    """Picodollars; None where no price is known."""


@dataclass(slots=True)
class BlockLife:
    """One life of a block."""

    last: float
    """When it was sent last, in seconds since 1970."""
    write: int = 0
    """Picodollars that writing it takes more than sending it, as far as no reading has paid for them yet."""


class CacheableRequest(NamedTuple):
    """A request with what a cache could hold of it."""

    request: BilledRequest
    alive: Sequence[tuple[BlockLife, int]]
    """Blocks that were sent before, each with its tokens; none where together they are too short for the model."""
    begun: Sequence[tuple[BlockLife, int]]
    """Blocks whose life begins here."""
    readable: int
    """Tokens that could be read: all of the first, and no less than was really read."""


_new_cacheable = maker(CacheableRequest)


def alive_prefixes(db: Book, at: float) -> frozenset[str]:
    """Return the keys of the prefixes that the cache still has, by when the journal says they were used last.

    A read renews the life that the last write has chosen: five minutes, where that is more than an hour ago.

    Args:
        db: The journal.
        at: When, in seconds since 1970.
    """
    ends: dict[str, float] = {}
    last_lives: dict[str, float] = {}
    for key, sent, five, hour in db.execute(_USES, (at - LIFE_S,)):
        if five or hour:
            last_lives[key] = LIFE_S if hour else SHORT_LIFE_S
        ends[key] = sent + last_lives.get(key, SHORT_LIFE_S)
    return frozenset(key for key, end in ends.items() if end > at)


def blocks_in_common(db: Book) -> dict[str, list[tuple[str, int]]]:
    """Return by key the blocks that the requests of a node have in common: of each its hash and characters."""
    return BLOCKS.of(db)


def lives(db: Book, arm: ArmName) -> Iterator[CacheableRequest]:
    """Yield the answered requests of an arm, in the order in which they were sent.

    A block has so many of the input tokens as of the characters, rounded down.
    """
    shared = {key: {int(sha, 16): chars for sha, chars in blocks} for key, blocks in blocks_in_common(db).items()}
    alive_by_model: dict[str, _AliveBlocks] = {}
    for request in select(db, BilledRequest, _SENT, (arm,)):
        alive = alive_by_model.get(request.model)
        if alive is None:
            alive = alive_by_model[request.model] = _AliveBlocks(facts(request.model).cache_minimum)
        all_chars, sizes = _sizes(request.blocks, shared)
        yield alive.meet(request, all_chars, sizes)


def _sizes(blocks: str, shared: Mapping[str, Mapping[int, int]]) -> tuple[int, Mapping[int, int]]:
    """Return the characters of a request, and of its blocks by the hash of their content; one shown twice counts once.

    Args:
        blocks: What was noted of the request.
        shared: The blocks that requests have in common, by their key.
    """
    if not blocks:
        return 1, {}
    total, key, *own = blocks.split(" ")
    sizes = shared.get(key, {})
    if own:  # of few requests
        sizes = dict(sizes)
        for text in own:
            sha, _, chars = text.partition(":")
            sizes[int(sha, 16)] = int(chars)
    return max(int(total), 1), sizes


class _AliveBlocks:
    """The lives of the blocks that one model was sent."""

    def __init__(self, minimum: int) -> None:
        """Begin with none.

        Args:
            minimum: The model's shortest cached prefix, in tokens.
        """
        self._minimum = minimum
        self._lives: dict[int, BlockLife] = {}
        """By the hash of a block's content."""

    def meet(self, request: BilledRequest, all_chars: int, sizes: Mapping[int, int]) -> CacheableRequest:
        """Return what of a request could be read, and begin or renew the lives of its blocks.

        Args:
            request: The request.
            all_chars: Its characters, one or more.
            sizes: Those of its blocks, by the hash of their content.
        """
        minimum, sent, prompt, read, readable = self._minimum, request.sent, request.prompt, request.read, 0
        alive: list[tuple[BlockLife, int]] = []
        begun: list[tuple[BlockLife, int]] = []
        for sha, chars in sizes.items():
            tokens = prompt * chars // all_chars
            life = self._lives.get(sha)
            if life is not None and sent - life.last <= LIFE_S:
                alive.append((life, tokens))
                readable += tokens
            elif prompt >= minimum:
                life = self._lives[sha] = BlockLife(sent)
                begun.append((life, tokens))
        if readable < minimum and not read:
            alive, readable = [], 0
        for life, _ in alive:
            life.last = sent
        readable = min(max(readable, read), prompt)
        return _new_cacheable(request=request, alive=alive, begun=begun, readable=readable)
