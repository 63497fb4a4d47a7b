"""Agents that answer text, as it is and by other names, beside one with a schema, on a guide that they share."""

from __future__ import annotations

from typing import Annotated, NewType

from pydantic import AfterValidator, BaseModel, Field
from typing_extensions import TypeAliasType

from fanwise import Block, agent, graph, step, tool

GUIDE = Block("guide", "Keep to every rule of this guide, and to its spirit. " * 100)  # about 1,800 tokens
MODEL = "claude-haiku-5-5"


def no_secret(text: str) -> str:
    if "secret" in text:
        raise ValueError("it gives a secret away")
    return text


Title = NewType("Title", str)
Summary = TypeAliasType("Summary", Annotated[str, Field(min_length=1)])
Safe = Annotated[str, AfterValidator(no_secret), Field(description="without a secret", max_length=5_000)]


class Row(BaseModel):
    id: str
    text: str


class Counts(BaseModel):  # enough fields that it would cost something to send them in every request
    characters: int = Field(description="all of them, white space among them, as a reader would count them")
    letters: int = Field(description="those that belong to the alphabet of any language, marks left out")
    digits: int = Field(description="from 0 to 9, in whatever script they are written in the text")
    lines: int = Field(description="as an editor shows them: one more than there are ends of lines in it")
    questions: int = Field(description="sentences that end with a mark of interrogation, or should do so")
    names: int = Field(description="of people, places and companies, each of them counted a single time")


@tool
def same(text: str) -> str:
    """Return the text."""
    return text


@agent(model=MODEL, context=[GUIDE], max_tokens=2_000)
def said(text: str) -> str:
    """Say it again."""
    return text


@agent(model=MODEL, context=[GUIDE], max_tokens=2_000)
def safe(text: str) -> Safe:
    """Say it without secrets."""
    return text


@agent(model=MODEL, max_tokens=2_000)
def titled(text: str) -> Title:
    """Say it as a title."""
    return Title(text)


@agent(model="claude-sonnet-5-5", max_tokens=2_000)
def summed(text: str) -> Summary:
    """Sum it up."""
    return text


@agent(model=MODEL, tools=[same], max_tokens=2_000, max_turns=3)
def looked(text: str) -> str:
    """Look it up and say it."""
    return same(text)


@agent(model=MODEL, context=[GUIDE], max_tokens=100)
def count(text: str) -> Counts:
    """Count what is in it."""
    return Counts(characters=len(text), letters=0, digits=0, lines=text.count("\n") + 1, questions=0, names=0)


@agent(model=MODEL, context=[GUIDE], max_tokens=100)
def words(text: str) -> list[str]:
    """List its words."""
    return text.split()[:3]


@step
def joined(said: str, safe: str, titled: str, summed: str, looked: str, count: Counts, words: list[str]) -> list[str]:
    return [said, safe, titled, summed, looked]


@graph
def texts(row: Row) -> list[str]:
    text = row.text
    return joined(said(text), safe(text), titled(text), summed(text), looked(text), count(text), words(text))


@graph
def again(row: Row) -> str:
    """One agent, which is its own baseline."""
    return said(row.text)
