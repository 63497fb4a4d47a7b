"""A graph of one agent over notes, for tests of what comes back from a server."""

from __future__ import annotations

from pydantic import BaseModel

from fanwise import agent, graph


class Note(BaseModel):
    id: int
    text: str


@agent(model="claude-haiku-5-5", max_tokens=60)
def grade(text: str) -> int:
    """Grade the note."""
    return len(text)


@graph
def job(note: Note) -> int:
    return grade(note.text)
