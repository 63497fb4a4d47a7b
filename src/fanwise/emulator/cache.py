"""The prompt cache: entries with a life, and how a request's input is billed by them.

Rules ("Prompt caching", read 2026-11-23): entries are written only at breakpoints; from each
breakpoint, last first, up to 20 positions back are looked up, itself included; a prefix under the
model's minimum is neither written nor read. With A the tokens at the hit, B those at the last
1-hour breakpoint behind it and C those at the last breakpoint: read A, 1h write B-A, 5m write C-B,
the rest is plain input.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from .charges import Tokens
from .positions import Position
from .store import Store
from .tables import Model

LOOK_BACK = 20
TTL_S = {"5m": 300.0, "1h": 3600.0}


class Account(NamedTuple):
    """How the input of one request is billed, and which entries it touches."""

    tokens: Tokens
    """Output is 0: there is no answer yet."""
    marked: int = 0
    """Tokens up to the last breakpoint that counts."""
    writes: tuple[tuple[str, str], ...] = ()
    """Entries to write when the response begins: key and TTL."""
    refreshes: tuple[str, ...] = ()
    """Entries that were read."""


def account(found: Sequence[Position], model: Model, alive: Callable[[str], bool]) -> Account:
    """Return how the input is billed.

    Args:
        found: The request's positions.
        model: Its model.
        alive: Tells whether a key has an entry that can be read now.
    """
    total = found[-1].tokens if found else 0
    marks = [index for index, one in enumerate(found) if one.ttl and one.tokens >= model.minimum]
    hit = next((back for mark in reversed(marks) for back in _back(found, mark) if alive(found[back].key)), None)
    read = found[hit].tokens if hit is not None else 0
    behind = [index for index in marks if hit is None or index > hit]
    hour = max((found[index].tokens for index in behind if found[index].ttl == "1h"), default=read)
    last = max((found[index].tokens for index in behind), default=read)
    touched = [found[index].key for index in marks if hit is not None and index <= hit and alive(found[index].key)]
    if hit is not None and found[hit].key not in touched:
        touched.append(found[hit].key)
    tokens = Tokens(total - last, last - hour, hour - read, read)
    writes = tuple((found[index].key, found[index].ttl or "5m") for index in behind)
    return Account(tokens, last, writes, tuple(touched))


def _back(found: Sequence[Position], mark: int) -> range:
    """Return the positions that are looked up from a breakpoint, itself first."""
    first = mark
    while first > 0 and found[mark].number - found[first - 1].number < LOOK_BACK:
        first -= 1
    return range(mark, first - 1, -1)


class Cache:
    """The entries of all workspaces."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.lag_s = 0.0
        """Seconds until a new entry can be read (observed in the field; 0 by default)."""

    def alive(self, key: str, now: float) -> bool:
        """Return whether an entry can be read now."""
        entry = self.store.entry(key)
        return entry is not None and entry.readable <= now < entry.expires

    def publish(self, one: Account, started: float, now: float) -> None:
        """Make a request's entries readable: its response has begun.

        Lives count from the start of the request that wrote or read, and a read renews them.
        """
        for key, ttl in one.writes:
            self.store.write_entry(key, ttl, started + TTL_S[ttl], now + self.lag_s)
        for key in one.refreshes:
            entry = self.store.entry(key)
            if entry is not None:
                self.store.write_entry(key, entry.ttl, started + TTL_S[entry.ttl], entry.readable)
