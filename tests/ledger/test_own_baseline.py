"""A graph of one agent is its own single agent: 1.00 in tokens and in dollars, whatever goes wrong, and asked once."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Literal

import anyio
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from fanwise import Block, Emulator, HaltedError, Job, agent, each, graph, optional, resume, step, when
from fanwise.dispatch.channel import ChannelChoice
from fanwise.engine.arms import build_arms
from fanwise.engine.standin import answerer
from fanwise.graph.baseline import has_one_agent
from fanwise.graph.graphs import Graph
from fanwise.job.arms import arms_of
from support import DESK, fanwise, lines, tickets

GUIDE = Block("guide", "Keep to the house style. " * 300)


class Letter(BaseModel):
    id: str
    body: str


class Reading(BaseModel):
    words: list[str]
    kind: Literal["short", "long"]


@step
def read(body: str) -> Reading:
    return Reading(words=body.split(), kind="short" if len(body) < 20 else "long")


@agent(model="claude-haiku-5-5", context=[GUIDE], max_tokens=60)
def sort(text: str, kind: str) -> str:
    """Say what it is about."""
    return f"{text[:3]} {kind}"


@step
def shout(text: str) -> str:
    return text.upper()


@step
def or_nothing(text: str | None) -> str:
    return text or "nothing"


@graph
def plain(letter: Letter) -> str:
    return sort(letter.body, "a letter")


@graph
def between_steps(letter: Letter) -> str:
    return shout(sort(letter.body, read(letter.body).kind))


@graph
def chosen(letter: Letter) -> str:
    reading = read(letter.body)
    return or_nothing(optional(when(reading.kind == "long", lambda: sort(letter.body, reading.kind))))


@graph
def repeated(letter: Letter) -> list[str]:
    return each(read(letter.body).words, lambda word: sort(word, "a word"))


@graph
def twice(letter: Letter) -> str:
    return sort(sort(letter.body, "first"), "second")


@graph
def nothing(letter: Letter) -> str:
    return shout(letter.body)


@pytest.mark.parametrize(
    ("job", "is_own"),
    [(plain, True), (between_steps, True), (chosen, True), (repeated, False), (twice, False), (nothing, False)],
    ids=lambda value: value.name if isinstance(value, Graph) else str(value),
)
def test_one_agent_that_a_row_asks_once_is_its_own_baseline(job: Graph[..., Any], is_own: bool) -> None:
    assert has_one_agent(job.spec) is is_own
    assert ("baseline" in arms_of(job, "auto")) == (not is_own and job is not nothing)


FAULTS: list[dict[str, Any]] = [
    {"status": 529, "probability": 0.1, "path": "/v1/messages"},
    {"malformed": True, "probability": 0.1, "path": "/v1/messages"},
    {"lost": True, "probability": 0.1, "path": "/v1/messages"},
    {"item": "expired", "probability": 0.1},
    {"item": "missing", "probability": 0.1},
]


def ratios(multiplier: dict[str, Any]) -> list[float]:
    """Every number that a multiplier says of the tokens and the dollars."""
    numbers = list[float]()
    for unit in ("tokens", "usd", "usd_as_paid"):
        for value in multiplier[unit].values() if multiplier.get(unit) else ():
            numbers += [part for part in (value if isinstance(value, list) else [value]) if part is not None]
    return numbers


@given(
    job=st.sampled_from([plain, between_steps, chosen]),
    count=st.sampled_from([1, 5, 60]),
    channel=st.sampled_from(["live", "batch", "auto"]),
    baseline=st.sampled_from(["auto", "none"]),
    faults=st.lists(st.sampled_from(FAULTS), max_size=2),
    halts=st.booleans(),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=14, deadline=None)
def test_its_multiplier_is_one_and_nothing_is_asked_twice(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    job: Graph[..., Any],
    count: int,
    channel: ChannelChoice,
    baseline: str,
    faults: list[dict[str, Any]],
    halts: bool,
) -> None:
    """Found: one agent cost 0.69 times one agent, since the block that told the sides apart was on one of them."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    out = tmp_path / "run"
    shutil.rmtree(out, ignore_errors=True)
    rows = [Letter(id=f"r{number}", body=f"Letter {number}. " * (1 + number % 4)) for number in range(count)]
    with Emulator(answer=answerer(build_arms(arms_of(job, "auto")))) as emulator:
        for fault in faults:
            emulator.fault(**fault)
        try:
            account = Job(
                job, rows=rows, out=out, channel=channel, baseline=baseline, base_url=emulator.url, slots=8,
                budget_usd="0.003" if halts else None, grace_s=0,
            ).run_sync()  # fmt: skip
        except HaltedError:
            event("halted and resumed")
            account = anyio.run(lambda: resume(out, graph=job, base_url=emulator.url, budget_usd="1", grace_s=0))
    summary = account.summary
    assert summary["own_baseline"] is True
    assert summary["attempts"]["baseline"]["sent"] == 0
    assert summary["baseline_usd"] == "0"
    assert summary["modelled"] is None
    assert summary["rows"]["unfinished"] == 0
    answered = [line for line in account.results() if line["status"] != "failed" and line["tokens"]]
    if answered:
        assert summary["multiplier"]["baseline"] == "own"
        assert set(ratios(summary["multiplier"])) == {1.0}
    for line in answered:
        assert line["multiplier"] in ({"tokens": 1.0, "usd_as_paid": 1.0}, None)
        assert line["multiplier"] or line.get("attempts_of_unknown_cost")
    assert summary["baseline_cost_per_successful_row_usd"] == summary["cost_per_successful_row_usd"]


