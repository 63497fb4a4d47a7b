"""Fields that a model must not see: `Field(exclude=True)` keeps them out of every request, and out of keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field

from fanwise import Emulator, Job, agent, graph


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
