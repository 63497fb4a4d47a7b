"""Answers there and back: what a stand-in returns is what the engine reads."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from contextlib import suppress
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, NamedTuple, NewType, NotRequired
from uuid import UUID

import jsonschema
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, Json, RootModel, computed_field, create_model
from typing_extensions import TypedDict

from fanwise.canonical import canonical
from fanwise.context.envelope import unseal
from fanwise.errors import OutputError
from fanwise.graph import wire
from fanwise.graph.answerable import problems
from fanwise.graph.revive import revive
from fanwise.graph.samples import sample
from fanwise.graph.schema import as_object_schema, schema


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Inner(BaseModel):
    at: dt.datetime
    price: Decimal
    colour: Colour


class Everything(BaseModel):
    name: str
    count: Annotated[int, Field(ge=0, le=9, description="how many")]
    ratio: float
    yes: bool
    kind: Literal["a", "b"]
    inner: Inner
    inners: list[Inner]
    table: dict[str, Decimal]
    pair: tuple[int, str]
    maybe: Inner | None
    either: int | str
    tags: frozenset[str]
    day: dt.date
    token: UUID
    aliased: str = Field(alias="Aliased-Name")


inners = st.builds(
    Inner,
    at=st.datetimes(timezones=st.just(dt.UTC)),
    price=st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-1000, max_value=1000),
    colour=st.sampled_from(Colour),
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
cents = st.decimals(allow_nan=False, allow_infinity=False, places=2, max_value=100, min_value=-100)
everything = st.builds(
    lambda aliased, **fields: Everything(**{"Aliased-Name": aliased}, **fields),
    name=texts, count=st.integers(0, 9), ratio=st.floats(allow_nan=False, allow_infinity=False), yes=st.booleans(),
    kind=st.sampled_from(["a", "b"]), inner=inners, inners=st.lists(inners, max_size=2),
    table=st.dictionaries(texts, cents, max_size=3),
    pair=st.tuples(st.integers(), texts), maybe=st.none() | inners, either=st.integers() | texts,
    tags=st.frozensets(texts, max_size=3), day=st.dates(), token=st.uuids(), aliased=texts,
)  # fmt: skip


@given(everything)
def test_a_value_survives_the_way_to_the_model_and_back(value: Everything) -> None:
    assert wire.decode(Everything, wire.encode(Everything, value)) == value


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | texts,
        lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
        max_leaves=8,
    )
)
def test_any_json_is_read_or_refused_never_raised(data: Any) -> None:
    try:
        wire.decode(Everything, json.dumps(data))
    except OutputError as error:
        assert str(error)


@pytest.mark.parametrize(
    "tp", [str, int, list[str], Decimal, Inner | None, tuple[int, str], dict[str, int], Everything]
)
def test_the_schema_has_what_the_api_asks_for(tp: Any) -> None:
    """All fields required, no additional ones, no constraint keywords, an object at the top."""
    assert problems(tp) == []
    top = as_object_schema(tp, schema(tp))
    assert top["type"] == "object"

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if node.get("type") == "object":
                assert node["additionalProperties"] is False
                assert node["required"] == list(node["properties"])
            assert not {"minimum", "maximum", "pattern", "minLength"} & set(node)
            for part in node.values():
                walk(part)
        elif isinstance(node, list):
            for part in node:
                walk(part)

    walk(top)


def test_constraints_travel_as_words() -> None:
    said = as_object_schema(Everything, schema(Everything))["properties"]["count"]["description"]
    assert said == "how many; at least 0; at most 9"


class Mixed(Enum):
    TEXT = "text"
    NUMBER = 2


def test_keys_of_an_answer_may_be_texts_beside_numbers() -> None:
    """They could not be sorted, and the run ended in a traceback."""
    said = '{"value": [{"key": "text", "value": 1}, {"key": 2, "value": 3}]}'
    with pytest.raises(OutputError):
        wire.decode(dict[Mixed, int], said)


def test_a_fence_is_taken_off_and_a_mistake_names_its_place() -> None:
    assert wire.decode(list[str], '```json\n{"value": ["a"]}\n```') == ["a"]
    with pytest.raises(OutputError, match=r"inner\.price"):
        wire.decode(Everything, wire.encode(Everything, sample(Everything)).replace('"1.00"', '"much"'))
    with pytest.raises(OutputError, match="not JSON"):
        wire.decode(int, "I think that")


class Yes(BaseModel):
    why: str


class No(BaseModel):
    why: str


@pytest.mark.parametrize(
    ("tp", "text", "value"),
    [
        (list[str] | dict[str, str], "[]", []),
        (dict[str, str] | list[str], "[]", {}),
        (Yes | No, '{"why": "a"}', Yes(why="a")),
        (No | Yes, '{"why": "a"}', No(why="a")),
    ],
)
def test_a_union_is_read_as_its_first_member_that_fits(tp: Any, text: str, value: Any) -> None:
    """Found: unions that differ in their order alone are equal, and shared what was remembered of one of them."""
    read = wire.decode(tp, f'{{"value": {text}}}')
    assert (type(read), read) == (type(value), value)


def test_a_tuple_that_comes_as_a_list_is_read_by_place() -> None:
    """Found: every part was read as the first one's type, and an empty tuple ended with a traceback."""
    assert wire.decode(tuple[int, dict[str, int]], '{"value": [1, [{"key": "a", "value": 2}]]}') == (1, {"a": 2})
    with pytest.raises(OutputError, match="at most 0 items"):
        wire.decode(tuple[()], '{"value": [1]}')


