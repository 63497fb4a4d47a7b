"""The JSON schema of an answer: Pydantic's own, in the form that the API can carry.

Every field is required but those that a typed dict may leave out (beyond 16 unions also those whose default is None), a
dict is a list of pairs, a tuple an object, Decimal and dates are text. An answer that is neither a record nor a text is
wrapped in `{"value": ...}`, since it has to be an object where it is sent by itself. Limits: platform.claude.com, page
"Structured outputs", read 2026-11-23 (24 optional and 16 union parameters).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from fanwise.definitions import Schema, around, expanded, settled
from fanwise.jsonable import as_list, as_object

from . import types as ty
from .carried import absent, carried
from .generator import generated
from .pertype import PerType

UNION_LIMIT, OPTIONAL_LIMIT = 16, 24


class Choices(NamedTuple):
    """What a schema has of that of which the API takes so many."""

    unions: int
    absent: int
    """Unions that are fields which may be left out instead."""
    optional: int
    """Fields that may be left out in any case."""

    @property
    def leaves_out(self) -> bool:
        """Whether fields that may be None are left out of an answer, since it has more unions than the API takes."""
        return self.unions > UNION_LIMIT

    @property
    def fit(self) -> bool:
        """Whether the API takes as many."""
        if not self.leaves_out:
            return self.optional <= OPTIONAL_LIMIT
        return self.absent + self.optional <= OPTIONAL_LIMIT and self.unions - self.absent <= UNION_LIMIT


_generated = PerType(generated)


def choices(tp: Any) -> Choices:
    """Return what an answer has of that of which the API takes so many; the type does not hold itself."""
    whole = expanded(_generated(tp))
    return Choices(_unions(whole), absent(whole), _optional(whole))


def _unions(node: Any) -> int:
    if isinstance(node, list):
        return sum(map(_unions, as_list(node)))
    record = as_object(node)
    return bool(as_list(record.get("anyOf")) or as_list(record.get("oneOf"))) + sum(map(_unions, record.values()))


def _optional(node: Any) -> int:
    if isinstance(node, list):
        return sum(map(_optional, as_list(node)))
    record = as_object(node)
    own = len(as_object(record.get("properties"))) - len(as_list(record.get("required")))
    return (own if record.get("type") == "object" else 0) + sum(map(_optional, record.values()))


def schema(tp: Any) -> Schema:
    """Return the JSON schema of an answer's value, each of its types a definition; `tp` has no `problems`.

    Raises:
        NotCarriedError: A part of it has no form that the API can carry.
    """
    return carried(_generated(tp), leaves_out=choices(tp).leaves_out)


def as_object_schema(tp: Any, value: Mapping[str, Any]) -> Schema:
    """Return the schema of an answer as it is sent, an object: of a record its own, else of one around the value.

    Args:
        tp: The type of the answer.
        value: Its `schema`.
    """
    return settled(value if ty.is_record(tp) else around({"value": value}, ["value"]))
