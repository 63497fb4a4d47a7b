"""The jobs of `plan.py`: graphs of every shape, and rows of a draw."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel

from fanwise import Block, agent, each, graph, tool, when
from fanwise.engine.load import load_graph

EXAMPLES = Path(__file__).parent.parent / "examples"
HAIKU, SONNET, OPUS = "claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5"
GUIDE = Block("guide", "Keep to every rule of this guide, and to no other. " * 250)  # about 3,000 tokens
BOOK = Block("book", "The book has a rule for every case that there may be. " * 1_200)  # about 16,000 tokens


class Length:
    """How long answers are, and lists in them, beside those that a plan knows."""

    factor = 1.0


def words(count: float) -> str:
    return " ".join(["word"] * max(round(count * Length.factor), 1))


class Text(BaseModel):
    id: str
    text: str
    parts: list[str] = []


class Page(BaseModel):
    id: str
    text: Annotated[str, Block]


@agent(model=SONNET, context=[BOOK], max_tokens=1_500)
def judge(text: str) -> str:
    """Judge the text by the book."""
    return f"Of {text[:12]!r}: {words(len(text) / 12)}"  # as with a model, no two answers are alike


@agent(model=SONNET, context=[BOOK], max_tokens=600)
def sentence(judgement: str) -> str:
    """Say in a sentence what was judged."""
    return words(20)


@graph
def by_the_book(row: Text) -> str:
    return sentence(judge(row.text))


@agent(model=HAIKU, context=[GUIDE], max_tokens=600)
def answer(part: str) -> str:
    """Answer by the guide."""
    return f"To {part[:30]!r}: {words(len(part) / 4)}"  # likewise


@agent(model=SONNET, max_tokens=2_000)
def gather(answers: list[str]) -> str:
    """Write one text of the answers."""
    return words(20 * len(answers))


@graph
def lists(row: Text) -> str:
    return gather(each(row.parts, answer))


@agent(model=HAIKU, max_tokens=1_000)
def split(text: str) -> list[str]:
    """List the questions of the text."""
    count = max(round(len(text) / 150 * Length.factor), 1)
    return [f"Question {number}: {text[:40]}" for number in range(count)]


@agent(model=SONNET, max_tokens=2_000)
def condense(answers: list[str]) -> str:
    """Write a short text of the answers."""
    return words(80)


@graph
def planned_lists(row: Text) -> str:
    return condense(each(split(row.text), answer))


class Kind(BaseModel):
    hard: bool


@agent(model=HAIKU, context=[GUIDE], max_tokens=100)
def sort(text: str) -> Kind:
    """Say whether the text is hard."""
    return Kind(hard=len(text) > 700)


@agent(model=HAIKU, max_tokens=600)
def short(text: str) -> str:
    """Answer in short."""
    return words(30)


@agent(model=OPUS, context=[GUIDE], max_tokens=3_000)
def long(text: str) -> str:
    """Answer at length."""
    return words(len(text) / 6)


@graph
def branches(row: Text) -> str:
    return when(sort(row.text).hard, lambda: long(row.text), lambda: short(row.text))


@agent(model=HAIKU, context=[GUIDE], max_tokens=300)
def lawful(text: str) -> str:
    """Say whether the page is lawful."""
    return words(25)


@agent(model=HAIKU, context=[GUIDE], max_tokens=300)
def readable(text: str) -> str:
    """Say whether the page can be read."""
    return words(len(text) / 60)


@agent(model=SONNET, context=[GUIDE], max_tokens=400)
def verdict(law: str, reading: str) -> str:
    """Give the verdict."""
    return words(30)


@graph
def documents(page: Page) -> str:
    return verdict(lawful(page.text), readable(page.text))


@tool
def look_up(passage: str) -> str:
    """Look up a passage."""
    return f"The entry on {passage}: " + "it says so. " * 20


@agent(model=SONNET, context=[GUIDE], tools=[look_up], max_tokens=800)
def seek(text: str) -> str:
    """Look up what the text names."""
    entries = [look_up(text[place : place + 20]) for place in range(0, min(len(text), 900), 300)]
    return words(len(entries) * 20)


@graph
def tools(row: Text) -> str:
    return seek(row.text)


@agent(model=HAIKU, max_tokens=500)
def digest(text: str) -> str:
    """Sum up the text."""
    return words(60)


@agent(model=HAIKU, max_tokens=300)
def title(digest: str) -> str:
    """Find a title."""
    return words(6)


@graph
def price_steps(row: Text) -> str:
    return title(digest(row.text))


# Rows -----------------------------------------------------------------------------------------------

Rows = Callable[[random.Random, int], Iterator[dict[str, Any]]]


def texts(median: int, sigma: float, field: str = "text") -> Rows:
    """Rows whose texts are lognormally long, in characters."""

    def rows(chance: random.Random, count: int) -> Iterator[dict[str, Any]]:
        for number in range(count):
            length = max(round(chance.lognormvariate(0, sigma) * median), 20)
            yield {"id": f"r{number}", field: f"{number} " + ("and this and that " * (length // 18 + 1))[:length]}

    return rows


def with_parts(chance: random.Random, count: int) -> Iterator[dict[str, Any]]:
    """Rows with lists of geometric length."""
    for number in range(count):
        parts = 1
        while chance.random() < 0.7 and parts < 40:
            parts += 1
        questions = [f"{number}.{place} " + "is it so " * chance.randint(2, 30) for place in range(parts)]
        yield {"id": f"r{number}", "text": str(number), "parts": questions}


def of_example(name: str, file: str, made: int) -> Rows:
    """Rows of an example, drawn from all that its script makes."""

    def rows(chance: random.Random, count: int) -> Iterator[dict[str, Any]]:
        with tempfile.TemporaryDirectory() as folder:
            script = EXAMPLES / name / "make_rows.py"
            subprocess.run([sys.executable, str(script), folder, str(made)], check=True, capture_output=True)
            lines = (Path(folder) / file).read_text(encoding="utf-8").splitlines()
        yield from map(json.loads, chance.sample(lines, min(count, len(lines))))

    return rows


@dataclass(frozen=True, kw_only=True)
class PlannedJob:
    """A job that is planned and then carried out."""

    graph: Any
    rows: Rows
    count: int
    own_lengths: bool = True
    """Whether its answers can be of other lengths than a plan knows."""


def example(name: str, graph: str, file: str, made: int, count: int) -> PlannedJob:
    spec = load_graph(f"{EXAMPLES / name / 'graph.py'}:{graph}")
    return PlannedJob(graph=spec, rows=of_example(name, file, made), count=count, own_lengths=False)


def jobs() -> dict[str, PlannedJob]:
    """Return all jobs by name."""
    return {
        "tickets": example("tickets", "triage", "tickets.jsonl", 400, 100),
        "reviews": example("stdlib_review", "review", "modules.jsonl", 200, 60),
        "verdicts": example("verdicts", "apart", "cases.jsonl", 300, 100),
        "by the book": PlannedJob(graph=by_the_book, rows=texts(900, 0.5), count=120),
        "lists": PlannedJob(graph=lists, rows=with_parts, count=100),
        "planned lists": PlannedJob(graph=planned_lists, rows=texts(500, 0.6), count=100),
        "branches": PlannedJob(graph=branches, rows=texts(500, 0.9), count=150),
        "documents": PlannedJob(graph=documents, rows=texts(9_000, 0.7), count=80),
        "tools": PlannedJob(graph=tools, rows=texts(500, 0.7), count=80),
        "price steps": PlannedJob(graph=price_steps, rows=texts(300_000, 0.4), count=40),
    }
