"""What Pydantic users write as the type of an answer: what of it the model reads, once, and the way out of the rest."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import Enum, StrEnum
from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, NotRequired, TypeVar
from uuid import UUID

import jsonschema
import pytest
from anthropic import transform_schema
from pydantic import (
    AfterValidator,
    AliasChoices,
    AliasPath,
    AnyUrl,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    HttpUrl,
    PlainValidator,
    PrivateAttr,
    RootModel,
    SecretStr,
    Tag,
    WithJsonSchema,
    computed_field,
    conint,
    constr,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic.dataclasses import dataclass as pydantic_dataclass
from pydantic.json_schema import SkipJsonSchema
from typing_extensions import Doc, ReadOnly, TypedDict

from fanwise.canonical import canonical, dumps
from fanwise.definitions import expanded
from fanwise.graph import wire
from fanwise.graph.answerable import problems
from fanwise.graph.revive import revive
from fanwise.graph.samples import sample
from fanwise.graph.schema import as_object_schema, schema

Item = TypeVar("Item")


class Inner(BaseModel):
    """SAID a place."""

    street: str = Field(description="SAID its street")


class Team(Enum):
    """SAID who takes it."""

    BILLING = "billing"
    """SAID Payment and invoices."""
    LOGIN = "login"
    "SAID Passwords."


class Plain(StrEnum):
    A = "a"
    B = "b"  # a comment is for readers of the code


class Described(BaseModel):
    """SAID once.

    SAID in a second paragraph.
    """

    name: str = Field(description="SAID by a field", title="SAID as a title", examples=["SAID for example"])
    many: list[Annotated[str, Field(description="SAID of each")]]
    place: Inner = Field(description="SAID where")


class Child(Described):
    more: int


class ByAttributes(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)

    name: str
    """SAID behind the field."""


class Twice(BaseModel):
    home: Inner = Field(description="SAID at home")
    work: Inner | None = Field(description="SAID at work")
    others: list[Inner]
    by_team: dict[Team, Inner]
    team: Team


class Page(BaseModel, Generic[Item]):
    """SAID a page."""

    items: list[Item]
    number: int


class Aliased(BaseModel):
    one: str = Field(alias="oneAlias", description="SAID one")
    two: str = Field(validation_alias=AliasChoices("b", "c"))
    three: str = Field(validation_alias=AliasPath("deep", 0))
    four: str = Field(serialization_alias="FOUR")


class Camel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="forbid")

    first_name: str
    last_name: str = "x"


class Cat(BaseModel):
    """SAID a cat."""

    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    """SAID a dog."""

    kind: Literal["dog"]
    tricks: dict[str, int]


class Tagged(BaseModel):
    pet: Cat | Dog = Field(discriminator="kind", description="SAID a pet")


def which(value: Any) -> str:
    return "one" if (value["kind"] if isinstance(value, dict) else value.kind) == "cat" else "many"


class Called(BaseModel):
    pet: Annotated[Annotated[Cat, Tag("one")] | Annotated[Dog, Tag("many")], Discriminator(which)]


class Computed(BaseModel):
    width: int = Field(ge=1, le=9)
    _hidden: int = PrivateAttr(default=3)

    @computed_field(description="not asked for")
    @property
    def area(self) -> int:
        return self.width**2


class Validated(BaseModel):
    name: str
    share: Annotated[float, AfterValidator(lambda value: value), Field(gt=0, description="SAID a share")]
    tags: Annotated[list[str], BeforeValidator(lambda value: value)]

    @field_validator("name")
    @classmethod
    def stripped(cls, value: str) -> str:
        return value.strip()

    @model_validator(mode="after")
    def checked(self) -> Validated:
        return self

    @model_validator(mode="wrap")
    @classmethod
    def wrapped(cls, data: Any, handler: Callable[[Any], Any]) -> Any:
        return handler(data)


class Typed(TypedDict):
    """SAID a typed dict."""

    name: Annotated[str, Field(description="SAID its name")]
    note: NotRequired[Annotated[str, Doc("SAID its note")]]
    fixed: ReadOnly[int]


class Loose(TypedDict, total=False):
    name: str


@dataclasses.dataclass
class Record:
    """SAID a dataclass."""

    name: Annotated[str, "SAID by a text"]
    number: Annotated[int, Doc("SAID by a Doc")] = 3
    tags: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Undocumented:
    name: str


@pydantic_dataclass
class Checked:
    """SAID a dataclass of Pydantic's."""

    name: str = Field(description="SAID its name")


