"""Replies of odd shapes cost their own row, at most: it is asked again, or fails, and the others are done."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from fanwise import Emulator, Graph, Job, agent, graph, tool
from fanwise.engine.arms import build_arms
from fanwise.engine.standin import answerer
from gateway import gateway
from support import read_only


class Note(BaseModel):
    id: int
    text: str


@tool
def register(text: str) -> str:
    """Look a note up."""
    return "half of it: \ud83d" if "fair" in text else f"entry {len(text)}"


@agent(model="claude-haiku-5-5", max_tokens=60, tools=[register], max_turns=4)
def look(text: str) -> str:
    """Say what stands in the register."""
    return register(text)


@agent(model="claude-haiku-5-5", max_tokens=60)
def grade(text: str) -> int:
    """Grade the note."""
    return len(text)


@graph
def looked(note: Note) -> str:
    return look(note.text)


@graph
def graded(note: Note) -> int:
    return grade(note.text)


Change = Callable[[dict[str, Any]], Any]


def uses(*blocks: dict[str, Any]) -> Change:
    """A message that asks for tools by these blocks."""
    return lambda message: message | {"content": list(blocks), "stop_reason": "tool_use"}


def with_usage(usage: Any) -> Change:
    """The message with another usage."""
    return lambda message: message | {"usage": usage}


USE = {"type": "tool_use", "id": "toolu_1", "name": "register", "input": {"text": "x"}}
ODD: dict[str, Change] = {
    "no block of a tool": uses({"type": "text", "text": "Let me see."}),
    "one id twice": uses(USE, USE),
    "no input": uses(USE | {"input": None}),
    "NaN for a tool": uses(USE | {"input": {"text": float("nan")}}),
    "half a character for a tool": uses(USE | {"input": {"text": "\ud83d"}}),
    "half a character": lambda message: message | {"content": [{"type": "text", "text": '{"value": "\ud83d"}'}]},
    "content is a text": lambda message: message | {"content": "hello"},
    "content is null": lambda message: message | {"content": None},
    "null for a block": lambda message: message | {"content": [None]},
    "a number for a text": lambda message: message | {"content": [{"type": "text", "text": 5}]},
    "a list for stop_reason": lambda message: message | {"stop_reason": ["end_turn"]},
    "an empty object": lambda _: {},
    "a list": lambda message: [message],
    "nested": lambda _: "[" * 100_000,
    "an error": lambda _: {"type": "error", "error": {"type": "overloaded_error", "message": "half: \ud83d"}},
    "an error of odd shape": lambda _: {"error": ["no", {"message": 5}]},
    "a page": lambda _: "<html>" + "busy " * 10_000,
}


USAGES: list[Any] = [
    "much", [1], None, {"input_tokens": -5, "output_tokens": 9}, {"input_tokens": 10**30, "output_tokens": 1},
    {"input_tokens": 5, "output_tokens": 1, "cache_creation": [1]},
    {"input_tokens": 5, "output_tokens": 1, "iterations": [{"input_tokens": -9, "output_tokens": 12}]},
    {"input_tokens": float("nan"), "output_tokens": float("inf")},
]  # fmt: skip


class Odd:
    """Changes the first reply to each request about a note, or so many of them."""

    def __init__(self, changes: dict[str, Change], times: int = 1) -> None:
        self.changes, self.times = changes, times
        self.seen = Counter[str]()

    def __call__(self, path: str, asked: bytes, body: bytes) -> tuple[int, bytes] | None:
        name = next((name for name in self.changes if f"<<{name}>>".encode() in asked), None)
        if path != "/v1/messages" or name is None:
            return None
        request = f"{name} {len(json.loads(asked)['messages'])}"
        self.seen[request] += 1
        if self.seen[request] > self.times:
            return None
        changed = self.changes[name](json.loads(body))
        return 200, changed.encode() if isinstance(changed, str) else json.dumps(changed).encode()


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")


def ended(out: Path, job: Graph[..., Any], odd: Odd) -> tuple[dict[str, Any], dict[str, str]]:
    """Carry out a row for each change, and one that is left alone; returns the account, and how each has ended."""
    names = [*odd.changes, "fair"]
    rows = [{"id": number, "text": f"<<{name}>>"} for number, name in enumerate(names)]
    answer = answerer(build_arms({"fanout": job.spec}))
    with Emulator(answer=answer) as emulator, gateway(emulator.url, tamper=odd) as server:
        account = Job(job, rows=rows, out=out, channel="live", slots=32, base_url=server.url).run_sync()
    return account.summary, {names[int(line["id"])]: line["status"] for line in account.results()}


def test_an_odd_reply_is_asked_again(tmp_path: Path) -> None:
    """Each of them ended the run with a traceback, or made its row a directory that no `resume` went on with."""
    summary, status = ended(tmp_path / "run", looked, Odd(ODD))
    assert status == dict.fromkeys([*ODD, "fair"], "succeeded")
    assert summary["attempts"]["sent"] == 2 * (len(ODD) + 1) + 2 * len(ODD), "before its tool was called, and after it"


def test_a_row_whose_replies_stay_odd_fails_and_says_why(tmp_path: Path) -> None:
    out = tmp_path / "run"
    summary, status = ended(out, graded, Odd({"odd": ODD["content is a text"], "tools": uses(USE)}, times=9))
    assert status == {"odd": "failed", "tools": "failed", "fair": "succeeded"}
    assert summary["failed_tasks"] == {"malformed_reply": 2}
    assert summary["attempts"]["sent"] == 3 + 3 + 1, "an agent without tools was asked ten times the same"
    assert summary["cost_usd"] == summary["bill_usd"], "each of them was paid, and is counted"
    with read_only(out / "journal.db") as db:
        messages = [row[0] for row in db.execute("SELECT message FROM tasks WHERE kind='malformed_reply' ORDER BY row")]
    assert "its content is no list of blocks" in messages[0]
    assert "the agent has none" in messages[1]


def test_what_no_request_can_take_is_a_cost_that_is_unknown(tmp_path: Path) -> None:
    changes: dict[str, Change] = {
        f"usage {number}": lambda message, usage=usage: message | {"usage": usage}
        for number, usage in enumerate(USAGES)
    }
    summary, status = ended(tmp_path / "run", graded, Odd(changes))
    assert set(status.values()) == {"succeeded"}
    with read_only(tmp_path / "run" / "journal.db") as db:
        costs = [row[0] for row in db.execute("SELECT cost FROM ends")]
    assert costs.count(None) == len(USAGES)
    assert min(cost for cost in costs if cost is not None) > 0
    assert summary["attempts"]["sent"] == len(USAGES) + 1
