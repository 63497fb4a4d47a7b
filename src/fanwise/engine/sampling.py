"""Rows drawn at random, the same every time: those of a sample, and those on which the baseline runs."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from fanwise.canonical import digest
from fanwise.journal.meta import place_in_draw
from fanwise.journal.records import ArmName

from .records import RowsFile
from .rows import Row, RowTypes
from .rowsfile import read

T = TypeVar("T")


def reservoir(items: Iterable[T], most: int, chance: random.Random) -> list[T]:
    """Draw so many items at most, each with equal chance; memory does not grow with their number."""
    kept: list[T] = []
    for seen, item in enumerate(items):
        place = seen if seen < most else chance.randrange(seen + 1)
        if place < most:
            kept[place : place + 1] = [item]
    return kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampler:
    """Knows on which arms a row runs."""

    arms: tuple[ArmName, ...]
    word: str
    """What is hashed before the id of a row."""
    chosen: frozenset[str] | None
    """Hashes of the rows on which all arms run; None: every row."""
    rows: int = 0
    """Valid rows that these were drawn from; 0 where none were drawn."""

    def __call__(self, row: Row) -> tuple[ArmName, ...]:
        """Return the arms of a row."""
        is_chosen = self.chosen is None or place_in_draw(self.word, row.row_id) in self.chosen
        return self.arms if is_chosen else self.arms[:1]

    @property
    def sampled(self) -> tuple[ArmName, ...]:
        """The arms that run on a sample."""
        return () if self.chosen is None else self.arms[1:]

    @property
    def key(self) -> str:
        """A hash of which rows were chosen; empty where no row is left out by choice."""
        return "" if self.chosen is None else digest(" ".join(sorted(self.chosen)))

    @property
    def drawn(self) -> dict[str, str]:
        """By what a row is known to be chosen, as `journal.meta` keeps it."""
        return {"word": self.word, "last": max(self.chosen)} if self.chosen else {}


def sampler(
    rows: RowsFile,
    types: RowTypes,
    count: int | None,
    limit: int | None,
    *,
    arms: tuple[ArmName, ...],
    seed: int = 0,
) -> Sampler:
    """Return what knows on which arms a row runs; the sample is the rows with the least hash of their id.

    Args:
        rows: The file.
        types: Validates its records: what is set aside is not drawn.
        count: Rows of the sample; None: all.
        limit: Records from the front of the file that are taken; None: all.
        arms: The first runs on every row, the others on the sample.
        seed: Of the sample: another one draws other rows.
    """
    word = f"sample {seed}" if seed else "sample"
    if count is None or len(arms) == 1:
        return Sampler(arms=arms, word=word, chosen=None)

    valid = 0

    def hashes() -> Iterator[str]:
        nonlocal valid
        for record in islice(read(rows), limit):
            row = types.check(record)
            if isinstance(row, Row):
                valid += 1
                yield place_in_draw(word, row.row_id)

    chosen = frozenset(heapq.nsmallest(count, hashes()))
    return Sampler(arms=arms, word=word, chosen=chosen, rows=valid)
