"""Records that are made by functions are those that their classes make."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import pytest

from fanwise.journal.records import AskRecord, new_ask_record
from fanwise.quick import maker, unpacker


class Pair(NamedTuple):
    kind: str
    count: int = 3


@dataclass(slots=True, kw_only=True)
class Mixed:
    first: int = 1
    second: str
    kept: list[int] = field(default_factory=list, init=False)
    note: str = field(default="none", init=False)


def test_they_are_equal_and_of_the_same_type() -> None:
    made, named = maker(Mixed)(second="b"), maker(Pair)(kind="a")
    assert (made, named) == (Mixed(second="b"), Pair("a"))
    assert (type(made), type(named)) == (Mixed, Pair)
    assert new_ask_record(attempt=1, key="k", row=2, node="n", label="l", number=1) == AskRecord(
        attempt=1, key="k", row=2, node="n", label="l", number=1
    )


def test_what_has_a_factory_is_made_for_each() -> None:
    make = maker(Mixed)
    first, second = make(second="a"), make(second="a")
    first.kept.append(1)
    assert second.kept == []


def test_a_field_that_is_lacking_or_unknown_is_refused_as_a_class_does() -> None:
    make = maker(Mixed)
    with pytest.raises(TypeError, match="second"):
        make()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="third"):
        make(second="a", third=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="kept"):
        make(second="a", kept=[])  # type: ignore[call-arg]


def test_values_in_order_make_one_too() -> None:
    assert unpacker(Mixed)((5, "b")) == Mixed(first=5, second="b")
    assert unpacker(Pair)(("a", 4)) == Pair("a", 4)


def test_a_factory_of_what_may_be_given_is_no_record_of_these() -> None:
    @dataclass(slots=True)
    class Loose:
        parts: list[int] = field(default_factory=list)

    with pytest.raises(TypeError, match=r"Loose\.parts"):
        maker(Loose)
