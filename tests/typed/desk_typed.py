"""What both type checkers must accept, and what they must refuse; checked, never run.

A line that must be refused ends with `# refused`. `test_typed.py` compares.
"""

from __future__ import annotations

from typing import assert_type

from pydantic import BaseModel

from fanwise import Agent, Agents, Graph, Scorer, agent, compare, each, given, graph, optional, step, when


class Ticket(BaseModel):
    subject: str
    body: str
    note: str | None


class Topic(BaseModel):
    label: str
    confidence: float


@agent(model="claude-haiku-5-5")
def classify(subject: str, body: str) -> Topic:
    """Classify."""
    raise NotImplementedError


@agent(model="claude-haiku-5-5")
def answer(question: str) -> str:
    """Answer."""
    raise NotImplementedError


@step
def split(body: str) -> list[str]:
    return body.split()


@graph
def good(ticket: Ticket) -> str:
    topic = classify(ticket.subject, ticket.body)
    assert_type(topic, Topic)
    assert_type(each(split(ticket.body), answer), list[str])
    assert_type(each(split(ticket.body), answer, need=2), list[str | None])
    assert_type(optional(answer(ticket.body)), str | None)
    assert_type(given(ticket.note, lambda note: answer(note)), str | None)
    assert_type(when(topic.label == "a", lambda: answer(ticket.body), lambda: topic), str | Topic)
    return answer(topic.label)


@graph
def bad(ticket: Ticket) -> str:
    topic = classify(ticket.subject, ticket.body)
    answer(topic.lable)  # refused
    answer(ticket.body, ticket.subject)  # refused
    classify(ticket.subject)  # refused
    answer(topic.confidence)  # refused
    each(topic, answer)  # refused
    each(split(ticket.body), classify)  # refused
    return topic  # refused


def signatures() -> None:
    one: Agent[[str], str] = answer
    two: Graph[[Ticket], str] = good
    answer.options(name="x", max_tokens=5)
    answer.options(max_tokens="many")  # refused
    assert_type(good.rehearse(Ticket(subject="", body="", note=None)), str)
    print(one, two)


def files() -> None:
    loaded = Agent.load("agents/classify.md", stand_in=str.upper)
    assert_type(loaded("task"), str)
    assert_type(Agents.load("agents/", inherit="claude-haiku-5-5")["classify"]("task"), str)
    loaded(3)  # refused
    typed = Agents.load("agents/", types=[Ticket, Topic])["classify"]
    print(typed("a", body=3))


def near(output: str, row: Ticket, label: str) -> float:
    return float(label in output and row.subject in output)


def blind(output: str, label: str) -> float:
    return float(label in output)


def scorers() -> None:
    scorer: Scorer[str, Ticket, str] = near
    other: Scorer[Topic, Ticket, str] = near  # refused
    compare(good, rows="rows.jsonl", labels="label", score=scorer)
    compare(good, rows="rows.jsonl", labels="label", score=near)
    compare(good, rows="rows.jsonl", labels="label", score=blind)  # refused
    print(other)
