"""Types and documents of the agents that the tests of task plans join; imported as the module of types."""

from typing import Annotated, Literal

from pydantic import BaseModel

from fanwise import Block, Document

HANDBOOK = Document.parse("handbook", "# Refunds\n\nWithin 30 days.\n\n# Tone\n\nKind.\n")
NOTE = Block("note", "Nobody works on Sundays.")


class Ticket(BaseModel):
    id: int
    subject: str
    body: str
    history: Annotated[str, Block]
    owner: str | None = None
    tags: list[str] = []


class Topic(BaseModel):
    label: Literal["bug", "bill", "other"]
    confidence: float
    note: str | None


class Found(BaseModel):
    parts: list[str]
    topics: list[Topic]


class Classify(BaseModel):
    subject: str
    body: str


class Split(BaseModel):
    body: str
    history: str


class Research(BaseModel):
    question: str
    label: str = "any"


class Draft(BaseModel):
    facts: list[str]
    label: str


class Maybe(BaseModel):
    facts: list[str | None]
    topic: Topic | None


class Answer(BaseModel):
    text: str
    code: int | str = 0
    mood: Literal[-1, 1] = 1
    lines: list[int | None] = []


class Gather(BaseModel):
    answers: list[Answer | None]
    sure: str | None
    done: bool