class Extra(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow", json_schema_extra={"examples": ["not the fields'"]})

    name: str = Field(json_schema_extra={"description": "SAID by an extra", "x-ui": "big"})
    when: dt.date


class Skipped(BaseModel):
    name: str
    cached: SkipJsonSchema[int] = 7
    maybe: str | SkipJsonSchema[None] = None


class Excluded(BaseModel):
    name: str = Field(exclude=True, description="SAID all the same")


class Bare(BaseModel):
    name: str


class ByValue(BaseModel):
    model_config = ConfigDict(use_enum_values=True)

    team: Team


class Bound(BaseModel):
    code: constr(pattern="^a+$", min_length=1)  # type: ignore[valid-type]
    count: conint(ge=2)  # type: ignore[valid-type]
    price: Decimal = Field(description="SAID the price", ge=0, max_digits=5)
    when: dt.datetime = Field(description="SAID when.")


class Tree(BaseModel):
    name: str
    below: list[Tree] = []


class Lines(RootModel[list[str]]):
    pass


class Size(NamedTuple):
    width: int


class Needed(BaseModel):
    name: str
    hidden: SkipJsonSchema[int]


class Free(BaseModel):
    name: Annotated[str, WithJsonSchema({})]


PLACE = Inner(street="a")
Euros = NewType("Euros", int)
WORKS: list[tuple[Any, Any]] = [
    (Described, Described(name="a", many=["b"], place=Inner(street="c"))),
    (Child, Child(name="a", many=[], place=Inner(street="c"), more=1)),
    (ByAttributes, ByAttributes(name="a")),
    (Twice, Twice(home=PLACE, work=None, others=[], by_team={Team.LOGIN: PLACE}, team=Team.LOGIN)),
    (Page[Inner], Page[Inner](items=[Inner(street="a")], number=1)),
    (Page[int] | None, Page[int](items=[1], number=1)),
    (Aliased, Aliased.model_validate({"oneAlias": "1", "b": "2", "deep": ["3"], "four": "4"})),
    (Camel, Camel(first_name="a")),
    (Tagged, Tagged(pet=Dog(kind="dog", tricks={"sit": 1}))),
    (Called, Called(pet=Dog(kind="dog", tricks={"sit": 1}))),
    (Annotated[Cat | Dog, Field(discriminator="kind")], Cat(kind="cat", lives=9)),
    (Computed, Computed(width=2)),
    (Validated, Validated(name="a", share=0.5, tags=["b"])),
    (Typed, {"name": "a", "fixed": 1}),
    (Typed, {"name": "a", "note": "b", "fixed": 1}),
    (Loose, {}),
    (Record, Record("a")),
    (Undocumented, Undocumented("a")),
    (Checked, Checked("a")),
    (Extra, Extra(name="a", when=dt.date(2026, 1, 2))),
    (Skipped, Skipped(name="a", maybe="b")),
    (Excluded, Excluded(name="a")),
    (Bare, Bare(name="a")),
    (ByValue, ByValue(team=Team.LOGIN)),
    (Bound, Bound(code="aa", count=2, price=Decimal("1.5"), when=dt.datetime(2026, 1, 2, tzinfo=dt.UTC))),
    (Team, Team.LOGIN),
    (Plain, Plain.A),
    (list[Team], [Team.LOGIN]),
    (Annotated[Literal["a"], Field(description="SAID a")] | Annotated[Literal["b"], Field(description="SAID b")], "b"),
    (Annotated[int, "SAID a number"], 1),
    (Annotated[list[str], Doc("SAID a list")], ["a"]),
    (Euros, 3),
    (Path, Path("a/b")),
    (list[HttpUrl], [HttpUrl("https://example.org/a")]),
    (AnyUrl, AnyUrl("ftp://example.org/a")),
    (IPv4Address, IPv4Address("10.0.0.1")),
    (UUID, UUID(int=3)),
    (dt.date, dt.date(2026, 1, 2)),
    (dt.timedelta, dt.timedelta(hours=1)),
    (Mapping[str, int], {"a": 1}),
    (tuple[int, str], (1, "a")),
    (set[int], {1, 2}),
    (frozenset[str], frozenset({"a"})),
    (Annotated[str | int, WithJsonSchema({"type": "string", "description": "SAID by hand"})], "a"),
    (Annotated[int, PlainValidator(int, json_schema_input_type=int)], 3),
]  # fmt: skip


SAYS: list[tuple[Any, list[str]]] = [
    (Described, ["once.", "in a second paragraph.", "as a title: SAID by a field", "for example", "of each", "where",
                 "a place.", "its street"]),
    (Child, ["as a title: SAID by a field", "for example", "of each", "where", "a place.", "its street"]),
    (ByAttributes, ["behind the field."]),
    (Twice, ["at home", "at work", "a place.", "its street", "who takes it.", "Payment and invoices.", "Passwords."]),
    (Page[Inner], ["a page.", "a place.", "its street"]),
    (Aliased, ["one"]),
    (Tagged, ["a pet", "a cat.", "a dog."]),
    (Called, ["a cat.", "a dog."]),
    (Computed, []),
    (Validated, ["a share"]),
    (Typed, ["a typed dict.", "its name", "its note"]),
    (Record, ["a dataclass.", "by a text", "by a Doc"]),
    (Undocumented, []),
    (Checked, ["a dataclass of Pydantic's.", "its name"]),
    (Extra, ["by an extra"]),
    (Excluded, ["all the same"]),
    (Bare, []),
    (Bound, ["the price", "when. ISO 8601"]),
    (Team, ["who takes it.", "Payment and invoices.", "Passwords."]),
    (Plain, []),
    (list[Team] | Team, ["who takes it.", "Payment and invoices.", "Passwords."]),
    (Annotated[Literal["a"], Field(description="SAID a")] | Annotated[Literal["b"], Field(description="SAID b")],
     ["a", "b"]),
    (Annotated[int, "SAID a number"], ["a number"]),
    (Annotated[list[str], Doc("SAID a list")], ["a list"]),
    (Annotated[Inner, Field(description="SAID of the answer")], ["of the answer", "a place.", "its street"]),
    (Annotated[str | int, WithJsonSchema({"type": "string", "description": "SAID by hand"})], ["by hand"]),
]  # fmt: skip
REFUSED: list[tuple[Any, str]] = [
    (Tree, "a list with parent ids"), (Lines, "its inner type"), (Size, "a dataclass or a model"),
    (SecretStr, "stars"), (bytes, "use text"), (dict[str, Any], "the type of its parts"),
    (list, "the type of its parts"),
    (Annotated[int, PlainValidator(int)], "json_schema_input_type"), (Page, "the type of its parts"),
    (Literal[Team.LOGIN], "the enum itself"), (Needed, "give it a default"), (Free, "WithJsonSchema"),
]  # fmt: skip


def phrases(text: str) -> list[str]:
    """Return what the types of this file say in a text, in the order of the alphabet."""
    return sorted(part.strip() for part in re.findall(r'SAID ([^\\";]+)', text))


def sent(tp: Any) -> dict[str, Any]:
    return as_object_schema(tp, schema(tp))


def without_types_of_enums(node: Any) -> Any:
    """Leave out the type beside an enum, which follows from it."""
    if isinstance(node, list):
        return [without_types_of_enums(part) for part in node]
    if not isinstance(node, dict):
        return node
    return {key: without_types_of_enums(part) for key, part in node.items() if key != "type" or "enum" not in node}


pytestmark = pytest.mark.filterwarnings("ignore:Item 'fixed' on TypedDict")  # Pydantic says so of every ReadOnly


@pytest.mark.parametrize(("tp", "value"), WORKS)
def test_what_is_taken_comes_back_and_has_a_schema_that_the_api_takes(tp: Any, value: Any) -> None:
    assert problems(tp) == []
    form = sent(tp)
    text = wire.encode(tp, value)
    assert wire.decode(tp, text) == value
    jsonschema.Draft202012Validator.check_schema(form)
    jsonschema.validate(json.loads(text), form)
    assert revive(tp, json.loads(canonical(value))) == value
    assert without_types_of_enums(transform_schema(form)) == without_types_of_enums(form), "the SDK says the same"


@pytest.mark.parametrize(("tp", "expected"), SAYS)
def test_what_a_type_says_reaches_the_model_once(tp: Any, expected: list[str]) -> None:
    assert phrases(dumps(sent(tp))) == sorted(expected), dumps(sent(tp))


@pytest.mark.parametrize(
    ("tp", "words"),
    [
        (Annotated[int, Field(gt=1, le=9)], "more than 1; at most 9"),
        (Annotated[float, AfterValidator(abs), Field(gt=0)], "more than 0"),
        (Annotated[str, AfterValidator(str.strip), Field(min_length=2)], "length at least 2"),
        (Annotated[dt.date, Field(ge=dt.date(2026, 1, 1))], "ISO 8601; at least 2026-01-01"),
        (
            Annotated[Decimal, Field(max_digits=3, description="SAID.")],
            "SAID. a decimal number as text; digits at most 3",
        ),
        (Annotated[dict[str, int], Field(min_length=1)], "length at least 1"),
        (Annotated[list[int], Field(max_length=3)], "length at most 3"),
        (Annotated[set[int], Field(min_length=2)], "length at least 2"),
        (Annotated[Path, Field(description="where")], "where; format path"),
    ],
)
def test_what_the_api_does_not_enforce_is_said_in_words(tp: Any, words: str) -> None:
    assert expanded(schema(tp))["description"] == words


@pytest.mark.parametrize("tp", [Path, HttpUrl, IPv4Address, Typed, Called, Twice, Skipped])
def test_an_agent_without_a_stand_in_has_a_valid_value(tp: Any) -> None:
    assert wire.decode(tp, wire.encode(tp, sample(tp))) == sample(tp)


@pytest.mark.parametrize(("tp", "way_out"), REFUSED)
def test_what_cannot_be_asked_for_is_refused_with_its_way_out(tp: Any, way_out: str) -> None:
    found = problems(tp)
    assert found and way_out in found[0][1], found
