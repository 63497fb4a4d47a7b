"""The rows that a plan is made from: drawn at random from the whole file, which is read once."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from math import lcm
from typing import Any

from fanwise.engine.records import Record
from fanwise.engine.rows import Row, RowTypes
from fanwise.engine.rowsfile import read
from fanwise.engine.sampling import reservoir
from fanwise.errors import UsageError
from fanwise.graph.spec import AUTO_INPUTS
from fanwise.job.arms import graph_of
from fanwise.job.manifest import rows_of
from fanwise.job.spec import JobSpec
from fanwise.paths import typed

from .contents import Contents, CountedContent

POOL = 400
"""Rows that are drawn in all."""
MOST_WHOLE = 60
"""Rows that are simulated at most so that no pack of an agent is left half full."""


@dataclass(frozen=True, slots=True)
class DrawnRow:
    """One row of the sample."""

    number: int
    """Its line or record number in the file."""
    data: dict[str, Any]
    weight: float = 1.0
    """How many rows of the file it stands for since they are equal to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A sample, and what is known of all rows."""

    rows: tuple[DrawnRow, ...]
    """The sample."""
    more: tuple[DrawnRow, ...]
    """Other rows, drawn likewise, to hold the sample against."""
    valid: int
    rejected: int
    units: float
    """Rows of the file, of which equal ones count once where the sample was drawn so."""
    sampled_units: int
    """The same, of the sample."""
    passed: int = 0
    """Valid rows that were passed over."""
    is_all: bool = False
    """Whether there are no other rows."""
    has_every_call: bool = False
    """Whether all others are equal to these, and served by what these are asked."""

    def alone(self) -> Drawn:
        """Return the sample as if there were no other rows."""
        rows = tuple(DrawnRow(row.number, row.data) for row in self.rows)
        return Drawn(
            rows=rows, more=(), valid=len(rows), rejected=self.rejected, units=len(rows), sampled_units=len(rows),
            is_all=True,
        )  # fmt: skip


def draw_sample(
    spec: JobSpec, count: int, seed: int = 0, may_be_drawn: Callable[[Row], bool] = lambda _: True
) -> Drawn:
    """Draw the rows that are carried out for a whole job, the same for the same file; each with equal chance.

    Args:
        spec: The job.
        count: Rows to draw, one or more.
        seed: Another one draws other rows.
        may_be_drawn: Says of a valid row whether it is among those that are drawn from.

    Returns:
        The sample; it is empty where no row may be drawn.

    Raises:
        UsageError: The graph or the file cannot be used, or no row is valid.
    """
    rows, chance = _rows(spec, count), random.Random(seed)
    drawable = ((row, data) for row, data in rows if may_be_drawn(row))
    drawn = [DrawnRow(row.number, _plain(data)) for row, data in reservoir(drawable, max(count, POOL), chance)]
    _check_any(rows, spec)
    chance.shuffle(drawn)
    sample = sorted(drawn[:count], key=lambda row: row.number)
    return Drawn(
        rows=tuple(sample),
        more=tuple(drawn[count:]),
        valid=rows.valid,
        rejected=rows.rejected,
        units=rows.valid,
        sampled_units=len(sample),
    )


def draw_contents(spec: JobSpec, count: int, passed_over: Callable[[Row], bool] = lambda _: False) -> Drawn:
    """Draw rows with different contents first, each with the number of its equals: to rehearse, not to pay for.

    Rows that are repeated cost the same each time, so that a file and the same file twice are drawn alike. Where equal
    tasks are one call whoever is asked, equal rows are none either, and stand in no pack: one of each is drawn.

    Args:
        spec: The job.
        count: Rows to draw, one or more; some more where they are packed, so that packs are full as those of a job.
        passed_over: Says of a row that it is none of the job any more; rows come in their order.

    Returns:
        The sample; it is empty where all rows are passed over.

    Raises:
        UsageError: The graph or the file cannot be used, or no row is valid.
    """
    count = _in_whole_packs(spec, count)
    rows, contents, passed = _rows(spec, count), Contents(spec.id_field or "id", max(count, POOL), count), 0
    for row, data in rows:
        if passed_over(row):
            passed += 1
        else:
            contents.add(row.number, data)
    _check_any(rows, spec)
    counted = contents.drawn()
    some, is_one_call = counted[:count], _is_one_call(spec)
    sample, valid = _first_of_each(some, len(some) if is_one_call else count), rows.valid - passed
    rest = [_drawn_row(content, 0, content.times) for content in counted[count:]]
    return Drawn(
        rows=tuple(sorted(sample, key=lambda row: row.number)),
        more=tuple(rest),
        valid=valid,
        rejected=rows.rejected,
        units=contents.units(valid),
        sampled_units=min(len(counted), count),
        passed=passed,
        has_every_call=is_one_call and len(some) >= contents.units(valid),
    )


def _in_whole_packs(spec: JobSpec, count: int) -> int:
    """Return a number of rows that is a multiple of all packs of a graph, or at least of the largest."""
    agents = (node.target.spec for node in graph_of(spec.graph).spec.tasks())
    packs = [AUTO_INPUTS if agent.pack == "auto" else agent.pack for agent in agents if agent is not None]
    if count < 1:
        return count
    whole = lcm(*packs)
    size = whole if whole <= MOST_WHOLE else max(packs, default=1)
    return -(-count // size) * size


def _is_one_call(spec: JobSpec) -> bool:
    """Return whether all tasks that are equal are one call."""
    agents = (node.target.spec for node in graph_of(spec.graph).spec.tasks())
    return spec.reuse and all(agent.reuses for agent in agents if agent is not None)


def _first_of_each(contents: list[CountedContent], count: int) -> list[DrawnRow]:
    """Return one row of each content, then a second one, and so on, until there are so many."""
    places = ((content, place) for place in range(count) for content in contents if place < len(content.rows))
    taken = list(islice(places, min(count, sum(len(content.rows) for content in contents))))
    of_each = Counter(content.key for content, _ in taken)
    return [_drawn_row(content, place, content.times / of_each[content.key]) for content, place in taken]


def _drawn_row(content: CountedContent, place: int, weight: float) -> DrawnRow:
    number, data = content.row(place)
    return DrawnRow(number, _plain(data), weight)


def _rows(spec: JobSpec, count: int) -> _ValidRows:
    if count < 1:
        raise UsageError(f"a sample of {count} rows is none; draw one or more")
    file = rows_of(spec)
    graph = graph_of(spec.graph).spec
    types = RowTypes(graph.param_types, spec.id_field, file.path.parent, graph.defaults)
    return _ValidRows(islice(read(file), spec.limit), types)


def _check_any(rows: _ValidRows, spec: JobSpec) -> None:
    if not rows.valid:
        raise UsageError(f"no row of {typed(rows_of(spec).path)} is valid: {rows.rejected} were set aside")


def _plain(data: Mapping[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(dict(data), default=str))


class _ValidRows:
    """Gives the valid ones of some records, and counts both kinds; memory does not grow with their number."""

    def __init__(self, records: Iterable[Record], types: RowTypes) -> None:
        self._records, self._types = records, types
        self.valid = self.rejected = 0

    def __iter__(self) -> Iterator[tuple[Row, Mapping[str, Any]]]:
        for record in self._records:
            row = self._types.check(record)
            if record.data is not None and isinstance(row, Row):
                self.valid += 1
                yield row, record.data
            else:
                self.rejected += 1
