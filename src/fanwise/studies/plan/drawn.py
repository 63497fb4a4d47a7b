"""The rows that a plan is made from: drawn at random from the whole file, which is read once."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from fanwise.engine.rows import Format, Row, RowTypes, read
from fanwise.engine.sampling import reservoir
from fanwise.errors import UsageError

POOL = 400
"""Rows that are drawn in all."""


@dataclass(frozen=True, slots=True)
class DrawnRow:
    """One row of the sample."""

    number: int
    """Its line or record number in the file."""
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A sample, and what is known of all rows."""

    rows: tuple[DrawnRow, ...]
    """The sample."""
    more: tuple[DrawnRow, ...]
    """Other rows, drawn likewise, to hold the sample against."""
    valid: int
    rejected: int


def draw(path: Path, form: Format, types: RowTypes, count: int, limit: int | None = None, seed: int = 0) -> Drawn:
    """Draw valid rows, the same for the same file; memory does not grow with their number.

    Args:
        path: The rows file.
        form: Its format.
        types: What a valid row is.
        count: Rows to draw.
        limit: Records to read from the front of the file.
        seed: Another one draws other rows.

    Raises:
        UsageError: The file cannot be read, or no row is valid.
    """
    chance, valid, rejected = random.Random(seed), 0, 0

    def rows() -> Iterator[tuple[int, Mapping[str, Any]]]:
        nonlocal valid, rejected
        for record in islice(read(path, form), limit):
            if record.data is not None and isinstance(types.check(record), Row):
                valid += 1
                yield record.number, record.data
            else:
                rejected += 1

    kept = reservoir(rows(), max(count, POOL), chance)
    drawn = [DrawnRow(number, json.loads(json.dumps(dict(data), default=str))) for number, data in kept]
    if not drawn:
        raise UsageError(f"no row of {path} is valid: {rejected} were set aside")
    chance.shuffle(drawn)
    chosen = sorted(drawn[:count], key=lambda one: one.number)
    return Drawn(tuple(chosen), tuple(drawn[count:]), valid, rejected)
