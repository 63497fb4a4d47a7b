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


class InputBilling(NamedTuple):
    """How the input of one request is billed, and which entries it touches."""

    tokens: Tokens
    """Output is 0: there is no answer yet."""
    marked: int = 0
    """Tokens up to the last breakpoint that counts."""
    writes: tuple[tuple[str, str], ...] = ()
    """Entries to write when the response begins: key and TTL."""
    refreshes: tuple[str, ...] = ()
    """Entries that were read."""


def bill_input(positions: Sequence[Position], model: Model, is_alive: Callable[[str], bool]) -> InputBilling:
    """Return how the input is billed.

    Args:
        positions: The request's positions.
        model: Its model.
        is_alive: Tells whether a key has an entry that can be read now.
    """
    marks = _marks(positions, model)
    hit = _longest_hit(positions, marks, is_alive)
    read = positions[hit].tokens if hit >= 0 else 0
    behind = [index for index in marks if index > hit]
    hour = max((positions[index].tokens for index in behind if positions[index].ttl == "1h"), default=read)
    last = max((positions[index].tokens for index in behind), default=read)
    total = positions[-1].tokens if positions else 0
    return InputBilling(
        tokens=Tokens(input=total - last, write_5m=last - hour, write_1h=hour - read, read=read),
        marked=last,
        writes=tuple((positions[index].key, positions[index].ttl or "5m") for index in behind),
        refreshes=_read_keys(positions, marks, hit, is_alive),
    )


def _marks(positions: Sequence[Position], model: Model) -> list[int]:
    """Return the places of the breakpoints that count."""
    return [index for index, position in enumerate(positions) if position.ttl and position.tokens >= model.minimum]


def _longest_hit(positions: Sequence[Position], marks: Sequence[int], is_alive: Callable[[str], bool]) -> int:
    """Return the last position with an entry within reach of a breakpoint, or -1."""
    for mark in reversed(marks):
        for index in _look_back(positions, mark):
            if is_alive(positions[index].key):
                return index
    return -1


def _look_back(positions: Sequence[Position], mark: int) -> range:
    """Return the positions that are looked up from a breakpoint, itself first."""
    first = mark
    while first > 0 and positions[mark].number - positions[first - 1].number < LOOK_BACK:
        first -= 1
    return range(mark, first - 1, -1)


def _read_keys(
    positions: Sequence[Position], marks: Sequence[int], hit: int, is_alive: Callable[[str], bool]
) -> tuple[str, ...]:
    """Return the entries that a hit renews: its own, and those at the breakpoints in front of it."""
    if hit < 0:
        return ()
    keys = [positions[index].key for index in marks if index <= hit and is_alive(positions[index].key)]
    if positions[hit].key not in keys:
        keys.append(positions[hit].key)
    return tuple(keys)


class Cache:
    """The entries of all workspaces."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.lag_s = 0.0
        """Seconds until a new entry can be read (observed in the field; 0 by default)."""

    def is_alive(self, key: str, now: float) -> bool:
        """Return whether an entry can be read now."""
        entry = self.store.cache_entry(key)
        return entry is not None and entry.readable <= now < entry.expires

    def publish(self, billing: InputBilling, started: float, now: float) -> None:
        """Make a request's entries readable: its response has begun.

        Lives count from the start of the request that wrote or read, and a read renews them.
        """
        for key, ttl in billing.writes:
            self.store.write_cache_entry(key, ttl, started + TTL_S[ttl], now + self.lag_s)
        for key in billing.refreshes:
            entry = self.store.cache_entry(key)
            if entry is not None:
                self.store.write_cache_entry(key, entry.ttl, started + TTL_S[entry.ttl], entry.readable)
