"""Users' code, wherever it is called: what it raises is an outcome of its row, and a validator is called once."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import anyio
from pydantic import AfterValidator, BaseModel, field_validator

from fanwise import Job, agent, graph, step
from fanwise.job.job import resume
from support import journal_value


class Note(BaseModel):
    id: str
    text: str


def notes(count: int) -> list[Note]:
    return [Note(id=f"n{number}", text=f"note {number}") for number in range(count)]


# Validators that are not idempotent ----------------------------------------------------------------


class Rate(BaseModel):
    share: Annotated[float, AfterValidator(lambda percent: percent / 100)]
    price: str

    @field_validator("price")
    @classmethod
    def _dollars(cls, value: str) -> str:
        if not value.startswith("$"):
            raise ValueError("must begin with $")
        return value[1:]


@agent(model="claude-haiku-5-5", max_tokens=100)
def rate(text: str) -> Rate:
    """How many percent of it are vowels, and what does it cost?"""
    return Rate.model_construct(share=45.0, price="$3.50")


@step
def counted(text: str) -> Rate:
    return Rate(share=45.0, price="$3.50")


@agent(model="claude-haiku-5-5", max_tokens=100)
def say(rate: Rate) -> str:
    """Say it."""
    return f"{rate.share} for {rate.price}"


@graph
def rates(note: Note) -> list[str]:
    return [say(rate(note.text)), say(counted(note.text))]


def test_what_a_model_said_is_validated_once_and_again_only_from_what_it_said(tmp_path: Path) -> None:
    out = tmp_path / "run"
    before = Job(rates, rows=notes(2), out=out, channel="live").run_sync()
    assert [line["output"] for line in before.results()] == [["0.45 for 3.50"] * 2] * 2
    sent = journal_value(out, "SELECT COUNT(*) FROM attempts")
    assert sent == 6

    after = anyio.run(partial(resume, out, graph=rates))
    assert [line["output"] for line in after.results()] == [["0.45 for 3.50"] * 2] * 2
    assert journal_value(out, "SELECT COUNT(*) FROM attempts") == sent
    kept: Any = journal_value(out, "SELECT x.text FROM tasks t JOIN texts x ON x.sha=t.output WHERE t.agent='rate'")
    assert kept == '{"price":"3.50","share":0.45}', "the account has what was accepted"
