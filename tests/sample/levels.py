"""A graph whose prefixes have three levels: what all share, an agent's own, and a document of the row."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel

from fanwise import Block, agent, graph

GUIDE = Block("guide", "Keep to every rule of this guide. " * 120)
LAW = Block("law", "The law says what may be written. " * 90)


class Page(BaseModel):
    id: str
    title: str
    text: Annotated[str, Block]


class Finding(BaseModel):
    good: bool
    why: str


@agent(model="claude-haiku-5-5", context=[GUIDE, LAW], max_tokens=200)
def lawful(text: str, title: str) -> Finding:
    """Say whether the text is lawful."""
    return Finding(good=len(text) % 2 == 0, why=f"{title} is {len(text)} characters long")


@agent(model="claude-haiku-5-5", context=[GUIDE], max_tokens=200)
def readable(text: str) -> Finding:
    """Say whether the text can be read."""
    return Finding(good=True, why=text[:60])


@agent(model="claude-sonnet-5-5", context=[GUIDE], max_tokens=300)
def verdict(title: str, lawful: Finding, readable: Finding) -> str:
    """Give the verdict."""
    return f"{title}: {lawful.why}; {readable.why}"


@agent(model="claude-sonnet-5-5", context=[GUIDE], max_tokens=300)
def letter(verdict: str) -> str:
    """Write the letter."""
    return f"Dear reader, {verdict}"


@graph
def levels(page: Page) -> str:
    return letter(verdict(page.title, lawful(page.text, page.title), readable(page.text)))
