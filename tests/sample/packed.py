"""Two agents, the first of which packs its inputs."""

from __future__ import annotations

from pydantic import BaseModel

from fanwise import agent, graph


class Ticket(BaseModel):
    id: str
    subject: str
    body: str


@agent(model="claude-haiku-4-5", pack=7, max_tokens=60)
def sort(subject: str) -> str:
    """Say what the ticket is about."""
    return f"about {subject}"


@agent(model="claude-haiku-4-5", pack=3, max_tokens=60)
def reply(topic: str, body: str) -> str:
    """Answer it."""
    return f"{topic}, {len(body)}"


@graph
def answered(ticket: Ticket) -> str:
    return reply(sort(ticket.subject), ticket.body)
