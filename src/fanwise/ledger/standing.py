"""What a run has said of itself: what it is called, how it stands, and what its agents are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fanwise.graph.remarks import without_words
from fanwise.journal.meta import AGENTS, CHOICES, HALTED, MODELLED, NOTES, OFFLINE, OUTPUT, WITHOUT, RunOrigin
from fanwise.journal.reader import Book
from fanwise.journal.records import ArmName
from fanwise.jsonable import as_list


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a run stands, as its sessions have left it."""

    origin: RunOrigin
    offline: bool | None
    """Whether stand-ins answer for the models; None before anybody has answered."""
    halted: str | None
    """Why its last session was stopped before its end; None where it was not."""
    notes: tuple[str, ...]
    """What the sessions had to say, one sentence each."""
    choices: tuple[Mapping[str, Any], ...]
    """Why calls took their channels, by arm and agent, counted over all sessions."""
    modelled: Mapping[str, Any] | None
    """The multiplier against one agent that was not asked; None where it could not be composed."""


def standing(db: Book) -> Standing:
    """Return how a run stands."""
    return Standing(
        origin=RunOrigin.of(db),
        offline=OFFLINE.of(db),
        halted=HALTED.of(db) or None,
        notes=(*_without(db), *NOTES.of(db)),
        choices=tuple(_by_agent(CHOICES.of(db))),
        modelled=MODELLED.of(db),
    )


def _without(db: Book) -> Iterator[str]:
    """Yield which agents of the fan-out run without tools that their files name."""
    for name, agent in agents_of(db, "fanout").items():
        tools = [tool for tool in as_list(agent.get(WITHOUT)) if isinstance(tool, str)]
        if tools:
            yield without_words(name, tools)


def _by_agent(choices: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield why the calls of each agent took their channels, on all its models, as `summary.json` has it."""
    taken: dict[tuple[ArmName, str], Counter[tuple[str, str]]] = {}
    expected: dict[tuple[ArmName, str], dict[str, int]] = {}
    for choice in choices:
        agent = choice["side"], choice["agent"]
        taken.setdefault(agent, Counter()).update(
            {(way["channel"], way["why"]): way["calls"] for way in choice["took"]}
        )
        expected[agent] = choice["expected"] | expected.get(agent, {})
    for (arm, agent), ways in taken.items():
        took = [{"channel": channel, "why": why, "calls": calls} for (channel, why), calls in ways.items()]
        yield {"side": arm, "agent": agent, "took": took, "expected": expected[arm, agent]}


def agents_of(db: Book, arm: ArmName) -> Mapping[str, dict[str, Any]]:
    """Return by agent of an arm what shapes its requests, as `engine.described` has noted it; texts by hash."""
    return AGENTS.of(db).get(arm, {})


def likeness_of_outputs(db: Book) -> Any:
    """Return what of the type of a run's outputs says which are equal, as `graph.likeness` has it."""
    return OUTPUT.of(db)
