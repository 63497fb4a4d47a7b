"""Random lives of a job: whatever was edited, and wherever it was killed, a sync is a run from scratch at its new part.

`EXAMPLES` says how many lives are lived.
"""

from __future__ import annotations

import json
import os
import signal
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, event, example, given, settings
from hypothesis import strategies as st

from fanwise.emulator import Emulator
from support import (
    bill,
    clear_faults,
    environment,
    fanwise,
    journal_value,
    lines,
    post,
    read_only,
    started,
    summary,
    wait_for,
)  # fmt: skip

EXAMPLES = int(os.environ.get("EXAMPLES", "3"))
SORTS, REPLIES = "claude-haiku-5-5", "claude-sonnet-5-5"
"""Each agent has a model of its own, so that a bill tells how often it was asked."""
SLOW_S = 0.3
"""Seconds of a reply in a sync that is killed, so that it is caught at work."""
SOURCE = '''\
from pydantic import BaseModel

from fanwise import agent, graph


class Note(BaseModel):
    id: str
    subject: str
    body: str


@agent(model="claude-haiku-5-5", max_tokens=60)
def sort(body: str) -> str:
    """{prompt}"""


@agent(model="claude-sonnet-5-5", max_tokens=60)
def reply(subject: str, kind: str) -> str:
    """Reply to it."""


@graph
def notes(note: Note) -> str:
    return reply(note.subject, sort(note.body))
'''
NOT_OF_THE_ACCOUNT = (
    "run_id", "created", "graph", "wall_s", "sessions", "notes", "cash", "bill_usd", "choices", "modelled",
)  # fmt: skip
Row = tuple[str, str, str | None]
"""Id, subject and body; a row without a body is rejected."""


def answer(body: dict[str, Any]) -> str:
    """As the models answer: a kind goes by the length of what is sorted, a reply by all that is shown."""
    shown = json.dumps(body["messages"], sort_keys=True)
    return f"kind {len(shown)}" if body["model"] == SORTS else f"reply {len(shown)}"


@dataclass(frozen=True)
class Step:
    """What is done to a job between two syncs, and how it is synced."""

    edits: tuple[tuple[Any, ...], ...] = ()
    prompt: str = "Sort it."
    channel: str = "live"
    killed: bool = False
    """Whether a sync before it is killed."""


rows_edited = st.one_of(
    st.tuples(st.just("put"), st.integers(0, 5), st.tuples(
        st.sampled_from("abcdefg"), st.sampled_from("xyz"), st.sampled_from(["one", "two", "three", None]))),
    st.tuples(st.just("again"), st.integers(0, 5)),
    st.tuples(st.just("remove"), st.integers(0, 5)),
    st.tuples(st.just("move"), st.integers(0, 5), st.integers(0, 5)),
)  # fmt: skip
steps = st.builds(
    Step,
    edits=st.lists(rows_edited, max_size=4).map(tuple),
    prompt=st.sampled_from(["Sort it.", "Say its kind."]),
    channel=st.sampled_from(["live", "live", "batch"]),
    killed=st.sampled_from([False, False, True]),
)
START: tuple[Row, ...] = tuple((name, f"{name} x", f"{name} one") for name in "abcde")
"""No two rows hold the same, so that a slice is a request."""


def edited(rows: Sequence[Row], edits: Sequence[tuple[Any, ...]]) -> list[Row]:
    """The rows after each of these edits; there is a valid one at least."""
    lines = list(rows)
    for kind, place, *more in edits:
        at = place % len(lines)
        if kind == "put":
            name, subject, body = more[0]
            lines = [line for line in lines if line[0] != name]
            lines.insert(at, (name, f"{name} {subject}", body and f"{name} {body}"))
        elif kind == "again":  # its id stands twice then
            lines.append(lines[at])
        elif kind == "move":
            lines.insert(more[0] % len(lines), lines.pop(at))
        elif len(lines) > 1:
            del lines[at]
    return lines if any(body for _, _, body in lines) else [*lines, ("h", "h x", "h one")]


def slices(rows: Sequence[Row], prompt: str) -> Iterator[tuple[str, ...]]:
    """What each agent is shown of the rows that are valid, behind its model."""
    seen = set[str]()
    for name, subject, body in rows:
        if body is not None and name not in seen:
            seen.add(name)
            yield SORTS, name, prompt, body
            yield REPLIES, name, subject, str(len(body))


