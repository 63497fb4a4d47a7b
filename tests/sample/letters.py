"""Two agents that answer letters, beside one whose answers to long letters pass its cap."""

from __future__ import annotations

from pydantic import BaseModel

from fanwise import Block, agent, graph

HANDBOOK = Block("handbook", "A rule that every agent is shown. " * 80)


class Letter(BaseModel):
    id: str
    body: str


@agent(model="claude-haiku-5-5", context=[HANDBOOK], max_tokens=100)
def gist(body: str) -> str:
    """Say what it is about."""
    return body[:20]


@agent(model="claude-haiku-5-5", max_tokens=300)
def answered(gist: str, body: str) -> str:
    """Answer."""
    return f"About {gist}: soon."


@graph
def letters(letter: Letter) -> str:
    return answered(gist(letter.body), letter.body)


@agent(model="claude-sonnet-5-5", context=[HANDBOOK], max_tokens=60)
def whole(body: str) -> str:
    """Answer, and be brief."""
    return f"Soon. {body}"


@graph
def alone(letter: Letter) -> str:
    """One agent; the answers to long letters pass its cap."""
    return whole(letter.body)
