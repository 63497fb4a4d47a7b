"""What types say of themselves in whole requests: once in an envelope, in an own schema, and to a single agent."""

from __future__ import annotations

import json
import re
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field

from fanwise import Block, Job, agent, graph, preview, step

LONG = Block("long", "l" * 60_000)
GUIDE = Block("guide", "Keep to every rule of this guide. " * 100)


class Row(BaseModel):
    id: str
    text: str


class Team(Enum):
    """SAID who takes it."""

    BILLING = "billing"
    """SAID invoices and payments."""
    OTHER = "other"


class Place(BaseModel):
    """SAID a place in the text."""

    line: int = Field(description="SAID from 1")
    team: Team


class Found(BaseModel):
    """SAID what was found."""

    first: Place = Field(description="SAID the first one")
    last: Place | None = Field(description="SAID the last one")
    prices: dict[str, int]


class Count(BaseModel):
    """SAID a count."""

    words: int


class Both(BaseModel):
    names: Found
    dates: Found
    place: Place


@agent(model="claude-haiku-5-5", context=[GUIDE], max_tokens=400)
def names(text: str) -> Found:
    """Find names."""
    return Found(first=Place(line=1, team=Team.BILLING), last=None, prices={"a": 1})


@agent(model="claude-haiku-5-5", context=[GUIDE], max_tokens=400)
def dates(text: str) -> Found:
    """Find dates."""
    raise NotImplementedError


@agent(model="claude-haiku-5-5", context=[GUIDE], max_tokens=400)
def place(text: str) -> Place:
    """Find the place."""
    raise NotImplementedError


@agent(model="claude-sonnet-5-5", max_tokens=300)
def join(names: Found, dates: Found, place: Place) -> Both:
    """Join what is known."""
    return Both(names=names, dates=dates, place=place)


@graph
def three(row: Row) -> Both:
    return join(names(row.text), dates(row.text), place(row.text))


@agent(model="claude-haiku-5-5", context=[LONG], max_tokens=400)
def tone(text: str) -> str:
    """Say its tone."""
    return "calm"


@agent(model="claude-haiku-5-5", context=[LONG], max_tokens=400)
def theme(text: str) -> str:
    """Say its theme."""
    return "numbers"


@agent(model="claude-haiku-5-5", context=[LONG], max_tokens=400)
def count(text: str) -> Count:
    """Count."""
    return Count(words=len(text.split()))


class Beside(BaseModel):
    count: Count
    texts: list[str]


@step
def both(count: Count, texts: list[str]) -> Beside:
    return Beside(count=count, texts=texts)


@graph
def beside(row: Row) -> Beside:
    return both(count(row.text), [tone(row.text), theme(row.text)])


SHARED = [
    "a place in the text.", "from 1", "invoices and payments.", "the first one", "the last one", "what was found.",
    "who takes it.",
]  # fmt: skip
ALONE = ["a place in the text.", "from 1", "invoices and payments.", "who takes it."]


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    lines = (json.dumps({"id": str(number), "text": f"text number {number}"}) for number in range(10))
    (tmp_path / "rows.jsonl").write_text("\n".join(lines))
    return tmp_path / "rows.jsonl"


def said(body: dict[str, Any]) -> list[str]:
    return sorted(re.findall(r'SAID ([^\\")]+)', json.dumps(body)))


@pytest.mark.parametrize(
    ("schemas", "task", "side", "expected"),
    [
        ("shared", "names", "fanout", SHARED), ("shared", "place", "fanout", SHARED),
        ("strict", "names", "fanout", SHARED), ("strict", "place", "fanout", ALONE),
        ("strict", "join", "fanout", SHARED), ("auto", "baseline", "baseline", SHARED),
    ],
)  # fmt: skip
def test_each_description_is_read_once(rows: Path, schemas: str, task: str, side: Any, expected: list[str]) -> None:
    requests = preview(three, rows, task=task, side=side, schemas=schemas, baseline="auto")
    assert [said(request.body) for request in requests] == [expected]


def test_a_schema_in_the_tail_says_each_once(rows: Path) -> None:
    (request,) = preview(beside, rows, task="count")
    assert "format" not in request.body["output_config"]
    assert said(request.body) == ["a count."]


@pytest.mark.parametrize("schemas", ["shared", "strict", "auto"])
def test_answers_to_schemas_with_definitions_are_read(rows: Path, tmp_path: Path, schemas: Any) -> None:
    account = Job(three, rows=rows, out=tmp_path / "run", channel="live", schemas=schemas, reuse=False).run_sync()
    assert (account.summary["rows"]["succeeded"], account.summary["attempts"]["sent"]) == (10, 40)
    found = next(account.results())["output"]["names"]
    assert (found["first"], found["prices"]) == ({"line": 1, "team": "billing"}, {"a": 1})
