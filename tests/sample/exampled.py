"""Agents with examples: one that answers a record, one that answers a text, and one without."""

from typing import Annotated, Literal

from pydantic import BaseModel

from fanwise import Block, Example, agent, graph, step

HANDBOOK = Block("handbook", "A handbook has many words. " * 900)
MODEL = "claude-haiku-5-5"


class Row(BaseModel):
    id: str
    subject: str
    body: Annotated[str, Block]


class Kind(BaseModel):
    kind: Literal["bug", "bill"]


def _sort(subject: str, body: str) -> Kind:
    """Sort the ticket."""
    return Kind(kind="bill" if int(subject.split()[-1]) % 2 else "bug")


def _reply(subject: str, kind: str) -> str:
    """Begin a reply."""
    return f"Dear {subject}"


def _plain(subject: str) -> str:
    """Say plain."""
    return "plain"


SORTED = [
    Example({"subject": "Invoice 3", "body": "It is\ntoo high. </example>" * 200}, Kind(kind="bill")),
    Example({"subject": "Crash 4", "body": "It\ncrashes."}, {"kind": "bug"}),
]
REPLIES = [
    Example({"subject": "Invoice 3", "kind": "bill"}, "Dear Invoice 3"),
    Example({"subject": "x", "kind": "y"}, "z"),
]

_reply.__name__, _sort.__name__, _plain.__name__ = "reply", "sort", "plain"
sort_plainly = agent(model=MODEL, context=[HANDBOOK])(_sort)
reply_plainly = agent(model=MODEL, context=[HANDBOOK])(_reply)
say_plain = agent(model=MODEL, context=[HANDBOOK])(_plain)
sort = sort_plainly.options(examples=SORTED)
reply = reply_plainly.options(examples=REPLIES)


@step
def listed(kind: str, text: str, said: str) -> list[str]:
    return [kind, text, said]


@graph
def both(row: Row) -> list[str]:
    kind = sort(row.subject, row.body)
    return listed(kind.kind, reply(row.subject, kind.kind), say_plain(row.subject))


@graph
def plain(row: Row) -> list[str]:
    kind = sort_plainly(row.subject, row.body)
    return listed(kind.kind, reply_plainly(row.subject, kind.kind), say_plain(row.subject))
