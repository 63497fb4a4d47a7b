"""The rows that a plan is made from: drawn at random from the whole file, which is read once."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from fanwise.engine.rows import Record, Row, RowTypes, read
from fanwise.engine.sampling import reservoir
from fanwise.errors import UsageError
from fanwise.job.arms import graph_of
from fanwise.job.manifest import rows_of
from fanwise.job.spec import JobSpec

POOL = 400
"""Rows that are drawn in all."""


@dataclass(frozen=True, slots=True)
class DrawnRow:
    """One row of the sample."""

    number: int
    """Its line or record number in the file."""
    data: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A sample, and what is known of all rows."""

    rows: tuple[DrawnRow, ...]
    """The sample."""
    more: tuple[DrawnRow, ...]
    """Other rows, drawn likewise, to hold the sample against."""
    valid: int
    rejected: int


def draw_sample(spec: JobSpec, count: int, seed: int = 0) -> Drawn:
    """Draw the rows that are carried out for a whole job, the same for the same file.

    Args:
        spec: The job.
        count: Rows to draw, one or more.
        seed: Another one draws other rows.

    Raises:
        UsageError: The graph or the file cannot be used, or no row is valid.
    """
    if count < 1:
        raise UsageError(f"a sample of {count} rows is none; draw one or more")
    path, form = rows_of(spec)
    types = RowTypes(graph_of(spec.graph).spec.param_types, spec.id_field, path.parent)
    rows, chance = _ValidRows(islice(read(path, form), spec.limit), types), random.Random(seed)
    drawn = [
        DrawnRow(number, json.loads(json.dumps(dict(data), default=str)))
        for number, data in reservoir(rows, max(count, POOL), chance)
    ]
    if not drawn:
        raise UsageError(f"no row of {path} is valid: {rows.rejected} were set aside")
    chance.shuffle(drawn)
    sample = sorted(drawn[:count], key=lambda row: row.number)
    return Drawn(rows=tuple(sample), more=tuple(drawn[count:]), valid=rows.valid, rejected=rows.rejected)


class _ValidRows:
    """Gives the valid ones of some records, and counts both kinds; memory does not grow with their number."""

    def __init__(self, records: Iterable[Record], types: RowTypes) -> None:
        self._records, self._types = records, types
        self.valid = self.rejected = 0

    def __iter__(self) -> Iterator[tuple[int, Mapping[str, Any]]]:
        for record in self._records:
            if record.data is not None and isinstance(self._types.check(record), Row):
                self.valid += 1
                yield record.number, record.data
            else:
                self.rejected += 1
