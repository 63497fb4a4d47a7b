"""Small random graphs with tools, each run by `--channel auto` on an emulator with a fast clock: does each end?"""

from __future__ import annotations

import json
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Annotated, Any

import anyio
from anthropic import AsyncAnthropic, DefaultAioHttpClient
from pydantic import BaseModel

from fanwise import Block, Emulator, HaltedError, Job, agent, each, graph, optional, step, tool
from fanwise.context.envelope import is_envelope, seal
from fanwise.dispatch import channel, primer, submitting

MODELS = ("claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5")
FAULTS = (
    {"status": 429, "probability": 0.01, "retry_after": 0.05},
    {"status": 529, "probability": 0.003, "path": "/v1/messages"},
    {"status": 400, "probability": 0.004, "match": "text: "},
    {"lost": True, "probability": 0.003, "path": "/v1/messages"},
    {"item": "expired", "probability": 0.02},
    {"item": "errored", "probability": 0.01},
    {"item": "missing", "probability": 0.005},
)
AT_A_TIME = 24
PATIENCE_S = 240.0
"""Longer than any retry waits; a run that takes longer hangs."""
GUIDES = tuple(Block(f"guide{size}", "Keep to every rule of this guide. " * size) for size in (20, 150, 400))


class Row(BaseModel):
    id: str
    text: str
    parts: list[str]
    page: Annotated[str, Block]


@tool
def look_up(passage: str) -> str:
    """Look up a passage."""
    if "0" in passage:
        raise LookupError("there is no such passage")
    return f"an entry on {passage}"


@step
def joined(parts: list[str]) -> str:
    return ", ".join(parts)


def random_agent(name: str, draw: Random, *, paged: bool) -> Any:
    """An agent of one text, or of a text and the page of the row."""

    def of_page(text: str, page: str) -> str:
        """Read the text beside the page."""
        raise NotImplementedError

    def of_text(text: str) -> str:
        """Read the text."""
        raise NotImplementedError

    return agent(
        name=name, model=draw.choice(MODELS), context=draw.sample(GUIDES, draw.randint(0, 2)),
        tools=[look_up] if draw.random() < 0.7 else [], max_tokens=draw.choice((300, 1_000, 4_000)),
        max_turns=draw.choice((3, 6)),
    )(of_page if paged else of_text)  # fmt: skip


def random_graph(number: int, draw: Random) -> Any:
    """A chain of one to three stages: one agent, two beside each other, one for each part, or one that may fail."""
    kinds = [draw.choice(("one", "two", "each", "optional")) for _ in range(draw.randint(1, 3))]
    paged = draw.random() < 0.4
    agents = [[random_agent(f"a{number}_{stage}_{side}", draw, paged=paged) for side in "xy"] for stage in range(3)]

    def flow(row: Row) -> str:
        text = row.text
        for kind, (left, right) in zip(kinds, agents, strict=False):
            text = stage(row, text, kind, left, right)
        return text

    def stage(row: Row, text: Any, kind: str, left: Any, right: Any) -> Any:
        more = (row.page,) if paged else ()
        if kind == "each":
            return joined(each(row.parts, lambda part: left(part, *more)))
        if kind == "two":
            return joined([left(text, *more), right(row.text, *more)])
        if kind == "optional":
            maybe = optional(left(text, *more))
            return first_of(maybe, row.text)
        return left(text, *more)

    return graph(flow)


@step
def first_of(maybe: str | None, text: str) -> str:
    return maybe or text


def random_rows(draw: Random, most: int) -> list[Row]:
    """A few rows, of which some share their page."""
    pages = [f"page {number} " * 600 for number in range(draw.choice((1, 2, 6)))]
    rows: list[Row] = []
    for number in range(draw.randint(2, most)):
        parts = [f"part {place}" for place in range(number % 3)]
        rows.append(Row(id=str(number), text=f"text {number}", parts=parts, page=draw.choice(pages)))
    return rows


