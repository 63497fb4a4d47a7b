"""The floor: never above what was paid, and never below what writing once and reading otherwise would have cost.

`GRAPHS=200 python -m pytest -s -o faulthandler_timeout=0 tests/ledger/test_floor.py` tries as many random
graphs, and says how near they came.
"""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from unittest import mock

import anyio
import time_machine
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from fanwise import Block, Emulator, Job, agent, each, graph
from fanwise.engine.arms import build_arms
from fanwise.engine.standin import answerer
from fanwise.job.job import resume
from fanwise.journal.upgrade import carry_over
from fanwise.journal.views import VIEW_NAMES
from fanwise.ledger.floor import floor
from fanwise.ledger.summary import summary as summary_of
from fanwise.units import pico_from_usd
from least import LIFE_S, PRICES, block_texts, least_price, sent_requests
from sample.helper import look_up
from support import read_only

GRAPHS = int(os.environ.get("GRAPHS", "15"))
SENTENCE = "Every rule of this is to be kept by whoever reads it. "
KINDS = ("text", "note", "before", "lines", "tool")


class Page(BaseModel):
    id: str
    text: Annotated[str, Block]
    note: str
    lines: list[str]


class Agent(BaseModel):
    model: str
    kind: str
    blocks: list[int]
    """Sentences of each block of its context; equal ones are one block."""


class Case(BaseModel):
    agents: list[Agent]
    rows: list[tuple[int, int]]
    """Document of each row and its sentences, so that rows share some; and how many lines it has."""
    channel: str
    fails: bool
    pause_s: float
    """Between the first half of the rows and the rest."""


def block(sentences: int) -> Block:
    return Block(f"b{sentences}", f"{sentences}: " + SENTENCE * sentences)


agents = st.builds(
    Agent, model=st.sampled_from(sorted(PRICES)), kind=st.sampled_from(KINDS),
    blocks=st.lists(st.sampled_from([3, 12, 40, 200]), max_size=2, unique=True),
)  # fmt: skip
cases = st.builds(
    Case, agents=st.lists(agents, min_size=1, max_size=4),
    rows=st.lists(st.tuples(st.sampled_from([1, 30, 31, 90, 250]), st.integers(0, 3)), min_size=1, max_size=6),
    channel=st.sampled_from(["live", "live", "live", "live", "batch", "auto"]), fails=st.booleans(),
    pause_s=st.sampled_from([0.0, 1_000.0, LIFE_S + 400]),
)  # fmt: skip


def reader(number: int, spec: Agent) -> Any:
    """An agent that reads one thing."""

    def read(value: str) -> str:
        return f"{number}: {len(value)} characters"

    def look(value: str) -> str:
        return f"{number}: {look_up('o1').state}, {len(value)} characters"

    body = look if spec.kind == "tool" else read
    body.__name__, body.__doc__ = f"agent{number}", f"Read what you are shown, as number {number}."
    tools = [look_up] if spec.kind == "tool" else []
    return agent(model=spec.model, max_tokens=100, context=[block(size) for size in spec.blocks], tools=tools)(body)


def graph_of(specs: list[Agent]) -> Any:
    readers = [reader(number, spec) for number, spec in enumerate(specs)]

    def job(page: Page) -> list[str]:
        outputs: list[Any] = []
        for ask, spec in zip(readers, specs, strict=True):
            if spec.kind == "lines":
                outputs.append(each(page.lines, ask))
            else:
                before = outputs[-1] if outputs and specs[len(outputs) - 1].kind != "lines" else page.note
                outputs.append(ask({"text": page.text, "before": before}.get(spec.kind, page.note)))
        return outputs[-1] if specs[-1].kind == "lines" else each(page.lines, lambda line: readers[-1](line))

    return graph(job)


def pages(case: Case) -> list[Page]:
    return [
        Page(
            id=str(number), text=f"Document {size}. " + SENTENCE * size, note=f"note {number}",
            lines=[f"line {number % 2}.{line}" for line in range(count)],
        )
        for number, (size, count) in enumerate(case.rows)
    ]  # fmt: skip


@contextmanager
def emulated(job: Any, directory: Path, *, fails: bool = False) -> Iterator[Emulator]:
    """An emulator with the stand-ins of a graph, that remembers all it was sent."""
    answer = answerer(build_arms({"fanout": job.spec}))
    with (
        mock.patch.dict(os.environ, {"ANTHROPIC_API_KEY": "k"}),
        Emulator(answer=answer, directory=directory, keep_requests=10_000) as emulator,
    ):
        if fails:
            emulator.fault(status=529, count=2, path="/v1/messages")
            emulator.fault(item="expired", count=1)
        yield emulator


def items_of_batches(directory: Path) -> dict[str, dict[str, Any]]:
    """Bodies by custom_id: those of batches are streamed, and remembered by the emulator's file alone."""
    with read_only(directory / "emulator.db") as db:
        return {row["custom_id"]: json.loads(row["request"])["params"] for row in db.execute("SELECT * FROM items")}


@dataclass
class Bounds:
    """In picodollars."""

    least: int
    floor: int
    paid: int


