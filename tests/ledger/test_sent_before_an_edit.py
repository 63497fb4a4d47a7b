"""What a row had sent before, after an edit: held against what counts now, in the order of a fresh run."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from pydantic import BaseModel

from fanwise import Block, Emulator, Job, agent, graph, resume, step
from fanwise.engine.arms import build_arms
from fanwise.engine.standin import answerer
from fanwise.graph.graphs import Graph

RULE = "Every rule of this guide is to be kept by whoever answers. "
GUIDE, LONG_GUIDE = Block("guide", RULE * 3), Block("long guide", RULE * 60)
"""One is too short for a cache; who writes the other into it goes first."""


class Letter(BaseModel):
    id: str
    body: str


@step
def listed(topic: str, tone: str, answer: str) -> list[str]:
    return [topic, tone, answer]


@step
def both(topic: str, answer: str) -> list[str]:
    return [topic, answer]


@dataclass(frozen=True)
class Office:
    """A graph of three agents, the last behind the first; what may be edited of it."""

    prompts: dict[str, str] = field(default_factory=dict[str, str])
    plain: str = ""
    """The agent that is not shown the guide."""
    toned: bool = True
    guide: Block = GUIDE

    def graph(self) -> Graph[..., Any]:
        def sort(body: str) -> str:
            return f"about {len(body)}"

        def tone(body: str) -> str:
            return f"kind {len(body)}"

        def draft(body: str, topic: str) -> str:
            return f"{topic}, dear {body[:4]}"

        agents: dict[str, Any] = {}
        for function in (sort, tone, draft):
            name = function.__name__
            function.__doc__ = self.prompts.get(name, f"Do {name}.")
            context = [] if name == self.plain else [self.guide]
            agents[name] = agent(model="claude-haiku-5-5", max_tokens=100, context=context)(function)
        sorting, toning, drafting = agents["sort"], agents["tone"], agents["draft"]

        def whole(letter: Letter) -> list[str]:
            topic = sorting(letter.body)
            return listed(topic, toning(letter.body), drafting(letter.body, topic))

        def short(letter: Letter) -> list[str]:
            topic = sorting(letter.body)
            return both(topic, drafting(letter.body, topic))

        return graph(whole if self.toned else short)


START, PRIMED = Office(), Office(plain="sort", guide=LONG_GUIDE)
"""On the second, the guide's first reader goes ahead of who is asked without it."""
ANEW = {"sort": "Sort it anew."}
EDITS = {
    "what went after what is kept": (PRIMED, replace(PRIMED, prompts=ANEW), "batch"),
    "what was shown to it alone": (START, replace(START, plain="sort"), "batch"),
    "an agent less": (START, replace(START, toned=False), "live"),
    "an agent more": (replace(START, toned=False), START, "live"),
}


def sent_before(summary: dict[str, Any]) -> dict[str, int]:
    return {part["agent"]: part["duplicated_tokens"] for part in summary["slices"]}


@pytest.mark.parametrize("name", EDITS)
def test_what_was_sent_before_is_what_a_fresh_run_says(tmp_path: Path, name: str) -> None:
    """Of what was asked anew nothing counted as sent before, though kept answers of the row had been shown the same."""
    before, after, channel = EDITS[name]
    fields: dict[str, Any] = {"rows": [{"id": "l0", "body": "a letter"}, {"id": "l1", "body": "another"}], "slots": 1}
    Job(before.graph(), out=tmp_path / "edited", channel=channel, **fields).run_sync()
    edited = anyio.run(lambda: resume(tmp_path / "edited", graph=after.graph())).summary
    fresh = Job(after.graph(), out=tmp_path / "fresh", channel=channel, **fields).run_sync().summary
    assert sent_before(edited) == sent_before(fresh)
    assert sum(sent_before(fresh).values()) > 0
    assert edited["levers"]["attempts"] == fresh["levers"]["attempts"]


def test_what_was_under_way_when_a_session_ended_is_counted_as_a_fresh_run_counts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch that a session had left went on counting what nobody sends any more."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    after = replace(START, plain="sort").graph()
    with Emulator(answer=answerer(build_arms({"fanout": after.spec})), batch_delay_s=2.0) as emulator:
        fields: dict[str, Any] = {
            "rows": [{"id": "l0", "body": "a letter"}], "channel": "batch", "base_url": emulator.url,
        }  # fmt: skip
        left = Job(START.graph(), out=tmp_path / "edited", **fields)
        assert anyio.run(partial(left.run, detach=True)).summary["open"]["attempts"] == 2
        edited = anyio.run(
            partial(resume, tmp_path / "edited", graph=after, channel="live", base_url=emulator.url)
        ).summary
        fresh = Job(after, out=tmp_path / "fresh", **fields | {"channel": "live"}).run_sync().summary
    assert sent_before(edited) == sent_before(fresh)
    assert edited["attempts"]["sent"] == fresh["attempts"]["sent"] == 3


def test_what_is_tried_again_in_a_resumed_run_was_sent_before_as_its_first_try_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A retry counted nothing of what a kept answer had been shown before its first try (84 tokens became 0)."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    primed = PRIMED.graph()
    with Emulator(answer=answerer(build_arms({"fanout": primed.spec}))) as emulator:
        letters = [{"id": f"l{number}", "body": f"letter {number} " * 9} for number in range(2)]
        fields: dict[str, Any] = {"rows": letters, "channel": "batch", "base_url": emulator.url}
        fresh = Job(primed, out=tmp_path / "fresh", **fields).run_sync().summary
        emulator.fault(item="errored", status=400, count=1, match="Do sort.")
        failed = Job(primed, out=tmp_path / "edited", **fields).run_sync().summary
        assert failed["rows"]["failed"] == 1
        of_failed = partial(resume, tmp_path / "edited", graph=primed, retry=["failed"], base_url=emulator.url)
        again = anyio.run(of_failed).summary
    assert again["rows"]["failed"] == 0
    assert sent_before(again) == sent_before(fresh)
