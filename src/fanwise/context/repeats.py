"""What is sent more than once: per request, how much of it was sent before.

Two questions, two counts. Within a row: what another task of the row was shown already is what a
fan-out multiplies. Within the run, per model: what was sent before could have been read from the
cache, and is what the floor of the bill is made of.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from typing import NamedTuple


class Piece(NamedTuple):
    """A part of a request that may be sent again: a block, instructions, a schema, a value."""

    key: int
    """Hash of its content, within the process."""
    chars: int


class CacheScope(NamedTuple):
    """What can be read again: all agents on one model share it, arms share none."""

    arm: str
    model: str


class Repeated(NamedTuple):
    """A request in characters."""

    chars: int = 0
    """All pieces."""
    repeated: int = 0
    """Pieces that the same row has sent before, in whatever request and to whatever model."""
    readable: int = 0
    """Pieces that the run has sent to this model before: a perfect cache would have read them."""
    reusable: int = 0
    """Pieces that are sent to this model for the second time: the first would have been a write."""


class _Settled(NamedTuple):
    """What rows have in common, of which every piece was sent more than once: nothing changes any more."""

    common: tuple[Piece, ...]
    """Kept, so that its identity stays its own."""
    chars: int
    keys: array[int]
    """The keys of the pieces."""


class Repeats:
    """Remembers what was sent in one session: what rows share for ever, a row's own until it ends."""

    def __init__(self, *, resumed: bool = False) -> None:
        """Begin a session.

        Args:
            resumed: An earlier one has sent requests: what rows share may be in the cache already.
        """
        self._job: dict[CacheScope, dict[int, int]] = {}
        """How often each piece that rows share was sent."""
        self._rows: dict[tuple[int, str], array[int]] = {}
        """What each row has sent, by hash: of all pieces, and of its own pieces also with the model."""
        self._settled: dict[tuple[CacheScope, int], _Settled] = {}
        """What rows have in common and was sent more than once, by cache and identity."""
        self._continued: set[tuple[int, str]] = set()
        self._resumed = resumed

    def resume_row(self, row: int, arm: str) -> None:
        """Take a row of which an earlier session has sent requests: its blocks may be in the cache."""
        self._continued.add((row, arm))

    def count(self, row: int, cache: CacheScope, common: tuple[Piece, ...], own: tuple[Piece, ...] = ()) -> Repeated:
        """Take note of a request; returns how much of it was sent before.

        The two arms of a comparison share nothing.

        Args:
            row: Number of the row.
            cache: Which one it is about: the role's.
            common: What rows have in common: the same object for all requests of a node.
            own: What is the row's.
        """
        at, settled = (row, cache.arm), self._settled.get((cache, id(common)))
        if settled is not None and at not in self._rows and at not in self._continued and len(own) == 1:
            (piece,) = own
            if piece.key not in settled.keys:  # by far the most: the first request of a row
                sent = self._rows[at] = settled.keys[:]
                sent.append(piece.key)
                sent.append(hash((cache.model, piece.key)))
                return Repeated(chars=settled.chars + piece.chars, readable=settled.chars)
        return self._count(at, cache, common, own)

    def _count(
        self, at: tuple[int, str], cache: CacheScope, common: tuple[Piece, ...], own: tuple[Piece, ...]
    ) -> Repeated:
        chars = repeated = readable = reusable = 0
        sent = self._rows.get(at)
        if sent is None:  # an array: a row has few pieces, and there are many rows
            sent = self._rows[at] = array("q")
        job = self._job.setdefault(cache, {})
        before_job = 2 if self._resumed else 0  # as if sent twice, so that the floor is none too high
        before = 2 if at in self._continued else 0
        for index, piece in enumerate((*common, *own)):
            chars += piece.chars
            if piece.key in sent:
                repeated += piece.chars
            else:
                sent.append(piece.key)
            if index < len(common):
                uses = job[piece.key] = job.get(piece.key, before_job) + 1
            else:
                sent.append(hash((cache.model, piece.key)))
                uses = before + sent.count(sent[-1])
            if uses > 1:
                readable += piece.chars
            if uses == 2:
                reusable += piece.chars
        if (cache, id(common)) not in self._settled:
            self._settle(cache, common, job)
        return Repeated(chars=chars, repeated=repeated, readable=readable, reusable=reusable)

    def _settle(self, cache: CacheScope, common: tuple[Piece, ...], job: Mapping[int, int]) -> None:
        """Remember what rows have in common where all of it was sent more than once."""
        keys = {piece.key for piece in common}
        if len(keys) == len(common) and all(job[piece] > 1 for piece in keys):
            self._settled[cache, id(common)] = _Settled(common, sum(piece.chars for piece in common), array("q", keys))

    def forget(self, row: int, arm: str) -> None:
        """Drop what is known of a row that has ended."""
        self._rows.pop((row, arm), None)
        self._continued.discard((row, arm))