class Score(BaseModel):
    points: float


@pytest.mark.parametrize("text", ['{"points": NaN}', '{"points": 1e999}', '{"points": -Infinity}', '{"points": "nan"}'])
def test_a_number_that_json_does_not_have_is_no_answer(text: str) -> None:
    """It ended the whole run with a traceback, since the journal could not keep it."""
    with pytest.raises(OutputError):
        wire.decode(Score, text)


def test_the_union_limit_is_checked() -> None:
    """16 union parameters, page "Structured outputs"."""
    fields: dict[str, Any] = {f"f{number}": (str | None, ...) for number in range(17)}
    assert "17 optional or union fields" in problems(create_model("Wide", **fields))[0][0]


@pytest.mark.parametrize("number", [16, 17, 24])
def test_many_fields_that_may_be_none_are_optional_in_place_of_unions(number: int) -> None:
    """24 optional parameters, page "Structured outputs"; a union for each was refused from 17 on."""
    wide: Any = create_model("Wide", name=(str, ...), **{f"f{index}": (str | None, None) for index in range(number)})
    assert problems(list[wide]) == []
    sent = as_object_schema(wide, schema(wide))
    assert (len(sent["required"]), "anyOf" in sent["properties"]["f0"]) == ((17, True) if number == 16 else (1, False))
    assert wire.decode(wide, '{"name": "a", "f3": "b"}') == wide(name="a", f3="b")
    assert wire.decode(wide, wire.encode(wide, wide(name="a", f3="b"))) == wide(name="a", f3="b")


def test_25_optional_fields_are_refused() -> None:
    wide = create_model("Wide", **{f"f{index}": (str | None, None) for index in range(25)})
    assert "25 optional or union fields" in problems(wide)[0][0]


class Lines(RootModel[list[str]]):
    pass


class Corner(Enum):
    LEFT = (0, 0)


class Size(NamedTuple):
    width: int


class Sparse(TypedDict):
    name: str
    note: NotRequired[str]


Euros = NewType("Euros", int)


class Slug(str):
    """No validator knows it."""


@pytest.mark.parametrize("tp", [Slug, list[Slug], Json[list[int]]])
def test_what_no_answer_would_fit_is_refused(tp: Any) -> None:
    """It was taken, and every answer failed."""
    assert problems(tp)


@pytest.mark.parametrize(
    ("tp", "way_out"),
    [
        (Literal[Colour.RED], "the enum itself"), (Size, "a dataclass"), (Iterable[str], "a list"),
        (Corner, "texts or numbers as values"), (Json[list[int]], "without Json"), (Slug, "derived from"),
    ],
)  # fmt: skip
def test_a_refused_type_comes_with_its_way_out(tp: Any, way_out: str) -> None:
    assert way_out in problems(tp)[0][1]


class ByValue(BaseModel):
    model_config = ConfigDict(use_enum_values=True)
    colour: Colour


class Hidden(BaseModel):
    """What its users leave out of a dump is kept all the same: there is no default in its place."""

    secret: int = Field(exclude=True)
    odd: int = Field(exclude_if=lambda value: value == 3)

    @computed_field
    @property
    def twice(self) -> int:
        return 2 * self.secret


@pytest.mark.parametrize("value", [ByValue(colour=Colour.RED), Hidden(secret=1, odd=3)])
def test_what_was_kept_is_what_was_said(value: Any) -> None:
    """A member of an enum came back where its value was, once a run was resumed."""
    read = wire.decode(type(value), wire.encode(type(value), value))
    revived = revive(type(value), json.loads(canonical(read)))
    assert vars(revived) == vars(read) == vars(value)
    assert type(vars(revived).popitem()[1]) is type(vars(value).popitem()[1])


Typed = tuple[Any, st.SearchStrategy[Any]]
KEYS: list[Typed] = [
    (str, texts), (int, st.integers()), (Colour, st.sampled_from(Colour)), (dt.date, st.dates()),
    (Literal["a", "b"], st.sampled_from(["a", "b"])), (Euros, st.integers()), (UUID, st.uuids()),
]  # fmt: skip
LEAVES: list[Typed] = [
    *KEYS, (bool, st.booleans()), (float, st.floats(allow_nan=False, allow_infinity=False)), (Decimal, cents),
    (type(None), st.none()),
]  # fmt: skip