@dataclass
class Life:
    """A job that is edited and synced."""

    folder: Path
    env: dict[str, str]
    url: str
    limit: int | None
    rows: list[Row] = field(default_factory=lambda: list(START))
    asked: set[tuple[str, ...]] = field(default_factory=set[tuple[str, ...]])
    """Slices that were shown to models so far."""
    loaded: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    """Results as somebody has them who goes by the log."""
    told: int = 0
    """Lines of the log that were read."""

    @property
    def out(self) -> Path:
        return self.folder / "run"

    def write(self, step: Step) -> None:
        self.rows = edited(self.rows, step.edits)
        (self.folder / "graph.py").write_text(SOURCE.format(prompt=step.prompt))
        records = [
            {"id": name, "subject": subject} | ({"body": body} if body else {}) for name, subject, body in self.rows
        ]
        (self.folder / "rows.jsonl").write_text("".join(f"{json.dumps(record)}\n" for record in records))

    def call(self, command: str, step: Step, out: Path | None = None) -> tuple[object, ...]:
        graph = f"{self.folder / 'graph.py'}:notes"
        if command == "sync":
            return ("sync", self.out, "--graph", graph, "--channel", step.channel)
        limit = () if self.limit is None else ("--limit", self.limit)
        rows = self.folder / "rows.jsonl"
        return ("run", graph, "--rows", rows, "--out", out or self.out, "--channel", step.channel, *limit)

    def billed(self) -> Counter[str]:
        """Requests of the run on the bill, by model."""
        run = str(summary(self.out)["run_id"])
        return Counter(entry["model"] for entry in bill(self.url, run)["entries"])

    def is_killed_in(self, step: Step) -> None:
        """A sync is killed as soon as it has sent something, or has ended without."""
        sent, sessions = (journal_value(self.out, f"SELECT COUNT(*) FROM {name}") for name in ("attempts", "sessions"))
        post(f"{self.url}/_emulator/faults", {"path": "/v1/messages", "latency_s": SLOW_S})
        process = started(*self.call("sync", step), env=self.env)
        query = f"""SELECT (SELECT COUNT(*) FROM attempts)>{sent}
          OR EXISTS(SELECT 1 FROM sessions WHERE id>{sessions} AND how<>'running')"""
        wait_for(lambda: journal_value(self.out, query), "a request, or the end")
        process.send_signal(signal.SIGKILL)
        process.wait()
        clear_faults(self.url)

    def is_carried_out(self, step: Step, command: str) -> None:
        """What is new is asked, once, and no more; what was lost by a kill is asked again."""
        present = set(slices(self.rows[: self.limit], step.prompt))
        new = Counter(model for model, *_ in present - self.asked)
        before = self.billed() if command == "sync" else Counter[str]()
        if step.killed and command == "sync":
            self.is_killed_in(step)
        done = fanwise(*self.call(command, step), env=self.env)
        assert done.returncode < 2, done.stderr
        self.asked |= present
        lost = summary(self.out)["cash"]["lost"]
        with read_only(self.out / "journal.db") as db:
            resent = Counter(model for (model,) in db.execute("SELECT model FROM attempts WHERE why='retry'"))
        more = self.billed() - before
        if not lost:
            assert more == new
        for model in (SORTS, REPLIES):
            assert new[model] <= more[model] <= new[model] + resent[model]

    def goes_by_the_log(self) -> None:
        """A copy that goes by the log has the ids and statuses of the results."""
        log = lines(self.out / "changes.jsonl")
        for change in log[self.told :]:
            if change["change"] == "removed":
                del self.loaded[change["id"]]
            else:
                assert (change["id"] in self.loaded) == (change["change"] == "changed")
                self.loaded[change["id"]] = change
        self.told = len(log)
        results = {line["id"]: line["status"] for line in lines(self.out / "results.jsonl")}
        assert {name: line["status"] for name, line in self.loaded.items()} == results


def without_prices(folder: Path) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in line.items() if "usd" not in name and name != "attempts_of_unknown_cost"}
        | {"tokens": None}
        for line in lines(folder / "results.jsonl")
    ]


def is_a_run_from_scratch(life: Life, step: Step, *, as_asked: bool) -> None:
    """Hold a job against a run that begins with its rows and its graph as they are.

    Args:
        life: The job.
        step: Its last step.
        as_asked: Whether all that counts was asked as the fresh run asks it: in one channel, and once.
    """
    fresh = life.folder / "fresh"
    done = fanwise(*life.call("run", step, fresh), env=life.env)
    assert done.returncode < 2, done.stderr
    names = ["rejects.jsonl"]
    if as_asked:
        for form in ("csv", "jsonl", "parquet"):
            for run in (life.out, fresh):
                assert fanwise("export", run, "--to", form).returncode == 0
            names += [f"export/{table}.{form}" for table in ("rows", "tasks")]
        names.append("results.jsonl")
        after, expected = summary(life.out), summary(fresh)
        figures = [name for name in expected if name not in NOT_OF_THE_ACCOUNT]
        assert {name: after[name] for name in figures} == {name: expected[name] for name in figures}
    for name in names:
        assert (life.out / name).read_bytes() == (fresh / name).read_bytes(), name
    assert without_prices(life.out) == without_prices(fresh)


@pytest.fixture(scope="module")
def server() -> Iterator[Emulator]:
    with Emulator(answer=answer, latency_s=0.01) as emulator:
        yield emulator


@settings(
    deadline=None, max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink runs takes minutes
)  # fmt: skip
@given(script=st.lists(steps, min_size=1, max_size=3), limit=st.sampled_from([None, None, 3]))
@example(
    script=[
        Step((("put", 0, ("f", "x", "one")), ("remove", 4)), killed=True),
        Step(prompt="Say its kind.", killed=True),
    ],
    limit=None,
)
def test_after_each_sync_results_are_those_of_a_run_from_scratch_and_the_bill_has_what_is_new(
    server: Emulator, script: list[Step], limit: int | None
) -> None:
    env = environment(ANTHROPIC_API_KEY=server.api_key, ANTHROPIC_BASE_URL=server.url)
    with tempfile.TemporaryDirectory() as name:
        life = Life(Path(name), env, server.url, limit)
        first = Step(channel=script[0].channel)
        life.write(first)
        life.is_carried_out(first, "run")
        life.loaded = {line["id"]: line for line in lines(life.out / "results.jsonl")}
        for step in script:
            life.write(step)
            life.is_carried_out(step, "sync")
            life.goes_by_the_log()
        last, cash = script[-1], summary(life.out)["cash"]
        as_asked = len({step.channel for step in script}) == 1 and not any(step.killed for step in script)
        is_a_run_from_scratch(life, last, as_asked=as_asked)
        after = summary(life.out)
        parts = sum(Decimal(cash[part]["usd"] or 0) for part in ("replaced", "left", "unsampled", "pilots"))
        assert Decimal(after["cost_usd"]) + parts == Decimal(cash["paid_usd"])
        assert cash["lost"] or cash["paid_usd"] == after["bill_usd"]
        event(f"{len(script)} syncs, as asked: {as_asked}, lost: {cash['lost'] > 0}")
