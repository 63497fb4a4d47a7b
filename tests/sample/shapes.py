"""Graphs with rows and answers of every shape, async bodies, agents without a stand-in, steps alone."""

from dataclasses import dataclass
from typing import Annotated

import anyio
import anyio.lowlevel
from pydantic import Field
from typing_extensions import TypedDict

from fanwise import agent, each, given, graph, step


class Row(TypedDict):
    id: str
    n: int
    tags: list[str]


@dataclass
class Thought:
    table: dict[str, int]
    pair: tuple[int, str]
    who: str | None


@step
async def double(n: int) -> int:
    await anyio.lowlevel.checkpoint()
    return n * 2


@step
def unique(tags: list[str]) -> set[str]:
    return set(tags)


@agent(model="claude-haiku-5-5")
async def think(n: int, tags: set[str]) -> Thought:
    """Think."""
    return Thought(table=dict.fromkeys(tags, n), pair=(n, "x"), who=None if n % 4 else "me")


@agent(model="claude-sonnet-5-5")
def silent(who: str) -> dict[str, list[int]]:
    """No stand-in: a valid value is made from the schema."""


@agent(model="claude-opus-5-5")
def pick(left: str, right: str) -> str:
    """Pick."""
    return left + right


@graph
def steps_only(row: Row) -> int:
    return double(row["n"])


@graph
def may_be_missing(row: Row) -> dict[str, list[int]] | None:
    thought = think(double(row["n"]), unique(row["tags"]))
    return given(thought.who, lambda who: silent(who))


@graph
def two_parameters(n: int, tags: list[str]) -> Thought:
    return think(n, unique(tags))


@graph
def indexed(row: Row) -> list[str]:
    return each(row["tags"], lambda tag: pick(tag, row["tags"][0]))


@graph
def absent(row: Row) -> str:
    return pick(row["id"], row["tags"][1])


@agent(model="claude-haiku-5-5")
def at_least_five(n: int) -> Annotated[int, Field(ge=5)]:
    """The value that is made from the schema is 1: the API enforces no constraint."""


@agent(model="claude-haiku-5-5", max_tokens=3)
def long_winded(n: int) -> str:
    """Answer at length."""
    return "a long answer " * 20


@graph
def invalid(row: Row) -> int:
    return at_least_five(row["n"])


@graph
def truncated(row: Row) -> str:
    return long_winded(row["n"])


@agent(model="claude-haiku-5-5", max_tokens=20)
def nearly(n: int) -> str:
    """Answer at some length: 28 tokens, more than the cap and less than twice as many."""
    return "a few words " * 5


@graph
def tight(row: Row) -> str:
    return nearly(row["n"])