def around(inner: st.SearchStrategy[Typed]) -> st.SearchStrategy[Typed]:
    """Types with parts, each with what it accepts."""
    keys = st.sampled_from(KEYS)
    return st.one_of(
        inner.map(lambda one: (list[one[0]], st.lists(one[1], max_size=2))),
        keys.map(lambda key: (frozenset[key[0]], st.frozensets(key[1], max_size=2))),
        st.tuples(keys, inner).map(lambda two: (dict[two[0][0], two[1][0]], st.dictionaries(two[0][1], two[1][1]))),
        st.tuples(inner, inner).map(lambda two: (tuple[two[0][0], two[1][0]], st.tuples(two[0][1], two[1][1]))),
        inner.map(lambda one: (one[0] | None, st.none() | one[1])),
        st.tuples(inner, inner).map(record),
    )


def record(two: tuple[Typed, Typed]) -> Typed:
    model = create_model("Record", first=(two[0][0], ...), second=(two[1][0], ...))
    return model, st.builds(model, first=two[0][1], second=two[1][1])


@settings(max_examples=80)
@given(st.recursive(st.sampled_from(LEAVES), around, max_leaves=5), st.data())
def test_a_value_of_any_type_that_is_taken_comes_back_from_the_model_and_from_the_disk(
    typed: Typed, data: st.DataObject
) -> None:
    tp, values = typed
    value = data.draw(values)
    assert problems(tp) == []
    assume(tp is not str or value.strip())
    text, field = wire.encode(tp, value), wire.encode_field(tp, value)
    jsonschema.validate(json.loads(field), schema(tp))
    if tp is not str:
        jsonschema.validate(json.loads(text), as_object_schema(tp, schema(tp)))
    read = wire.decode(tp, text)
    assert read == value == wire.read_field(tp, field).value
    assert revive(tp, json.loads(canonical(read))) == value


@pytest.mark.parametrize(
    "tp", [Lines, Lines | None, Corner, Literal[Colour.RED], Size, Iterable[str], dict[tuple[int, int], str]]
)
def test_what_does_not_come_back_as_it_went_is_refused(tp: Any) -> None:
    assert problems(tp)
    assert problems(create_model("Around", inside=(tp, ...)))


@pytest.mark.parametrize(
    ("tp", "value"),
    [
        (Euros, 3), (dict[Colour, Euros], {Colour.RED: Euros(1)}), (list[Colour], [Colour.BLUE]),
        (Sparse, {"name": "a"}), (Sparse, {"name": "a", "note": "b"}), (dict[dt.date, int], {dt.date(2026, 1, 2): 3}),
    ],
)  # fmt: skip
def test_what_is_taken_comes_back_as_it_went(tp: Any, value: Any) -> None:
    assert problems(tp) == []
    assert wire.decode(tp, wire.encode(tp, value)) == value


@pytest.mark.parametrize("tp", [str, list[Inner], Everything, Inner | None, dict[str, int], tuple[int, str]])
def test_a_sample_is_valid(tp: Any) -> None:
    assert wire.decode(tp, wire.encode(tp, sample(tp))) == sample(tp)


def test_a_body_that_says_nothing_is_no_stand_in() -> None:
    from fanwise.graph.rehearse import is_empty

    def dots(text: str) -> str: ...  # type: ignore[empty-body]

    def documented(text: str) -> str:  # type: ignore[empty-body]
        """Do it."""

    def passes() -> None:
        pass

    def answers(text: str) -> str:
        """Do it."""
        return "a"

    def refuses(text: str) -> str:
        raise NotImplementedError

    assert [is_empty(body) for body in (dots, documented, passes, answers, refuses)] == [True, True, True, False, False]


ODD_PARTS = st.sampled_from([
    "{", "}", "[", "]", ":", ",", '"', '"tt"', '"value"', "NaN", "-Infinity", "1e999", "null", "true", "0", "-",
    "1" * 5_000, "\\ud800", "\\udc00", "\ud800", "a", " ", "\n", "```", "```json", "\x00", '{"tt": ', '{"value": ',
    "[" * 3_000,
])  # fmt: skip
ODD_ANSWERS = st.lists(ODD_PARTS, max_size=8).map("".join) | st.sampled_from([
    '{"tt": "a\\ud800b"}', '{"tt": NaN}', '{"tt": 1e999}', '{"tt": {"a": NaN}}', '{"value": "\\ud800"}',
    '{"tt": "\ud800"}',
])  # fmt: skip


@pytest.mark.parametrize("tp", [str, float, list[str], dict[str, float], Inner, Inner | None, Colour], ids=str)
@given(answer=ODD_ANSWERS)
@example(answer='{"tt": "a\\ud800b"}')
@example(answer='{"tt": NaN}')
@example(answer='{"tt": 1e999}')
def test_an_answer_means_something_or_is_none_whatever_it_says(tp: Any, answer: str) -> None:
    """Found: half a surrogate pair, NaN and a number beyond all floats in an envelope ended the whole run."""
    for read in (wire.read_answer, wire.read_object, lambda tp, text: wire.read_field(tp, unseal("tt", text))):
        with suppress(OutputError):
            canonical(read(tp, answer).value)
