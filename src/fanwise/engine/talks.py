"""Conversations of agents with tools: each round is written down before the next request is sent.

A round is what the model asked for and what its tools answered. After a crash a conversation goes on behind
its last round; tools that were at work then are called again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import anyio

from fanwise.api.tools import ToolLostError, carry_out
from fanwise.canonical import dumps, in_order
from fanwise.dispatch.role import Role
from fanwise.journal.port import Journal
from fanwise.journal.records import TurnRecord
from fanwise.threads import Threads

MOST_TOOLS = 64
"""Calls of tools at a time."""
WORTH = 0.28
"""Share of replies that must ask for a tool for a written conversation to pay: 1.25 + 0.1 r < 1 + r."""


@dataclass(slots=True, eq=False)
class Talk:
    """What followed the first message of a task."""

    messages: list[str] = field(default_factory=list[str])
    """The model's, as JSON."""
    results: list[str] = field(default_factory=list[str])
    """Those of its tools, as JSON: one less while they are at work."""

    @property
    def waits(self) -> bool:
        """Whether tools have been asked for that have not answered."""
        return len(self.messages) > len(self.results)

    @property
    def rounds(self) -> int:
        """Rounds of tools so far, with that which is at work."""
        return len(self.messages)

    def turns(self) -> tuple[str, ...]:
        """Return all messages in order; only while nothing waits."""
        return tuple(text for pair in zip(self.messages, self.results, strict=True) for text in pair)


class Talks:
    """The conversations of one session; used by one event loop."""

    def __init__(self, journal: Journal, threads: Threads, *, resumed: bool) -> None:
        self._journal, self._threads, self._resumed = journal, threads, resumed
        self._open: dict[str, Talk] = {}
        self._replies, self._using = Counter[Role](), Counter[Role]()
        """Replies, and those that asked for tools."""
        self._limit: anyio.CapacityLimiter | None = None

    def of(self, key: str) -> Talk:
        """Return the conversation of a task, by its key; that of an earlier session goes on."""
        if key not in self._open:
            talk = self._open[key] = Talk()
            for message, results in self._journal.turns(key) if self._resumed else ():
                if message is None or not _uses(message):
                    break  # its content was purged, or it asks for nothing
                talk.messages.append(message)
                if results is None:
                    break
                talk.results.append(results)
        return self._open[key]

    def replied(self, role: Role, *, wants_tools: bool) -> None:
        """Take note of a reply, and of whether it asks for tools."""
        self._replies[role] += 1
        self._using[role] += wants_tools

    def goes_on(self, role: Role) -> bool:
        """Return whether conversations of a role mostly go on, so that caching them pays."""
        return self._using[role] + 1 > WORTH * (self._replies[role] + 1)

    def ask(self, key: str, content: Sequence[Mapping[str, Any]]) -> None:
        """Write down what a model asks for."""
        talk = self.of(key)
        blocks = ",".join(map(_as_written, content))
        talk.messages.append(f'{{"content":[{blocks}],"role":"assistant"}}')
        self._keep(key, talk)

    async def answer(self, key: str, role: Role) -> str:
        """Carry out what was asked for last, all of it at once, and write down what comes of it.

        Returns:
            Why a tool cannot be carried out any more: then nothing is written down, and whoever retries begins here.
            Empty: all were carried out.
        """
        talk = self.of(key)
        uses = _uses(talk.messages[-1])
        results: dict[int, dict[str, Any]] = {}
        lost: list[str] = []
        self._limit = self._limit or anyio.CapacityLimiter(MOST_TOOLS)

        async def work(index: int, limit: anyio.CapacityLimiter) -> None:
            async with limit:
                name = uses[index]["name"]
                tool, limit_s = role.tools.get(name), role.tool_limit_s(name)
                try:
                    results[index] = await carry_out(tool, uses[index], limit_s, self._threads)
                except ToolLostError as error:
                    lost.append(str(error))

        async with anyio.create_task_group() as group:
            for index in range(len(uses)):
                group.start_soon(work, index, self._limit)
        if lost:
            return lost[0]
        talk.results.append(dumps({"role": "user", "content": [results[index] for index in range(len(uses))]}))
        self._keep(key, talk)
        return ""

    def _keep(self, key: str, talk: Talk) -> None:
        message = self._journal.add_text(talk.messages[-1])
        results = "" if talk.waits else self._journal.add_text(talk.results[-1])
        self._journal.add_turn(TurnRecord(key=key, number=talk.rounds, message=message, results=results))

    def forget(self, key: str) -> None:
        """Drop the conversation of a task that has ended."""
        self._open.pop(key, None)


def _as_written(block: Mapping[str, Any]) -> str:
    """Return a block of the model's as JSON; what it gives a tool keeps its order, which is part of a cached prefix.

    Source: page "Prompt caching", troubleshooting, read 2026-11-26.
    """
    given = block.get("input")
    if not given:
        return dumps(block)
    rest = dumps({name: value for name, value in block.items() if name != "input"})
    return f'{{"input":{in_order(given)},{rest[1:]}'


def _uses(message: str) -> list[dict[str, Any]]:
    """Return the calls of tools that a message of the model asks for."""
    return [block for block in json.loads(message)["content"] if block["type"] == "tool_use"]
