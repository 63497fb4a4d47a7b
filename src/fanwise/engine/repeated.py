"""Whether rows show the same blocks: then a block of the row is worth a write of the cache, whoever reads it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from fanwise.canonical import canonical
from fanwise.context.shape import CachePrices
from fanwise.graph import types as ty
from fanwise.jsonable import as_object

from .records import Record

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
    places = [
        (param, field)
        for param, tp in param_types.items()
        for field, inner in (ty.fields(tp) or {"": tp}).items()
        if ty.is_block(inner)
    ]
    if not places:
        return ()
    contents: dict[tuple[str, str], Counter[str]] = {place: Counter() for place in places}
    for record in islice(records, FIRST):
        for (param, field), counter in contents.items():
            value = _value(record.data or {}, "" if len(param_types) == 1 else param, field or param)
            if value is not None:
                counter[canonical(value)] += 1
    repeated = [place for place, counter in contents.items() if counter and counter.total() >= USES * len(counter)]
    return tuple(f"{param}.{field}" if field else param for param, field in repeated)


def _value(data: Mapping[str, Any], param: str, name: str) -> Any:
    """Return a field of a record, or of the parameter in it that is named."""
    return as_object(data.get(param) if param and param != name else dict(data)).get(name)
