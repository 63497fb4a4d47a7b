"""What is sent more than once in a row: per request, how much of it the row has sent before.

What another task of the row was shown already is what a fan-out multiplies. What a cache could have read is
another question, see `cacheable`.
"""

from __future__ import annotations

from array import array
from typing import NamedTuple


class Piece(NamedTuple):
    """A part of a request that may be sent again: a block, instructions, a schema, a value."""

    key: int
    """Hash of its content, within the process."""
    chars: int


class Repeated(NamedTuple):
    """A request in characters."""

    chars: int = 0
    """All pieces."""
    repeated: int = 0
    """Pieces that the same row has sent before, in whatever request and to whatever model."""


class _Common(NamedTuple):
    """What rows have in common, none of it twice."""

    common: tuple[Piece, ...]
    """Kept, so that its identity stays its own."""
    chars: int
    keys: array[int]
    """The keys of the pieces."""


class Repeats:
    """Remembers what was sent in one session for each row, until it ends."""

    def __init__(self) -> None:
        self._rows: dict[tuple[int, str], array[int]] = {}
        """What each row has sent on an arm, by hash."""
        self._commons: dict[int, _Common] = {}
        """By identity."""

    def count(self, row: int, arm: str, common: tuple[Piece, ...], own: tuple[Piece, ...] = ()) -> Repeated:
        """Take note of a request; returns how much of it was sent before.

        Args:
            row: Number of the row.
            arm: Which graph carries it out: two arms share nothing.
            common: What rows have in common: the same object for all requests of a node.
            own: What is the row's.
        """
        at, whole = (row, arm), self._commons.get(id(common))
        if whole is not None and at not in self._rows and len(own) == 1 and own[0].key not in whole.keys:
            sent = self._rows[at] = whole.keys[:]  # by far the most: the first request of a row
            sent.append(own[0].key)
            return Repeated(chars=whole.chars + own[0].chars)
        return self._count(at, common, own)

    def _count(self, at: tuple[int, str], common: tuple[Piece, ...], own: tuple[Piece, ...]) -> Repeated:
        chars = repeated = 0
        sent = self._rows.get(at)
        if sent is None:  # an array: a row has few pieces, and there are many rows
            sent = self._rows[at] = array("q")
        for piece in (*common, *own):
            chars += piece.chars
            if piece.key in sent:
                repeated += piece.chars
            else:
                sent.append(piece.key)
        if id(common) not in self._commons:
            keys = {piece.key for piece in common}
            if len(keys) == len(common):
                total = sum(piece.chars for piece in common)
                self._commons[id(common)] = _Common(common, total, array("q", keys))
        return Repeated(chars=chars, repeated=repeated)

    def forget(self, row: int, arm: str) -> None:
        """Drop what is known of a row that has ended."""
        self._rows.pop((row, arm), None)
