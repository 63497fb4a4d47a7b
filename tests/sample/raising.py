"""A graph whose every function of the user's raises where a row's plan says so: validators, steps, tools, values."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, cast

from pydantic import AfterValidator, BaseModel
from pydantic_core import PydanticCustomError

from fanwise import HaltedError, agent, graph, step, tool, when


@dataclass(slots=True)
class Failure:
    """What a place does in a row: at its first calls nothing, then it raises for ever."""

    place: str
    kind: str
    """Name of an exception."""
    spared: int = 0
    """Calls that are still good."""


PLANS: dict[str, Failure] = {}
"""By the name of a row."""


def fail_at(place: str, name: str) -> None:
    """Raise what the plan of a row has for a place."""
    plan = PLANS.get(name.partition(":")[0])
    if plan is not None and plan.place == place:
        plan.spared -= 1
        if plan.spared < 0:
            raise EXCEPTIONS[plan.kind]()


# What may be raised --------------------------------------------------------------------------------


class MuteError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


class LeavingError(ValueError):
    def __str__(self) -> str:
        raise SystemExit(0)


class HalfError(ValueError):
    def __str__(self) -> str:
        return "half \ud83d"


class NumberError(TypeError):
    def __str__(self) -> str:
        return cast("Any", 5)


class OwnBaseError(BaseException):
    def __repr__(self) -> str:
        raise KeyError("no form")


CANCELLED: Any = importlib.import_module("asyncio").CancelledError
NAMED: tuple[type[BaseException], ...] = (
    MuteError, LeavingError, HalfError, NumberError, OwnBaseError, KeyboardInterrupt, GeneratorExit, StopIteration,
    StopAsyncIteration, RecursionError, MemoryError, TimeoutError, AssertionError, KeyError, OSError, CANCELLED,
)  # fmt: skip
EXCEPTIONS: dict[str, Callable[[], BaseException]] = {
    **{kind.__name__: kind for kind in NAMED},
    "SystemExit": lambda: SystemExit(0),
    "SystemExit that steers": lambda: SystemExit("\x1b[1m"),
    "long": lambda: ValueError("long " * 9_999),
    "group": lambda: ExceptionGroup("several", [ValueError("a"), MuteError()]),
    "base group": lambda: BaseExceptionGroup("several", [SystemExit(0), OwnBaseError()]),
    "undecodable": lambda: UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
    "Pydantic's": lambda: PydanticCustomError("odd", "an odd {thing}", {"thing": "\x00"}),
    "ours": lambda: HaltedError("by a row"),
    "warning": lambda: UserWarning("\ud83d"),
}
"""What makes an exception, by its name."""


# Where -----------------------------------------------------------------------------------------------


class Tag(str):
    """A text with a comparison of its own."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        fail_at("comparison", str.__str__(self))
        return str.__eq__(self, other)

    def __hash__(self) -> int:
        fail_at("hash", str.__str__(self))
        return str.__hash__(self)


class Names(list[str]):
    """A list with an iterator of its own, which is what serializes it."""

    def __iter__(self) -> Any:
        for name in range(len(self)):
            fail_at("serializer", self[name])
            yield self[name]


def validated(place: str) -> Any:
    def validate(text: str) -> str:
        fail_at(place, text)
        return text

    return Annotated[str, AfterValidator(validate)]


class Row(BaseModel):
    id: int
    name: validated("row")  # pyright: ignore[reportInvalidTypeForm]
    tag: Annotated[str, AfterValidator(Tag)]
    names: Annotated[list[str], AfterValidator(Names)]


class Said(BaseModel):
    name: validated("answer")  # pyright: ignore[reportInvalidTypeForm]


class Value(BaseModel):
    name: validated("step's value")  # pyright: ignore[reportInvalidTypeForm]


@step
def stepped(name: str) -> Value:
    fail_at("step", name)
    return cast("Any", {"name": name})


@step
async def later(name: str) -> list[str]:
    fail_at("later", name)
    return Names([name])


@tool
def look(name: str) -> str:
    """Look it up."""
    fail_at("tool", name)
    return name


@agent(model="claude-haiku-5-5", max_tokens=100, tools=[look], max_turns=3)
def ask(name: str) -> Said:
    """Look it up, and say it."""
    fail_at("stand-in", name)
    try:
        return Said.model_construct(name=look(name))
    except Exception:  # what the tool has raised is told to a model, which goes on
        return Said.model_construct(name=name)


@agent(model="claude-haiku-5-5", max_tokens=100)
def sort(names: list[str]) -> list[str]:
    """Sort the names."""
    return sorted(names)


@graph
def places(row: Row) -> list[Any]:
    listed = later(stepped(row.name).name)
    tagged = when(row.tag == "n3", lambda: stepped(row.tag).name, lambda: row.name)
    return [ask(row.name), sort(row.names), listed, tagged, row.tag]  # pyright: ignore[reportReturnType] - in a graph it is its value


PLACES = ("row", "step", "later", "tool", "stand-in", "answer", "step's value", "serializer", "comparison", "hash")
SELDOM = ("serializer", "tool", "hash")
"""Places that need not be called, or whose failure is told to a model."""


def record(name: str, number: int = 0) -> dict[str, Any]:
    """The row of a plan's name."""
    return {"id": number, "name": name, "tag": name, "names": [name]}
