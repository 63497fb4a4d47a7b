"""Whatever a server says: no traceback, an end to every run, good rows done, bad ones named, a directory to resume.

Random shapes behind random statuses, over HTTP, many runs at a time in one process and on one emulator. `EXAMPLES`
says how many replies are odd, about; `make soak` has many.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import anyio
import pytest
from anthropic import AsyncAnthropic, DefaultAioHttpClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from fanwise import Block, Emulator, Graph, HaltedError, Job, agent, graph, resume, tool
from hastened import eager
from odd_server import Foreign, Odd, Script, foreign

EXAMPLES = int(os.environ.get("EXAMPLES", "200"))
IS_SOAK = EXAMPLES >= 1000
ROWS, ODD_A_RUN = (30, 20) if IS_SOAK else (12, 7)
"""Rows of a run, and how many replies are odd in one, as was counted: some odd ones wait behind one that halts it. A
run has a cost of its own, so that a soak has more rows in fewer of them."""
AT_A_TIME = 4
PATIENCE_S = 120.0


class Note(BaseModel):
    id: int
    text: str


@tool
def register(text: str) -> str:
    """Look a note up."""
    return f"entry {len(text)}"


GUIDE = Block("guide", "Keep to every rule of this guide. " * 150)


@agent(model="claude-haiku-5-5", max_tokens=60, tools=[register], max_turns=4)
def look(text: str) -> str:
    """Say what stands in the register."""
    return register(text)


@agent(model="claude-haiku-5-5", max_tokens=60, context=[GUIDE])
def grade(text: str) -> int:
    """Grade the note."""
    return len(text)


@graph
def looked(note: Note) -> str:
    return look(note.text)


@graph
def graded(note: Note) -> int:
    return grade(note.text)


# What a server may say ---------------------------------------------------------------------------

WORDS = st.sampled_from(
    ["", "\ud83d", "tool_use", "end_turn", "refusal", "max_tokens", "text", "error", "ended", "succeeded", "\x00", "5"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 10**20) | st.floats() | WORDS | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=4,
)
PATHS = st.lists(st.integers(0, 30), min_size=1, max_size=5)


def error_body(kind: Any, message: Any) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}}


ERRORS = st.builds(
    error_body,
    st.sampled_from(["overloaded_error", "invalid_request_error", "api_error", "not_found_error", "new"]) | VALUES,
    VALUES | st.sampled_from(["Your credit balance is too low", "too large"]),
)
CHANGES = st.one_of(
    st.tuples(st.just("put"), st.tuples(PATHS, VALUES)),
    st.tuples(st.just("put"), st.tuples(PATHS, VALUES)),
    st.tuples(st.just("drop"), st.tuples(PATHS, st.none())),
    st.tuples(st.just("whole"), VALUES | ERRORS),
    st.tuples(
        st.just("raw"), st.binary(max_size=40) | st.sampled_from([b"<html>busy</html>", b"[" * 9_999, b"data: {"])
    ),
    st.tuples(st.just("cut"), st.sampled_from([0.0, 0.5, 0.9])),
    st.tuples(st.just("none"), st.none()),
)
TAKEN, REFUSED, HALTING = (200, 201, 204, 206), (400, 404, 405, 408, 409, 410, 413, 418, 422, 429), (401, 402, 403)
STATUSES = st.none() | st.sampled_from([*5 * (*TAKEN, 302, 304, *REFUSED, 500, 502, 503, 529, 599), *HALTING])
BREAKS = st.sampled_from(["", "", "", "", "gzip", "cut", "reset"])
AFTER = st.sampled_from([*[""] * 20, "0", "0.01", "-1", "nan", "inf", "x", "90000", "Wed, 21 Oct 2015 07:28:00 GMT"])
ODDS = st.lists(st.builds(Odd, STATUSES, CHANGES, st.tuples(BREAKS, AFTER)), min_size=1, max_size=2)


@dataclass(frozen=True, kw_only=True)
class Example:
    """One run."""

    job: Graph[..., Any]
    channel: str
    rows: dict[int, list[Odd]]
    """What is done to the replies about a row."""
    calls: dict[str, list[Odd]]
    """What is done to the replies to calls about batches, by kind."""


def examples() -> st.SearchStrategy[Example]:
    rows = st.fixed_dictionaries(dict.fromkeys(range(ROWS - 1), ODDS))
    calls = st.fixed_dictionaries(dict.fromkeys(("create", "batch", "results"), ODDS))
    job, nothing = st.sampled_from([looked, graded]), st.just(dict[Any, list[Odd]]())
    live = st.builds(Example, job=job, channel=st.just("live"), rows=rows, calls=nothing)
    batch = st.builds(Example, job=job, channel=st.just("batch"), rows=nothing, calls=calls)
    return live | live | batch


# What must come of it ----------------------------------------------------------------------------


NUMBERS = count(1)


async def carry_out(example: Example, server: Foreign, client: AsyncAnthropic) -> None:
    """Run an example, then go on with its directory while nothing is wrong; fails where anything is not as it must."""
    name = str(next(NUMBERS))
    server.scripts[name] = Script(
        {f"<<{row}>>": list(odds) for row, odds in example.rows.items()},
        {kind: list(odds) for kind, odds in example.calls.items()},
    )
    address = f"{server.url}/{name}"
    how: dict[str, Any] = {"base_url": address}
    if int(name) % 4:  # to make one of their own takes longer than a run
        how = {"client": client.with_options(base_url=address)}
    rows = [{"id": number, "text": f"<<{number}>>"} for number in range(ROWS)]
    with tempfile.TemporaryDirectory() as folder, anyio.fail_after(PATIENCE_S):
        out = Path(folder) / "run"
        fields: dict[str, Any] = {"rows": rows, "out": out, "channel": example.channel, "slots": 8, "grace_s": 0.05}
        try:
            account = await Job(example.job, **fields, **how).run()
            for line in account.results():
                is_odd = int(line["id"]) in example.rows or example.channel == "batch"
                assert line["status"] == "succeeded" or (is_odd and line["reason"]), line
        except HaltedError:
            pass
        server.scripts.pop(name)
        again = await resume(out, graph=example.job, retry=["failed"], **how)
        for line in again.results():
            # What a model asked for stays said: a call that was changed on its way may never be taken back.
            is_kept = example.job is looked and "invalid_request_error" in line.get("reason", "")
            assert line["status"] == "succeeded" or is_kept, line


async def carry_out_all(examples: list[Example], server: Foreign) -> None:
    async with (
        AsyncAnthropic(base_url=server.url, api_key="k", http_client=DefaultAioHttpClient()) as client,
        anyio.create_task_group() as group,
    ):
        for example in examples:
            group.start_soon(carry_out, example, server, client)


@pytest.fixture(scope="module")
def server() -> Generator[Foreign]:
    def answer(body: dict[str, Any]) -> Any:  # no stand-in: one goes on only where its own calls come back
        if not body.get("tools"):
            return '{"value": 5}'
        asks = {"tools": [{"name": "register", "input": {"text": "x"}}]}
        return asks if len(body["messages"]) < 3 else "seen"

    with eager(), Emulator(answer=answer, keep_requests=1) as emulator, foreign(emulator.url) as front:
        yield front
        print(f"\n{sum(front.struck.values()):,} odd replies in {next(NUMBERS) - 1:,} runs")


@given(st.lists(examples(), min_size=AT_A_TIME, max_size=AT_A_TIME))
@settings(
    max_examples=max(EXAMPLES // (AT_A_TIME * ODD_A_RUN), 1),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a run is no smaller where less is wrong
)
def test_whatever_a_server_says_every_run_ends(
    monkeypatch: pytest.MonkeyPatch, server: Foreign, examples: list[Example]
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    anyio.run(carry_out_all, examples, server)
