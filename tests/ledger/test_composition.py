"""What the tokens are made of, and one agent that was composed and counted instead of asked."""

from __future__ import annotations

import random
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import pytest
from desk import HANDBOOK, triage
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from shapes import steps_only

from fanwise import Emulator, Job, agent, each, graph
from fanwise.journal.meta import TASKS
from fanwise.journal.records import AskRecord, AttemptRecord, EndRecord
from fanwise.journal.sqlite import SqliteJournal
from fanwise.ledger.composition import KINDS, composition
from fanwise.pricing.usage import Usage
from fanwise.rendering.html.sentences import sentences as page_sentences
from support import fanwise, read_only, summary


class Letter(BaseModel):
    id: str
    body: str


@agent(model="claude-haiku-5-5", context=[HANDBOOK], max_tokens=300)
def reply(body: str) -> str:
    """Reply."""
    return "Soon."


@graph
def replies(letter: Letter) -> str:
    return reply(letter.body)


@agent(model="claude-haiku-5-5", max_tokens=300)
def sentences(body: str) -> list[str]:
    """Split into sentences."""
    return [one for one in body.split(".") if one.strip()]


@agent(model="claude-haiku-5-5", max_tokens=300)
def note(sentence: str, body: str) -> str:
    """Take note of it."""
    return sentence * 3


@agent(model="claude-haiku-5-5", max_tokens=300)
def joined(notes: list[str]) -> str:
    """Join them."""
    return " ".join(notes)


@graph
def notes(letter: Letter) -> str:
    return joined(each(sentences(letter.body), lambda one: note(one, letter.body)))


def test_what_travels_along_an_edge_is_what_was_passed(tmp_path: Path) -> None:
    rows = [
        {"id": str(number), "body": " ".join(f"A sentence {number} {part}." for part in range(number % 4 + 1))}
        for number in range(12)
    ]
    account = Job(notes, rows=rows, out=tmp_path / "run", channel="live").run_sync()
    with read_only(tmp_path / "run" / "journal.db") as db:
        db.row_factory = None
        found = composition(db)
        outputs = dict(db.execute("SELECT node, SUM(output) FROM served GROUP BY node"))
    assert set(found.edges) == {
        ("fanout", "row letter", "sentences"), ("fanout", "row letter", "note"), ("fanout", "sentences", "note"),
        ("fanout", "note", "joined"),
    }  # fmt: skip
    for (_, source, _), flow in found.edges.items():
        if source in outputs:  # what it wrote in JSON is what the next one reads, but for quotes and commas
            assert 0.7 * outputs[source] < flow.tokens < 1.5 * outputs[source], source
        assert flow.cost > 0
    parts = account.summary["made_of"]["fanout"]
    assert parts["context"] == 0
    assert parts["conversation"] < 0.01 * sum(parts.values())
    tokens = account.summary["tokens"]["fanout"]
    assert sum(parts.values()) == pytest.approx(sum(tokens.values()), abs=len(KINDS)), "the parts sum to the tokens"


def test_a_shared_handbook_is_context_on_both_sides(tmp_path: Path) -> None:
    rows = [{"id": str(number), "subject": "s", "body": "One? Two?"} for number in range(6)]
    account = Job(triage, rows=rows, out=tmp_path / "run", channel="live", baseline="auto").run_sync()
    for arm in ("fanout", "baseline"):
        parts = account.summary["made_of"][arm]
        assert max(parts, key=parts.__getitem__) == "context", arm
        assert parts["upstream"] > 0, "the single agent is shown what steps have made of the row"
    assert account.summary["made_of"]["fanout"]["upstream"] > account.summary["made_of"]["baseline"]["upstream"]
    assert account.summary["worst_rows"][0]["slice"] == "context"


@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 9_000), st.integers(0, 900), st.integers(0, 900),
                          st.integers(0, 50_000), st.integers(0, 900)), min_size=1, max_size=20))  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_whatever_was_sent_the_parts_sum_to_the_tokens(sent: list[tuple[str, int, int, int, int, int]]) -> None:
    params = {"body": ["row letter"], "facts": ["x", "y"]}
    node = {"kind": "agent", "instructions": 40, "context": 3_000, "params": params}
    tasks = {"fanout": {"nodes": {name: {**node, "agent": name} for name in ("a", "b")}, "edges": []}}
    with tempfile.TemporaryDirectory() as folder, closing(SqliteJournal(Path(folder) / "journal.db")) as journal:
        TASKS.keep(journal, tasks)
        for number, (name, more, one, two, prompt, output) in enumerate(sent, 1):
            journal.add_attempt(
                AttemptRecord(
                    id=number, arm="fanout", agent=name, model="claude-haiku-5-5", channel="live", why="first",
                    request_hash="h", reserved=1, sent=1e9, chars=3_040 + more + one + two,
                ),
                [AskRecord(
                    attempt=number, key=f"k{number}", row=1, node=name, label=name, number=1, sizes=f"{one},{two}"
                )],
            )  # fmt: skip
            usage = Usage(input=prompt, output=output)
            journal.add_end(EndRecord(attempt=number, at=1.0, status="succeeded", usage=usage, cost=1))
        anyio.run(journal.commit)
        found = composition(journal.db)
    parts = found.arms["fanout"]
    assert sum(parts.values()) == pytest.approx(sum(prompt + output for *_, prompt, output in sent))
    assert all(part >= 0 for part in parts.values())
    flows = sum(flow.tokens for flow in found.edges.values())
    assert flows == pytest.approx(parts["row"] + parts["upstream"])


