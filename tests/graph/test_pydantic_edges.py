"""Types whose values went wrong between a stand-in, the wire and the next agent: each comes back, or is refused."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections import Counter
from enum import Enum, Flag
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Generic, TypeVar

import pytest
from pydantic import (
    AliasChoices,
    AliasPath,
    Base64Bytes,
    Base64Str,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ImportString,
    PlainSerializer,
    Secret,
    WithJsonSchema,
    field_serializer,
    field_validator,
)
from typing_extensions import TypedDict

from fanwise import DefinitionError, Job, agent, graph, step
from fanwise.canonical import canonical
from fanwise.definitions import expanded
from fanwise.graph import wire
from fanwise.graph.answerable import problems
from fanwise.graph.revive import revive
from fanwise.graph.schema import schema

Item = TypeVar("Item")


class Swapped(BaseModel):
    a: int = Field(alias="b")
    b: int = Field(alias="a")


class Borrowed(BaseModel):
    """A field that is read of what is another's name, in a list within."""

    inner: list[Taken]


class Taken(BaseModel):
    first: int = Field(validation_alias=AliasChoices("second", AliasPath("third", 0)))
    second: int = 7
    third: list[int] = []


def german(value: Any) -> Any:
    return dt.datetime.strptime(value, "%d.%m.%Y").date() if isinstance(value, str) else value


def in_german(value: dt.date) -> str:
    return value.strftime("%d.%m.%Y")


German = Annotated[
    dt.date, BeforeValidator(german, json_schema_input_type=str), PlainSerializer(in_german, return_type=str)
]


class Dated(BaseModel):
    day: German
    by_name: dict[str, German] = {}
    pairs: list[tuple[German, int]] = []


class Euros(BaseModel):
    price: float

    @field_validator("price", mode="before")
    @classmethod
    def read(cls, value: Any) -> Any:
        return float(value.removesuffix(" EUR")) if isinstance(value, str) else value

    @field_serializer("price")
    def written(self, value: float) -> str:
        return f"{value} EUR"


class Twin(Enum):
    """Who."""

    ONE = 1
    """the first"""
    ALSO_ONE = 1  # noqa: PIE796 - what is tested
    """the first, by another name"""
    TWO = 2


class Titled(BaseModel):
    """SAID in a docstring."""

    model_config = ConfigDict(title="SAID in a title")
    count: int


class Untitled(BaseModel):
    count: int


@dataclasses.dataclass
class Page(Generic[Item]):
    item: Item


class Entry(TypedDict, Generic[Item]):
    item: Item


@dataclasses.dataclass
class Given:
    seed: dataclasses.InitVar[int]
    size: int = 0

    def __post_init__(self, seed: int) -> None:
        self.size = seed


class Rights(Flag):
    READ = 1
    WRITE = 2


class Unnamed(Enum):
    pass


SWAPPED = Swapped.model_validate({"b": 1, "a": 2})
WORKS: list[tuple[Any, Any]] = [
    (Swapped, SWAPPED),
    (list[Swapped], [SWAPPED]),
    (Swapped | None, SWAPPED),
    (Borrowed, Borrowed(inner=[Taken.model_validate({"second": 1}), Taken(first=3, second=4)])),
    (Dated, Dated(day=dt.date(2026, 2, 1), by_name={"a": dt.date(2026, 3, 2)}, pairs=[(dt.date(2026, 5, 4), 1)])),
    (list[German], [dt.date(2026, 2, 1)]),
    (Euros, Euros(price=1.5)),
    (PurePosixPath, PurePosixPath("a/b")),
    (dict[Path, int], {Path("a/b"): 1}),
    (dict[PurePosixPath, list[PurePosixPath]], {PurePosixPath("a"): [PurePosixPath("b")]}),
    (Twin, Twin.TWO),
]  # fmt: skip
REFUSED: list[tuple[Any, str, str]] = [
    (Page[int], "Page[int]", "a generic BaseModel"),
    (list[Entry[int]], "Entry[int]", "a generic BaseModel"),
    (Counter[str], "Counter[str]", "dict[str, int]"),
    (Given, "'seed'", "a field"),
    (Rights, "Rights", "a list of an Enum"),
    (Unnamed, "Unnamed", "give it members"),
    (Base64Str, "a text in another encoding", "decode it in a step"),
    (dict[str, Base64Bytes], "a text in another encoding", "decode it in a step"),
    (ImportString, "ImportString", "use text"),
    (Secret[int], "Secret[int]", "what is kept of a secret is stars"),
    (Annotated[int, WithJsonSchema({"$ref": "#/$defs/Nothing"})], "refers to", "WithJsonSchema"),
]  # fmt: skip


@pytest.mark.parametrize(("tp", "value"), WORKS)
def test_what_is_taken_comes_back(tp: Any, value: Any) -> None:
    assert problems(tp) == []
    assert wire.decode(tp, wire.encode(tp, value)) == value
    assert revive(tp, json.loads(canonical(value))) == value


@pytest.mark.parametrize(("tp", "what", "way_out"), REFUSED)
def test_what_does_not_come_back_is_refused_with_its_way_out(tp: Any, what: str, way_out: str) -> None:
    ((message, hint),) = problems(tp)
    assert what in message and way_out in hint


def test_a_member_under_two_names_is_one_choice() -> None:
    assert expanded(schema(Twin))["enum"] == [1, 2]


def test_a_title_that_the_user_has_written_is_read_and_the_name_of_a_class_is_not() -> None:
    assert expanded(schema(Titled))["description"] == "SAID in a title: SAID in a docstring."
    assert "description" not in expanded(schema(Untitled))


def test_an_answer_is_written_with_its_fields_in_the_order_of_their_type() -> None:
    """As a model writes it that keeps to the schema: reasons before what follows from them."""

    class Judged(BaseModel):
        why: str
        counts: dict[str, int]
        label: str

    text = wire.encode(Judged, Judged(why="w", counts={"b": 1, "a": 2}, label="l"))
    assert text == '{"why":"w","counts":[{"key":"a","value":2},{"key":"b","value":1}],"label":"l"}'
    assert wire.encode_field(Judged, wire.decode(Judged, text)) == text


@pytest.mark.parametrize(("tp", "value"), [(Swapped, SWAPPED), (Dated, Dated(day=dt.date(2026, 2, 1)))])
def test_through_a_whole_run(tmp_path: Path, tp: Any, value: Any) -> None:
    """Agent to step, agent to agent and step to agent, over HTTP: fields that swap their names came back swapped."""
    seen: list[Any] = []

    @agent(model="claude-haiku-5-5")
    def makes(text: str) -> tp:
        """Make it."""
        return value

    @step
    def passes(made: tp) -> tp:
        seen.append(made)
        return made

    @agent(model="claude-haiku-5-5")
    def reads(first: tp, second: tp) -> str:
        """Read both."""
        seen.extend([first, second])
        return "ok"

    @graph
    def job(text: str) -> str:
        made = makes(text)
        return reads(made, passes(made))

    account = Job(job, rows=[{"text": "x"}], out=tmp_path, channel="live").run_sync()
    assert account.summary["rows"]["succeeded"] == 1
    assert seen == [value] * 3


def test_steps_refuse_what_does_not_come_back_from_the_journal() -> None:
    for tp, what in ((Base64Str, "a text in another encoding"), (Secret[int], "stars"), (ImportString, "import")):
        with pytest.raises(DefinitionError, match=what):

            @step
            def makes(text: str) -> tp:  # pyright: ignore[reportUnusedFunction]
                return text
