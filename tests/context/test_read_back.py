"""Any value of a supported type is read back as it was.

`EXAMPLES` says how many values are sent and read back; `make soak` takes many.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import os
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from fanwise.graph.revive import revive
from rendered import Mail, asked, back, shown

EXAMPLES = int(os.environ.get("EXAMPLES", "200"))


class Colour(enum.Enum):
    RED = "red"
    NONE = ""


@dataclasses.dataclass
class Point:
    x: float
    name: str


pieces = st.sampled_from(
    ["\n", "\r", "\u2028", '"', "</it>", "</IT-1 >", "<it>", "it: 1", "<", " ", "\\", "5", "ä", "\0"]
)
texts = st.text(max_size=20) | st.lists(pieces | st.text(max_size=3), max_size=8).map("".join)
long_texts = st.builds(lambda text, times: text * times, texts, st.sampled_from([1, 30]))
mails = st.recursive(
    st.builds(Mail, sender=texts, body=long_texts, parts=st.lists(long_texts, max_size=3)),
    lambda inner: st.builds(Mail, body=long_texts, answers=st.lists(inner, max_size=2)),
    max_leaves=3,
)
numbers = st.floats(allow_nan=False, allow_infinity=False)
decimals = st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-99, max_value=99)
KINDS: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (str, long_texts), (int, st.integers()), (float, numbers), (bool, st.booleans()), (type(None), st.none()),
    (Decimal, decimals), (dt.datetime, st.datetimes(timezones=st.just(dt.UTC))), (dt.date, st.dates()),
    (UUID, st.uuids()), (Colour, st.sampled_from(Colour)), (list[str], st.lists(long_texts, max_size=3)),
    (set[int], st.sets(st.integers(), max_size=3)), (tuple[int, str], st.tuples(st.integers(), texts)),
    (dict[str, str], st.dictionaries(texts, long_texts, max_size=3)),
    (dict[int, str], st.dictionaries(st.integers(), long_texts, max_size=3)), (Mail, mails),
    (list[Mail], st.lists(mails, max_size=2)), (Point, st.builds(Point, numbers, texts)),
    (list[list[str]], st.lists(st.lists(long_texts, max_size=2), max_size=2)), (str | int, texts | st.integers()),
]  # fmt: skip
drawn = st.sampled_from(KINDS).flatmap(lambda kind: st.tuples(st.just(kind[0]), kind[1]))


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.dictionaries(st.sampled_from(["it", "agent", "schema", "größe", "a_1"]), drawn, max_size=4))
def test_any_value_of_a_supported_type_is_read_back(kinds: dict[str, tuple[Any, Any]]) -> None:
    read = back(asked({name: value for name, (_, value) in kinds.items()}))
    assert list(read) == list(kinds)
    for name, (tp, value) in kinds.items():
        assert revive(tp, read[name]) == value


@given(st.text(max_size=6), drawn)
def test_equal_values_are_equal_texts(key: str, kind: tuple[Any, Any]) -> None:
    """Keys in another order are the same value."""
    one, other = {key: kind[1], "z": "a\nb"}, {"z": "a\nb", key: kind[1]}
    assert key == "z" or shown({"it": one}) == shown({"it": other})
