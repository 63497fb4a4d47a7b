"""What is sent more than once: per request, how much of it was sent before.

Two questions, two counts. Within a row: what another task of the row was shown already is what a
fan-out multiplies. Within the run, per model: what was sent before could have been read from the
cache, and is what the floor of the bill is made of.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a request that may be sent again: a block, instructions, a schema, a value."""

    key: str
    """Hash of its content."""
    chars: int
    job: bool
    """Whether rows have it in common."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """A request in characters."""

    chars: int = 0
    """All pieces."""
    repeated: int = 0
    """Pieces that the same row has sent before, in whatever request and to whatever model."""
    readable: int = 0
    """Pieces that the run has sent to this model before: a perfect cache would have read them."""
    reusable: int = 0
    """Pieces that are sent to this model for the second time: the first would have been a write."""


class Repeats:
    """Remembers what was sent in one session: what rows share for ever, a row's own until it ends."""

    def __init__(self, *, resumed: bool = False) -> None:
        """Begin a session.

        Args:
            resumed: An earlier one has sent requests: what rows share may be in the cache already.
        """
        self._job: dict[tuple[str, str, str], int] = {}
        self._rows: dict[tuple[int, str], array[int]] = {}
        """What each row has sent, by hash: of all pieces, and of its own pieces also with the model."""
        self._continued: set[tuple[int, str]] = set()
        self._resumed = resumed

    def go_on(self, row: int, side: str) -> None:
        """Take a row of which an earlier session has sent requests: its blocks may be in the cache."""
        self._continued.add((row, side))

    def count(self, row: int, side: str, model: str, pieces: Iterable[Piece]) -> Repeated:
        """Take note of a request; returns how much of it was sent before.

        The two sides of a comparison share nothing.
        """
        chars = repeated = readable = reusable = 0
        mine = self._rows.get((row, side))
        if mine is None:  # an array: a row has few pieces, and there are many rows
            mine = self._rows[row, side] = array("q")
        before_job = 2 if self._resumed else 0  # as if sent twice, so that the floor is none too high
        before = 2 if (row, side) in self._continued else 0
        for piece in pieces:
            chars += piece.chars
            if hash(piece.key) in mine:
                repeated += piece.chars
            else:
                mine.append(hash(piece.key))
            if piece.job:
                uses = self._job[side, model, piece.key] = self._job.get((side, model, piece.key), before_job) + 1
            else:
                own = hash((model, piece.key))
                mine.append(own)
                uses = before + mine.count(own)
            if uses > 1:
                readable += piece.chars
            if uses == 2:
                reusable += piece.chars
        return Repeated(chars, repeated, readable, reusable)

    def forget(self, row: int, side: str) -> None:
        """Drop what is known of a row that has ended."""
        self._rows.pop((row, side), None)
        self._continued.discard((row, side))
