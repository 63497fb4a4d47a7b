"""How schemas travel: four agents with four schemas share one prefix, or have one each where told to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from fanwise import Block, Job, agent, graph
from fanwise.job.account import Account
from support import bill, emulator, post

GUIDE = Block("guide", "Keep to every rule of this guide. " * 100)  # about 1,400 tokens


class Row(BaseModel):
    id: str
    text: str


class Verdict(BaseModel):
    good: bool
    because: str


class Score(BaseModel):
    points: int
    out_of: int


@agent(model="claude-haiku-5-5", context=[GUIDE], max_tokens=100)
def judge(text: str) -> Verdict:
    """Judge the text."""
    return Verdict(good=True, because="it is")


@agent(model="claude-haiku-5-5", context=[GUIDE], max_tokens=100)
def score(text: str) -> Score:
    """Score the text."""


@agent(model="claude-haiku-5-5", context=[GUIDE], max_tokens=100)
def label(text: str) -> list[str]:
    """Label the text."""
    return ["a", "b"]


@agent(model="claude-haiku-5-5", context=[GUIDE], max_tokens=100)
def length(text: str) -> int:
    """Count the words."""
    return len(text.split())


class All(BaseModel):
    judge: Verdict
    score: Score
    label: list[str]
    length: int


@agent(model="claude-sonnet-5-5", max_tokens=300)
def join(judge: Verdict, score: Score, label: list[str], length: int) -> All:
    """Join what is known."""
    return All(judge=judge, score=score, label=label, length=length)


@graph
def four(row: Row) -> All:
    return join(judge(row.text), score(row.text), label(row.text), length(row.text))


def carried_out(out: Path, **options: Any) -> Account:
    rows = [Row(id=str(number), text=f"text number {number}") for number in range(10)]
    return Job(four, rows=rows, out=out, **options).run_sync()


@pytest.mark.parametrize("channel", ["live", "batch"])
def test_four_schemas_share_one_prefix(tmp_path: Path, channel: str) -> None:
    account = carried_out(tmp_path / "run", channel=channel)
    assert account.summary["rows"]["succeeded"] == 10
    first = next(account.results())["output"]
    assert first["judge"] == {"good": True, "because": "it is"}
    assert (first["length"], first["label"], first["score"]["points"]) == (3, ["a", "b"], 1)
    if channel == "live":
        assert account.summary["tokens"]["cache_write_5m"] < 1_800, "the guide once, and each one's instructions"
        assert account.summary["cache"]["reads"] == 39


def test_strict_schemas_have_a_cache_each(tmp_path: Path) -> None:
    account = carried_out(tmp_path / "run", channel="live", schemas="strict").summary
    assert account["tokens"]["cache_write_5m"] > 4 * 1_360
    assert account["cache"]["reads"] == 36


def test_an_answer_under_another_agents_name_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    wrong = {"label": {"value": ["not", "asked"]}}
    with emulator() as url:
        post(f"{url}/_emulator/answers", {"match": "Answer as the agent judge.", "json": wrong, "count": 1})
        account = carried_out(tmp_path / "run", channel="live", base_url=url, reuse=False)
        assert account.summary["rows"]["succeeded"] == 10
        assert account.summary["attempts"]["sent"] == 51, "one was asked twice, with the reason"
        assert account.summary["cost_usd"] == bill(url)["totals"]["usd"], "both answers were paid"
    assert account.summary["failed_tasks"] == {}
