"""Fields that a model must not see: `Field(exclude=True)` keeps them out of every request, and out of keys."""

from __future__ import annotations

import json
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from pydantic import BaseModel, Field

from fanwise import Emulator, Job, agent, graph, preview, resume, step


class Owner(BaseModel):
    name: str
    secret: str = Field(default="", exclude=True)


class Ticket(BaseModel):
    text: str
    owners: list[Owner]
    by_name: dict[str, Owner | None] = {}
    secret: str = Field(default="", exclude=True)


@agent(model="claude-haiku-5-5", max_tokens=50)
def read(ticket: Ticket, more: tuple[Owner, ...] = ()) -> str:
    """Read the ticket."""
    return f"{ticket.text} {ticket.owners[0].name}{ticket.secret}{ticket.owners[0].secret}"


@graph
def job(ticket: Ticket) -> str:
    return read(ticket)


def test_what_is_excluded_is_in_no_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found: a row that was passed whole was shown with them."""
    hidden = {"name": "Ada", "secret": "HIDDEN"}
    rows = [
        {"text": "one", "owners": [hidden], "by_name": {"a": hidden, "b": None}, "secret": f"HIDDEN{number}"}
        for number in range(2)
    ]
    sent: list[str] = []
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")

    def answer(body: Any) -> None:
        sent.append(str(body))

    with Emulator(answer=answer) as emulator:
        run = Job(job, rows=rows, out=tmp_path / "run", base_url=emulator.url, channel="live")
        account = run.run_sync()
    assert account.summary["rows"]["succeeded"] == 2
    assert all("Ada" in text and "HIDDEN" not in text for text in sent) and sent


def test_a_stand_in_sees_what_the_model_sees(tmp_path: Path) -> None:
    row = {"text": "one", "owners": [{"name": "Ada", "secret": "HIDDEN"}], "secret": "HIDDEN"}
    account = Job(job, rows=[row], out=tmp_path / "run", channel="live").run_sync()
    assert [line["output"] for line in account.results()] == ["one Ada"]


class Person(BaseModel):
    name: str
    number: int = Field(exclude=True)


class Case(BaseModel):
    text: str
    people: list[Person]
    by_name: dict[str, Person | None] = {}
    secret: str = Field(exclude=True)


class Judgement(BaseModel):
    label: str
    reasoning: str = Field(exclude=True)


@agent(model="claude-haiku-5-5", max_tokens=50)
def judge(case: Case) -> Judgement:
    """Judge."""
    return Judgement(label=f"{case.text} {case.people[0].name} {case.by_name['a']!r}", reasoning="REASONS")


@agent(model="claude-haiku-5-5", max_tokens=50)
def check(judgement: Judgement) -> Judgement:
    """Check."""
    return Judgement(label=repr(judgement), reasoning="MORE")


@step
def told(first: Judgement, second: Judgement) -> list[str]:
    return [first.reasoning, second.reasoning, second.label]


@graph
def judged(case: Case) -> list[str]:
    first = judge(case)
    return told(first, check(first))


def test_what_is_excluded_and_required_is_asked_for_kept_and_not_shown(tmp_path: Path) -> None:
    """Found: no stand-in could be asked that is shown a record with such a field: "secret: Field required"."""
    person = {"name": "Ada", "number": 7}
    row = {"text": "one", "people": [person], "by_name": {"a": person}, "secret": "HIDDEN"}
    out = tmp_path / "run"
    account = Job(judged, rows=[row], out=out, channel="live").run_sync()
    expected = ["REASONS", "MORE", "Judgement(label=\"one Ada Person(name='Ada')\")"]
    assert [line["output"] for line in account.results()] == [expected]
    again = anyio.run(partial(resume, out, graph=judged))
    assert [line["output"] for line in again.results()] == [expected]
    assert again.summary["attempts"]["sent"] == 2


class Tone(Enum):
    CALM = "calm"


class Toned(BaseModel):
    """An enum is brought into its form before a request is made; what was excluded was shown behind that."""

    id: str
    tone: Tone = Tone.CALM
    owners: list[Owner] = []
    secret: str = Field(default="", exclude=True)


@agent(model="claude-haiku-5-5", max_tokens=50)
def look(row: Toned, rows: list[Toned]) -> str:
    """Look at the row."""
    return "looked"


@graph
def toned(row: Toned) -> str:
    return look(row, [row])


def test_what_is_excluded_is_in_no_request_beside_an_enum_either(tmp_path: Path) -> None:
    hidden = {"name": "Ada", "secret": "HIDDEN"}
    (tmp_path / "rows.jsonl").write_text(json.dumps({"id": "1", "owners": [hidden], "secret": "HIDDEN"}) + "\n")
    (shown,) = preview(toned, tmp_path / "rows.jsonl")
    assert "Ada" in str(shown.body) and "calm" in str(shown.body)
    assert "HIDDEN" not in str(shown.body)