def test_one_agent_on_both_sides_costs_the_same_within_the_interval(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answers of random length on both sides: only chance and the baseline's own block are between them."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    chance = random.Random(5)
    rows = [{"id": f"t{number}", "body": f"Letter {number}"} for number in range(200)]
    with Emulator(answer=lambda _: "word " * chance.randint(20, 40)) as emulator:
        job = Job(replies, rows=rows, out=tmp_path / "run", channel="live", base_url=emulator.url,
                  baseline=f"{__file__}:replies")  # fmt: skip
        found = job.run_sync().summary
    headline = found["multiplier"]["usd"]  # the mean of the rows' ratios is above 1 where lengths vary
    assert abs(headline["ratio"] - 1) < headline["high"] - headline["low"], "four standard errors"
    assert headline["high"] - headline["low"] < 0.1
    assert found["modelled"] is None, "a graph of one agent is not held against a modelled one: it is one"


def test_a_modelled_baseline_is_near_the_measured_one(tmp_path: Path) -> None:
    rows = [{"id": f"t{number}", "subject": "s", "body": "One? " * (1 + number % 5)} for number in range(40)]
    both = Job(triage, rows=rows, out=tmp_path / "both", channel="live", baseline="auto").run_sync().summary
    alone = Job(triage, rows=rows, out=tmp_path / "alone", channel="live").run_sync().summary
    assert alone["attempts"]["baseline"]["sent"] == 0
    assert alone["multiplier"] is None, "what was modelled is never shown as measured"
    assert alone["modelled"]["answers"] == "results"
    assert both["modelled"]["answers"] == "sample"
    for run in (both, alone):
        for kind in ("tokens", "usd"):
            assert run["modelled"][kind]["mean"] == pytest.approx(both["multiplier"][kind]["mean"], rel=0.1), kind


@pytest.mark.parametrize("channel", ["batch", "auto"])
def test_what_is_modelled_or_measured_on_a_sample_is_priced_as_the_job_would_be(tmp_path: Path, channel: str) -> None:
    """Found by samples of eight rows, which cost 0.74 where all rows cost 0.99, and by prefixes that were written at
    the price of five minutes in batches, where an hour is paid."""
    rows = [{"id": f"t{number}", "subject": "s", "body": "Why? " * 9} for number in range(40)]

    def usd(name: str, **options: Any) -> tuple[Any, Any]:
        job = Job(triage, rows=rows, out=tmp_path / name, channel=channel, reuse=False, **options)
        found = job.run_sync().summary
        return found["multiplier"] and found["multiplier"]["usd"]["ratio"], found["modelled"]

    measured, _ = usd("all", baseline="auto")
    assert usd("sample", baseline="auto", sample=8)[0] == pytest.approx(measured, rel=0.02)
    _, modelled = usd("none")
    assert modelled["model"] == "claude-haiku-5-5"
    assert modelled["usd"]["ratio"] == pytest.approx(measured, rel=0.1)
    ways = modelled["usd_by_channel"]
    assert ways["live"] < ways["batch"]
    both = f"with its calls live {ways['live']:.2f}x in dollars, in batches {ways['batch']:.2f}x"
    assert both in " ".join(fanwise("report", tmp_path / "none").stdout.split())
    assert both[1:] in " ".join(page_sentences(summary(tmp_path / "none"))), "said by the page too"


def test_a_report_shows_what_was_modelled_only_where_nothing_was_measured(tmp_path: Path) -> None:
    rows = [{"id": f"t{number}", "subject": "s", "body": "Why? " * 9} for number in range(6)]
    Job(triage, rows=rows, out=tmp_path / "both", channel="live", baseline="auto").run_sync()
    Job(triage, rows=rows, out=tmp_path / "alone", channel="live").run_sync()
    assert "modelled" not in fanwise("report", tmp_path / "both").stdout
    text = " ".join(fanwise("report", tmp_path / "alone").stdout.split())
    assert "against one agent on claude-haiku-5-5 that was not asked: an estimate, its call composed" in text
    assert "; with its calls live " in text


def test_where_no_agent_is_asked_nothing_is_modelled(tmp_path: Path) -> None:
    rows = [{"id": "a", "n": 1, "tags": ["x"]}]
    assert Job(steps_only, rows=rows, out=tmp_path / "run").run_sync().summary["modelled"] is None
