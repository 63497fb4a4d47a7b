"""A small graph that the tests run: three stages, a shared handbook, a fan-out over questions."""

from decimal import Decimal
from typing import Literal

from pydantic import BaseModel

from fanwise import Block, agent, each, graph, optional, step

HANDBOOK = Block("handbook", "A rule that every agent of the desk is shown. " * 60)


class Ticket(BaseModel):
    id: str
    subject: str
    body: str


class Topic(BaseModel):
    label: Literal["login", "other"]
    confidence: float


class Questions(BaseModel):
    items: list[str]


class Reply(BaseModel):
    text: str
    refund: Decimal


@step
def questions(body: str) -> Questions:
    return Questions(items=[part.strip() + "?" for part in body.split("?") if part.strip()])


@agent(model="claude-haiku-5-5", context=[HANDBOOK], max_tokens=200)
def classify(subject: str, body: str) -> Topic:
    """Decide what the ticket is about."""
    return Topic(label="login" if "password" in body else "other", confidence=0.75)


@agent(model="claude-haiku-5-5", context=[HANDBOOK], max_tokens=200)
def research(question: str) -> str:
    """Answer the question from the handbook."""
    return f"About {question}"


@agent(model="claude-haiku-5-5", context=[HANDBOOK], max_tokens=400)
def draft(subject: str, label: str, facts: list[str]) -> Reply:
    """Draft the reply."""
    return Reply(text=f"{subject}: {label}; {' '.join(facts)}", refund=Decimal("1.50"))


@agent(model="claude-haiku-5-5", max_tokens=100)
def greet(subject: str) -> str:
    """Greet."""
    return f"Hello, {subject}"


@agent(model="claude-haiku-5-5", context=[HANDBOOK], max_tokens=400)
def patient_draft(subject: str, label: str, facts: list[str | None], note: str | None) -> Reply:
    """Draft the reply from what there is."""
    return Reply(text=f"{subject}: {label}; {facts}; {note}", refund=Decimal(0))


@graph
def triage(ticket: Ticket) -> Reply:
    """Classify, research every question, draft."""
    topic = classify(ticket.subject, ticket.body)
    facts = each(questions(ticket.body).items, research)
    return draft(ticket.subject, topic.label, facts)


@graph
def patient(ticket: Ticket) -> Reply:
    """The same, but a missing fact or note does not end the row."""
    topic = classify(ticket.subject, ticket.body)
    facts = each(questions(ticket.body).items, research, need=1)
    return patient_draft(ticket.subject, topic.label, facts, optional(greet(ticket.subject)))


@graph
def single(ticket: Ticket) -> str:
    """One agent, one call a row."""
    return greet(ticket.subject)