def says(body: dict[str, Any]) -> Any:
    """Ask for tools as often as the first message says, then answer; now and then too long, or with nothing."""
    text = body["messages"][0]["content"][-1]["text"]
    seed = zlib.crc32(text.encode())
    rounds = len(body["messages"]) // 2
    if body.get("tools") and rounds < seed % 4:
        passages = [f"{seed % 97 + call} " * (seed % 23) for call in range(1 + seed % 2)]
        return {"tools": [{"name": "look_up", "input": {"passage": passage}} for passage in passages]}
    if seed % 29 == 0:
        return "\n"
    answer = "a word " * (seed % 119 + 1 if seed % 31 else 3_000)
    sent = ((body.get("output_config") or {}).get("format") or {}).get("schema")
    said = text.split("\n")[0].removeprefix("Answer as the agent ").removesuffix(".")
    return seal(said, json.dumps(answer)) if is_envelope(sent) else answer


@contextmanager
def eager() -> Iterator[None]:
    """Let a few rows do what takes hundreds: fewer pilots, which always pay, and batches that are sent at once."""
    kept = dict(channel.PILOTS), primer.ROUND_PICO, primer.LEARNT, submitting.LINGER_S
    channel.PILOTS.update(live=1, batch=2)
    primer.ROUND_PICO, primer.LEARNT, submitting.LINGER_S = 1, 3, 0.05
    try:
        yield
    finally:
        channel.PILOTS.update(kept[0])
        primer.ROUND_PICO, primer.LEARNT, submitting.LINGER_S = kept[1:]


@dataclass(slots=True)
class Ends:
    """How runs have ended."""

    runs: int = 0
    took: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    """Calls by channel and reason."""
    rows: Counter[str] = field(default_factory=Counter[str])
    """Rows by status."""
    wrong: list[str] = field(default_factory=list[str])
    """Runs that did not end by themselves, or whose price is not the bill."""


async def carry_out(number: int, seed: int, most_rows: int, client: AsyncAnthropic, ends: Ends) -> None:
    """Run one graph over its rows."""
    draw = Random(f"{seed} {number}")
    job, rows = random_graph(number, draw), random_rows(draw, most_rows)
    deadline = draw.choice(("2s", "20s")) if draw.random() < 0.15 else None
    with tempfile.TemporaryDirectory() as folder:
        try:
            with anyio.fail_after(PATIENCE_S):
                run = Job(
                    job, rows=rows, out=Path(folder) / "run", channel="auto", client=client, deadline=deadline,
                    slots=draw.choice((1, 4, 32)), grace_s=1.0,
                )  # fmt: skip
                account = (await run.run()).summary
        except (TimeoutError, HaltedError) as error:
            ends.wrong.append(f"run {number} of seed {seed}: {type(error).__name__} {error}")
            return
        finally:
            ends.runs += 1
    ends.rows.update({how: account["rows"][how] for how in ("succeeded", "failed", "partial")})
    for entry in account["choices"]:
        ends.took.update({(took["channel"], took["why"]): took["calls"] for took in entry["took"]})
    done = sum(account["rows"][how] for how in ("succeeded", "failed", "partial"))
    if done != len(rows):
        ends.wrong.append(f"run {number} of seed {seed}: {done} of {len(rows)} rows have ended")


async def _all(
    numbers: Iterator[int], seed: int, most_rows: int, url: str, ends: Ends, heard: Callable[[Ends], None]
) -> None:
    # One for all: to set its TLS up takes longer than a run.
    async with AsyncAnthropic(base_url=url, api_key="k", http_client=DefaultAioHttpClient()) as client:

        async def work() -> None:
            for number in numbers:
                await carry_out(number, seed, most_rows, client, ends)
                heard(ends)

        async with anyio.create_task_group() as group:
            for _ in range(AT_A_TIME):
                group.start_soon(work)


def carry_out_all(runs: int, seed: int, most_rows: int = 6, heard: Callable[[Ends], None] = lambda ends: None) -> Ends:
    """Run so many random graphs, many at a time; returns how they have ended.

    Args:
        runs: How many.
        seed: Of the graphs.
        most_rows: Of a run, which has at least two.
        heard: Called after each.
    """
    ends = Ends()
    with eager(), Emulator(answer=says, clock_speed=3_000.0, batch_delay_s=300.0) as emulator:
        for fault in FAULTS:
            emulator.fault(**fault)
        anyio.run(_all, iter(range(runs)), seed, most_rows, emulator.url, ends, heard)
    return ends