def test_the_report_the_page_and_the_plan_say_so(tmp_path: Path) -> None:
    rows, out = tickets(tmp_path / "rows.jsonl", 5), tmp_path / "run"
    ran = fanwise("run", f"{DESK}:single", "--rows", rows, "--out", out, "--baseline", "auto", "--channel", "live")
    assert ran.returncode == 0, ran.stderr
    why = "the graph has one agent, so its calls are the single agent's: 1.00 times the tokens"
    said = " ".join(fanwise("report", out).stdout.split())
    assert f"multiplier 1.00x: {why}" in said
    assert ", the graph is its own baseline" in said and "+ baseline $0" not in said
    assert "most:" not in said, "no row was multiplied"
    assert fanwise("report", out, "--html", "--out", tmp_path / "page.html").returncode == 0
    assert why[1:] in (tmp_path / "page.html").read_text(encoding="utf-8").replace("&#39;", "'")
    assert why in " ".join(fanwise("plan", f"{DESK}:single", "--rows", rows).stdout.split())
    assert [line["multiplier"]["tokens"] for line in lines(out / "results.jsonl")] == [1.0] * 5


def test_there_is_nothing_to_compare_and_nothing_of_another_side_to_show(tmp_path: Path) -> None:
    rows, out = tickets(tmp_path / "rows.jsonl", 5), tmp_path / "run"
    compared = fanwise("compare", f"{DESK}:single", "--rows", rows)
    assert compared.returncode == 2
    assert "it is its own single agent (1.00 in tokens and in dollars)" in compared.stderr
    fanwise("run", f"{DESK}:single", "--rows", rows, "--out", out, "--baseline", "auto", "--channel", "live")
    shown = fanwise("show", out, "t0", "greet", "--side", "baseline")
    assert shown.returncode == 2
    assert "--side fanout shows its requests" in shown.stderr


def test_another_graph_that_is_named_is_asked_all_the_same(tmp_path: Path) -> None:
    rows = tickets(tmp_path / "rows.jsonl", 5)
    out, other = tmp_path / "run", f"{DESK}:triage"
    fanwise("run", f"{DESK}:single", "--rows", rows, "--out", out, "--baseline", other, "--channel", "live")
    assert [line["multiplier"]["tokens"] < 1 for line in lines(out / "results.jsonl")] == [True] * 5
