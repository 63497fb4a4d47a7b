"""Whether rows show the same blocks: then a block of the row is worth a write of the cache, whoever reads it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from itertools import islice
from typing import Any, NamedTuple

from fanwise.canonical import canonical, digest
from fanwise.context.shape import CachePrices
from fanwise.foreign import let_through
from fanwise.graph import types as ty
from fanwise.jsonable import as_object

from .records import Record
from .rows import Row, RowTypes

_PRICES = CachePrices()
FIRST = 200
"""Records from the front of a file that are looked at."""
USES = (_PRICES.write - _PRICES.read) / (1 - _PRICES.read)
"""Rows that show a block on average, from which it costs less to write it once and read it than to send it each time.

Any other bound would make a job of more rows cheaper than one of fewer.
"""


def repeated_blocks(records: Iterable[Record], param_types: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the blocks of a row that others show too, as `param.field`, or `param` alone where it has no fields.

    Args:
        records: Of the rows file.
        param_types: Of the parameters of the graph.
    """
    places = _places(param_types)
    if not places:
        return ()
    contents: dict[tuple[str, str], Counter[str]] = {place: Counter() for place in places}
    for record in islice(records, FIRST):
        for place, counter in contents.items():
            value = _shown(record, place, param_types)
            if value is not None:
                counter[value] += 1
    repeated = [place for place, counter in contents.items() if counter and counter.total() >= USES * len(counter)]
    return tuple(map(_name, repeated))


class ShownBy(NamedTuple):
    """A row of a sample, and the rows of the job that show the same blocks."""

    content: int
    """Number of what it shows: rows of one content have the same."""
    rows: int
    """Rows of the job that show it, itself among them."""
    share: float
    """Share of the characters of its blocks that repeat, 0 to 1."""


def shown_alike(
    drawn: Iterable[tuple[int, Record]],
    records: Iterable[Record],
    types: RowTypes,
    param_types: Mapping[str, Any],
    repeated: Collection[str],
) -> dict[int, ShownBy]:
    """Return for the rows of a sample, by number, how many rows of the job show the same blocks.

    Memory grows with the sample, and not with the job.

    Args:
        drawn: Valid records of the sample, each with the number of its row; they are read before the others.
        records: Those of the job.
        types: Make rows of its records.
        param_types: Of the parameters of the graph.
        repeated: What `repeated_blocks` has found.
    """
    places = [place for place in _places(param_types) if _name(place) in repeated]
    others = [place for place in _places(param_types) if place not in places]
    numbers, sample, rows = dict[str, int](), dict[int, tuple[int, float]](), Counter[int]()

    def content(record: Record) -> str:
        return digest("\0".join(str(_shown(record, place, param_types)) for place in places))

    def chars(record: Record, of: Iterable[tuple[str, str]]) -> int:
        return sum(len(_shown(record, place, param_types) or "") for place in of)

    for row, record in drawn:
        repeats, rest = chars(record, places), chars(record, others)
        share = repeats / (repeats + rest) if repeats else 0.0
        sample[row] = numbers.setdefault(content(record), len(numbers)), share
    for record in records if sample else ():
        number = numbers.get(content(record))
        if number is not None and isinstance(types.check(record), Row):
            rows[number] += 1
    return {row: ShownBy(number, rows[number], share) for row, (number, share) in sample.items()}


def shown_of(arguments: Mapping[str, Any], repeated: Collection[str]) -> int:
    """Return a hash of what a row shows of the blocks that rows repeat: the same for rows that show the same.

    Args:
        arguments: Of the row, by parameter.
        repeated: What `repeated_blocks` has found, one or more.
    """
    values = list[str]()
    for name in repeated:
        param, _, field = name.partition(".")
        try:
            values.append(str(getattr(arguments[param], field) if field else arguments[param]))
        except BaseException as error:  # of a model that is users' code
            let_through(error)
            values.append("")
    return hash(tuple(values))


def _places(param_types: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return where rows have blocks: parameter and field, the field empty where the parameter has none."""
    return [
        (param, field)
        for param, tp in param_types.items()
        for field, inner in (ty.fields(tp) or {"": tp}).items()
        if ty.is_block(inner)
    ]


def _name(place: tuple[str, str]) -> str:
    param, field = place
    return f"{param}.{field}" if field else param


def _shown(record: Record, place: tuple[str, str], param_types: Mapping[str, Any]) -> str | None:
    """Return what a record has at a place, as canonical JSON; None where it has nothing there."""
    param, field = place
    value = _value(record.data or {}, "" if len(param_types) == 1 else param, field or param)
    return None if value is None else canonical(value)


def _value(data: Mapping[str, Any], param: str, name: str) -> Any:
    """Return a field of a record, or of the parameter in it that is named."""
    return as_object(data.get(param) if param and param != name else dict(data)).get(name)