def bounds(case: Case) -> Bounds:
    job, rows = graph_of(case.agents), pages(case)
    with tempfile.TemporaryDirectory() as folder, emulated(job, Path(folder), fails=case.fails) as emulator:
        out = Path(folder) / "run"
        options: dict[str, Any] = {"base_url": emulator.url, "slots": 4}
        half = (len(rows) + 1) // 2
        summary = Job(job, rows=rows, out=out, channel=case.channel, limit=half, **options).run_sync().summary
        if half < len(rows):
            with time_machine.travel(datetime.now(UTC) + timedelta(seconds=case.pause_s), tick=True):
                going_on = partial(resume, out, graph=job, limit=len(rows), channel=case.channel, **options)
                summary = anyio.run(going_on).summary
        bill, wire, items = emulator.bill(), emulator.requests(), items_of_batches(Path(folder))
    assert summary["cash"]["paid_usd"] == summary["bill_usd"]
    assert summary["fanout_usd"] == summary["cost_usd"]
    counted, billed = pico_from_usd(summary["fanout_usd"]), sum(int(entry["pico"]) for entry in bill["entries"])
    assert counted == billed or case.channel == "auto", "of pilots the account has what the others cost"
    least = least_price(sent_requests(bill, wire, items)) if counted == billed else 0
    return Bounds(least, pico_from_usd(summary["floor_usd"]), counted)


@given(cases)
@settings(max_examples=GRAPHS, deadline=None, phases=(Phase.reuse, Phase.generate))  # to shrink runs takes minutes
def test_on_random_graphs_the_floor_is_never_above_what_was_paid_nor_below_one_write_a_life(case: Case) -> None:
    """A floor stood above the bill of a resumed run, and far below it where rows share documents."""
    bound = bounds(case)
    assert bound.least <= bound.floor <= bound.paid
    if GRAPHS > 15 and bound.least:  # else nothing was sent
        print(f"floor {bound.floor / bound.least:.4f} of the least, paid {bound.paid / bound.floor:.4f} of the floor")


def carried_out(case: Case, folder: Path, **options: Any) -> dict[str, Any]:
    return Job(graph_of(case.agents), rows=pages(case), out=folder / "run", slots=1, **options).run_sync().summary


def test_what_two_rows_share_is_written_once_to_the_last_digit(tmp_path: Path) -> None:
    """Rows that show one document had a floor as if each had to write it."""
    reading = Agent(model="claude-haiku-5-5", kind="text", blocks=[])
    case = Case(agents=[reading], rows=[(90, 0), (90, 0)], channel="live", fails=False, pause_s=0)
    with emulated(graph_of(case.agents), tmp_path) as emulator:
        summary = carried_out(case, tmp_path, channel="live", base_url=emulator.url, reuse=False)
        first, second = (block_texts(request["body"]) for request in emulator.requests() if request["model"])
        paid = emulator.bill()["entries"]
    prompts = [sum(entry[kind] for kind in ("input", "write_5m", "write_1h", "read")) for entry in paid]
    shared = first[:-1]  # the values end with a conversation that does not go on
    assert shared == second[:-1]
    written, read = (
        sum(prompt * len(text) // sum(map(len, texts)) for text in shared)
        for prompt, texts in zip(prompts, (first, second), strict=True)
    )
    read = max(read, paid[1]["read"])  # blocks are rounded down one by one, and more may have been read of all
    expected = 100_000 * (sum(prompts) - read) + 25_000 * written + 10_000 * read
    assert pico_from_usd(summary["floor_usd"]) == expected + 500_000 * summary["tokens"]["output"]


def test_below_the_shortest_prefix_of_its_model_nothing_counts_as_cacheable(tmp_path: Path) -> None:
    """A document of 2,000 tokens is never cached by a model that begins at 4,096; its floor was a third of the bill."""
    reading = Agent(model="claude-haiku-4-5", kind="text", blocks=[40])
    case = Case(agents=[reading, reading], rows=[(30, 0), (30, 0)], channel="live", fails=False, pause_s=0)
    summary = carried_out(case, tmp_path, channel="live")
    assert summary["floor_usd"] == summary["fanout_usd"]
    assert summary["input_over_floor"] == 1.0


def test_a_request_that_failed_has_written_nothing(tmp_path: Path) -> None:
    """Its retry counted as the second sending: the floor of one row was below what it can cost."""
    reading = Agent(model="claude-haiku-5-5", kind="text", blocks=[])
    case = Case(agents=[reading], rows=[(90, 0)], channel="live", fails=False, pause_s=0)
    with emulated(graph_of(case.agents), tmp_path) as emulator:
        emulator.fault(status=529, count=1, path="/v1/messages")
        summary = carried_out(case, tmp_path, channel="live", base_url=emulator.url)
    assert summary["attempts"]["failed"] == 1
    assert summary["input_over_floor"] == 1.0


def test_of_a_journal_that_has_not_noted_what_was_sent_the_floor_is_not_known(tmp_path: Path) -> None:
    reading = Agent(model="claude-haiku-5-5", kind="text", blocks=[])
    case = Case(agents=[reading], rows=[(90, 0), (90, 1)], channel="live", fails=False, pause_s=0)
    carried_out(case, tmp_path, channel="live")
    path = tmp_path / "run" / "journal.db"
    with closing(sqlite3.connect(path)) as db:
        for change in (
            *(f"DROP VIEW {view}" for view in VIEW_NAMES), "DROP TABLE edits", "DROP TABLE reached",
            "ALTER TABLE rows DROP COLUMN since", "ALTER TABLE asks DROP COLUMN row_id",
            "ALTER TABLE asks DROP COLUMN work", "ALTER TABLE results DROP COLUMN session",
            "ALTER TABLE rejects DROP COLUMN line", "ALTER TABLE attempts DROP COLUMN taken",
            "ALTER TABLE attempts DROP COLUMN shared",
            "ALTER TABLE attempts DROP COLUMN blocks", "ALTER TABLE attempts ADD COLUMN readable INT",
            "ALTER TABLE attempts ADD COLUMN reusable INT", "PRAGMA user_version=5",
        ):  # fmt: skip
            db.execute(change)
    carry_over(path)
    with read_only(path) as db:
        db.row_factory = None
        assert floor(db, "fanout") is None
        account = summary_of(db)
    assert account["floor_usd"] is account["input_over_floor"] is None
    assert account["fanout_usd"] != "0"
