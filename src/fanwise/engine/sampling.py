"""Rows drawn at random, the same every time: those of a sample, and those on which the baseline runs."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from fanwise.canonical import digest
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


def sampler(
    rows: RowsFile,
    types: RowTypes,
    count: int | None,
    limit: int | None,
    *,
    arms: tuple[ArmName, ...],
    seed: int = 0,
) -> Callable[[Row], tuple[ArmName, ...]]:
    """Return which arms a row runs on; the sample is the rows with the least hash of their id.

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
        return lambda row: arms

    def hashes() -> Iterator[str]:
        for seen, record in enumerate(read(rows)):
            if limit is not None and seen >= limit:
                return
            row = types.check(record)
            if isinstance(row, Row):
                yield digest(f"{word} {row.row_id}")

    chosen = set(heapq.nsmallest(count, hashes()))
    return lambda row: arms if digest(f"{word} {row.row_id}") in chosen else arms[:1]
