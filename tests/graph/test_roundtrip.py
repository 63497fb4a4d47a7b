"""Types of steps and rows whose values do not come back from JSON as they were: refused where they are defined."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter, OrderedDict
from collections.abc import Generator, Iterable, Mapping, Sequence
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any, Literal, NamedTuple
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Json, RootModel, SecretStr, create_model

from fanwise import DefinitionError, agent, graph, step, tool
from fanwise.canonical import canonical
from fanwise.graph.answerable import problems
from fanwise.graph.revive import accepted, revive


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Grade(Enum):
    LOW = 1


class Level(IntEnum):
    LOW = 1


class Corner(Enum):
    LEFT = (0, 0)


class Size(NamedTuple):
    width: int


class Lines(RootModel[list[str]]):
    pass


class Yes(BaseModel):
    why: str


class No(BaseModel):
    why: str


class Tree(BaseModel):
    name: str
    below: list[Tree] = []


KEYS: list[Any] = [
    str | int, int | None, Colour | Grade, tuple[int, int], tuple[int, ...], frozenset[int], Size, Grade, Corner,
    Literal[1, 2], Literal[1, "1"], Literal[Colour.RED], None,
]  # fmt: skip
EVERYWHERE: list[tuple[Any, str]] = [
    *((dict[key, int], "a list of records") for key in KEYS), (Mapping[str | int, int], "a list of records"),
    (Iterable[int], "use list[int]"), (Iterable, "use list"), (Generator[int, None, None], "use list[int]"),
    (Literal[Colour.RED], "use the enum itself"), (Corner, "texts or numbers"),
]  # fmt: skip
WRITTEN: list[tuple[Any, str]] = [
    (Lines, "its inner type"), (Json[list[int]], "without Json"), (SecretStr, "where they are used"),
    *((union, "a field that says which") for union in (str | dt.date, dt.date | str, str | Colour, Colour | str)),
    *((union, "a field that says which") for union in (list[int] | set[int], Yes | No)),
]  # fmt: skip
COMES_BACK: list[tuple[Any, Any]] = [
    (dict[Level, int], {Level.LOW: 1}), (dict[Colour, int], {Colour.RED: 1}), (dict[bool, int], {True: 1}),
    (Counter[int], Counter([1, 1])), (OrderedDict[str, int], OrderedDict(a=1)),
    (dict[Decimal, int], {Decimal("1.0"): 1}),
    (Sequence[int], [1]), (Literal["a", 1], 1), (Grade, Grade.LOW), (str | int, 1), (int | str, "1"), (Size, Size(1)),
    (Tree, Tree(name="a", below=[Tree(name="b")])), (Tree | None, None), (list[str] | str, "a"), (Decimal | float, 1.5),
]  # fmt: skip


def step_mistake(tp: Any) -> str:
    def result(text: str) -> Any: ...

    result.__annotations__["return"] = tp
    try:
        step(result)
    except DefinitionError as error:
        return str(error)
    return ""


@agent(model="claude-haiku-5-5", max_tokens=50)
def read(text: str) -> str:
    """Read the text."""
    return text


def row_mistake(tp: Any) -> str:
    def job(text: str, more: Any) -> str:
        return read(text) if more is None else read(more)

    job.__annotations__["more"] = tp
    try:
        graph(job)
    except DefinitionError as error:
        return "\n".join(line for line in str(error).splitlines() if "takes 'more'" in line)
    return ""


def tool_mistake(tp: Any) -> str:
    def look(more: Any) -> str:
        """Look."""
        return str(more)

    look.__annotations__["more"] = tp
    try:
        tool(look)
    except DefinitionError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(("tp", "way_out"), EVERYWHERE)
def test_what_json_does_not_give_back_is_refused_in_steps_tools_and_rows(tp: Any, way_out: str) -> None:
    """Keys that were numbers came as texts, a generator was empty at its second reading, a row could not be filled."""
    around = create_model("Around", inside=(list[tp], ...))
    for mistake in (fault(part) for fault in (step_mistake, row_mistake, tool_mistake) for part in (tp, around)):
        assert way_out in mistake and f"{__file__}:" in mistake
    assert "field 'inside'" in step_mistake(around)


@pytest.mark.parametrize(("tp", "way_out"), WRITTEN)
def test_what_is_read_and_cannot_be_written_is_refused_in_steps_alone(tp: Any, way_out: str) -> None:
    """Each value failed its row, or came back as a text, as stars, or as one of another model."""
    assert way_out in step_mistake(tp) and way_out in step_mistake(create_model("Around", inside=(tp, ...)))
    assert row_mistake(tp) == tool_mistake(tp) == ""


@pytest.mark.parametrize(("tp", "value"), COMES_BACK)
def test_what_is_taken_comes_back_as_it_was(tp: Any, value: Any) -> None:
    assert step_mistake(tp) == row_mistake(tp) == ""
    read = revive(tp, json.loads(canonical(accepted(tp, value))))
    assert (repr(read), type(read)) == (repr(value), type(value))


@pytest.mark.parametrize("key", KEYS)
def test_an_answer_has_no_such_keys_either(key: Any) -> None:
    """Keys of an enum of numbers were taken, and every answer failed."""
    assert problems(dict[key, int])


LEAVES: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (str, st.text(max_size=5) | st.dates().map(str)), (int, st.integers()), (bool, st.booleans()),
    (Colour, st.sampled_from(Colour)), (Grade, st.just(Grade.LOW)), (dt.date, st.dates()), (UUID, st.uuids()),
    (type(None), st.none()),
]  # fmt: skip


@settings(max_examples=60)
@given(st.sampled_from(LEAVES), st.sampled_from(LEAVES), st.data())
def test_any_union_that_is_taken_comes_back(one: Any, other: Any, data: st.DataObject) -> None:
    union = one[0] | other[0] if one[0] is not other[0] else one[0]
    value = data.draw(one[1] | other[1])
    if not step_mistake(union):
        read = revive(union, json.loads(canonical(value)))
        assert (type(read), read) == (type(value), value)
