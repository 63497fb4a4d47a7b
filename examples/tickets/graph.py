"""Support tickets: what is it about, what do its questions need, and a reply.

The bodies are stand-ins: they answer offline, by rules over exactly what the agent is shown.
"""

import re
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel

from fanwise import Document, agent, each, graph, step

HANDBOOK = Document.load("handbook.md")
FACTS = {
    "refund": "A charge is refunded in full within 30 days when the service was not used after it.",
    "twice": "A charge that was made twice is always refunded once.",
    "password": "The reset link on the login page is good for one hour.",
    "locked": "The lock ends by itself after 15 minutes.",
    "export": "Exports of more than 10,000 lines are made at night and sent by mail.",
    "plan": "A plan can be changed at any time.",
}


class Ticket(BaseModel):
    id: str
    subject: str
    body: str


class Topic(BaseModel):
    label: Literal["billing", "login", "bug", "other"]
    confidence: float


class Questions(BaseModel):
    items: list[str]


class Reply(BaseModel):
    text: str
    refund_usd: Decimal


@step
def questions(body: str) -> Questions:
    """Cut the questions out of a ticket."""
    return Questions(items=[part.strip() for part in re.findall(r"[^.?!]+\?", body)])


@agent("agents/classify.md", context=[HANDBOOK])
def classify(subject: str, body: str) -> Topic:
    text = f"{subject} {body}".lower()
    for label, words in (
        ("billing", "charge|invoice|refund|plan"),
        ("login", "password|locked|code|sign"),
        ("bug", "error|crash|export|broken"),
    ):
        if re.search(words, text):
            return Topic(label=label, confidence=0.9)
    return Topic(label="other", confidence=0.6)


@agent("agents/research.md", context=[HANDBOOK])
def research(question: str) -> str:
    for word, fact in FACTS.items():
        if word in question.lower():
            return fact
    return "The handbook does not say."


@agent("agents/draft.md", context=[HANDBOOK["refunds"], HANDBOOK["tone"]])
def draft(body: str, label: str, facts: list[str]) -> Reply:
    amount = re.search(r"(\d+) dollars", body)
    refund = Decimal(amount[1]) if label == "billing" and amount and "twice" in body else Decimal(0)
    return Reply(text=" ".join(["Thank you for writing.", *facts, "The support team"]), refund_usd=refund)


@graph
def triage(ticket: Ticket) -> Reply:
    """Answer one support ticket."""
    topic = classify(ticket.subject, ticket.body)
    facts = each(questions(ticket.body).items, research, most=8)
    return draft(ticket.body, topic.label, facts)
