"""Values that were accepted come back as they were: validators, which need not be idempotent, are not called again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

import pytest
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    PrivateAttr,
    TypeAdapter,
    WrapValidator,
    field_validator,
    model_validator,
)
from typing_extensions import TypedDict

from fanwise.canonical import canonical
from fanwise.errors import OutputError
from fanwise.graph.revive import accepted, revive
from fanwise.graph.wire import encode, load, read_answer

Share = Annotated[float, Field(ge=1), AfterValidator(lambda percent: percent / 100)]
Parts = Annotated[list[str], BeforeValidator(lambda text: text.split(";"))]


class Price(BaseModel):
    amount: str
    paid: date = date(2026, 1, 2)
    _seen: int = PrivateAttr(default=0)

    @field_validator("amount")
    @classmethod
    def _dollars(cls, value: str) -> str:
        if not value.startswith("$"):
            raise ValueError("must begin with $")
        return value[1:]


class Counted(BaseModel):
    name: Annotated[Literal["a", "b"], AfterValidator(str.upper)]
    calls: int = 0

    @model_validator(mode="before")
    @classmethod
    def _nested(cls, values: Any) -> Any:
        return {"name": values["deep"]}

    def model_post_init(self, context: Any) -> None:
        self.calls += 1


@dataclass(frozen=True, slots=True)
class Rate:
    share: Share

    def __post_init__(self) -> None:
        if self.share < 0.1:
            raise ValueError("too small")


class Entry(TypedDict):
    share: Share


Doubled = Annotated[int, WrapValidator(lambda value, handler: 2 * handler(value))]

CASES = [
    (Share, 45.0),
    (Parts, "a;b"),
    (Price, {"amount": "$3.50"}),
    (Counted, {"deep": "a"}),
    (Rate, {"share": 45}),
    (Entry, {"share": 45}),
    (Price | Counted | None, {"deep": "b"}),
    (list[Price | str], [{"amount": "$1"}, "x"]),
    (tuple[Share, int], [45, 1]),
    (frozenset[Doubled], [1, 2]),
    (tuple[Doubled, ...], [1, 2]),
    (dict[date, Entry], {"2026-01-02": {"share": 3}}),
    (int | date | Doubled, "2026-01-02"),
    (Annotated[str, AfterValidator(len)], "four"),
]


@pytest.mark.parametrize(("tp", "said"), CASES)
def test_what_was_accepted_is_not_validated_again(tp: Any, said: Any) -> None:
    value = load(tp, said)
    again = revive(tp, json.loads(canonical(value)))
    assert again == value
    assert type(again) is type(value)
    assert revive(tp, json.loads(canonical(again))) == value


@pytest.mark.parametrize(
    ("tp", "value", "validated"),
    [
        (Share, 45.0, 0.45),  # a plain number that a step returns is validated, once
        (Entry, {"share": 45}, {"share": 0.45}),
        (Price, Price.model_construct(amount="3"), Price.model_construct(amount="3")),
        (list[Price], [Price(amount="$3"), {"amount": "$4"}], [Price(amount="$3"), Price(amount="$4")]),
        (Annotated[str, AfterValidator(str.upper)], date(2026, 1, 2), "2026-01-02"),
    ],
)
def test_what_a_step_returns_is_validated_where_it_is_not(tp: Any, value: Any, validated: Any) -> None:
    assert accepted(tp, value) == validated


def test_what_a_model_said_is_kept_apart_from_what_its_validators_made_of_it() -> None:
    class Both(BaseModel):
        price: Price
        share: Share

    answer = read_answer(Both, '{"price":{"amount":"$3.50","paid":"2026-01-02"},"share":45}')
    assert (answer.value.price.amount, answer.value.share) == ("3.50", 0.45)
    assert answer.said is not None
    assert load(Both, json.loads(answer.said)) == answer.value
    assert read_answer(int, encode(int, 3)) == (3, None), "nothing is kept twice where no validator is called"


@pytest.mark.parametrize("error", [KeyError("x"), SystemExit(0), StopIteration(), RecursionError()])
def test_a_validator_is_called_once_for_each_value_and_may_raise_anything(error: BaseException) -> None:
    seen: list[int] = []

    def look(value: int) -> int:
        seen.append(value)
        if value == 3:
            raise error
        return value

    class Looked(BaseModel):
        number: Annotated[int, AfterValidator(look)]
        of: Mapping[str, int]

    wire = '{"number":%d,"of":[{"key":"a","value":1}]}'
    tp: Any = Looked | list[int]
    assert read_answer(Looked, wire % 1).value.of == {"a": 1}
    with pytest.raises(OutputError, match=type(error).__name__):
        read_answer(Looked, wire % 3)
    assert seen == [1, 3]
    assert TypeAdapter(tp).validate_python([1]) == [1]
    assert read_answer(tp, '{"value":[1]}').value == [1]
    assert seen == [1, 3], "no member of a union is tried where all travel alike"
