"""On which sides a row runs: the baseline on all rows, or on a sample that is the same every time."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from pathlib import Path

from fanwise.canonical import digest
from fanwise.journal.records import Side

from .rows import Format, Row, RowTypes, read


def sampler(
    rows: Path, form: Format, types: RowTypes, count: int | None, limit: int | None, *, baseline: bool, seed: int = 0
) -> Callable[[Row], tuple[Side, ...]]:
    """Return which sides a row runs on; the sample is the rows with the least hash of their id.

    Args:
        rows: The file.
        form: Its format.
        types: Validates its records: what is set aside is not drawn.
        count: Rows of the sample; None: all.
        limit: Records from the front of the file that are taken; None: all.
        baseline: Whether there is a baseline.
        seed: Of the sample: another one draws other rows.
    """
    word = f"sample {seed}" if seed else "sample"
    both: tuple[Side, ...] = ("fanout", "baseline") if baseline else ("fanout",)
    if count is None or not baseline:
        return lambda row: both

    def hashes() -> Iterator[str]:
        for seen, record in enumerate(read(rows, form)):
            if limit is not None and seen >= limit:
                return
            row = types.check(record)
            if isinstance(row, Row):
                yield digest(f"{word} {row.row_id}")

    chosen = set(heapq.nsmallest(count, hashes()))
    return lambda row: both if digest(f"{word} {row.row_id}") in chosen else ("fanout",)


def lines(path: Path) -> int:
    """Return how many lines a file has."""
    with path.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
