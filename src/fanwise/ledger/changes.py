"""Two runs held against each other: what was changed in which agent, and what that did to a row's price."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from difflib import unified_diff
from typing import Any

from fanwise.journal.reader import Book
from fanwise.journal.records import Channel
from fanwise.journal.tables import select
from fanwise.units import PICO_PER_USD

from .account import succeeded
from .standing import agents_of

WORDS = {
    "model": "model", "instructions": "instructions", "examples": "examples", "context": "context",
    "fields": "what it is passed",
    "schema": "what it answers", "max_tokens": "max_tokens", "thinking": "thinking", "effort": "effort",
    "tools": "tools", "layout": "layout of its prefix", "channel": "channel",
}  # fmt: skip
_COSTS = """SELECT agent, COUNT(*) AS calls, COALESCE(SUM(cost),0) AS cost, SUM(channel='live') AS live,
  SUM(cost IS NULL) AS unknown
  FROM paid WHERE arm='fanout' GROUP BY agent"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentChange:
    """One agent of the fan-out in two runs."""

    agent: str
    changed: tuple[str, ...]
    """What is different: keys of `WORDS`, or `new` and `gone`."""
    before: Decimal | None
    """Dollars for each successful row, as far as they are known; None where nothing of them is: no row has succeeded,
    no cost is known, or the agent is in the graph and was not asked. Of one that is not in the graph it is 0."""
    after: Decimal | None
    unknown_before: int
    """Attempts whose cost is not known, those among them that have not ended."""
    unknown_after: int
    calls_before: Decimal | None
    """For each successful row; None where none has succeeded."""
    calls_after: Decimal | None
    channels_before: tuple[Channel, ...]
    """By which its calls went, that of most of them first."""
    channels_after: tuple[Channel, ...]
    text: str
    """The instructions' lines that differ, as a unified diff; empty where they are equal, or purged."""

    @property
    def difference(self) -> Decimal | None:
        """Dollars that a successful row costs more, below zero less, as far as they are known.

        None where a run knows nothing of them: nobody has become cheaper by not being asked.
        """
        return None if self.before is None or self.after is None else self.after - self.before

    @property
    def is_known(self) -> bool:
        """Whether the difference is known, with the cost of every attempt in both runs."""
        return self.difference is not None and not self.unknown_before and not self.unknown_after

    def data(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        return {
            "agent": self.agent, "changed": list(self.changed), "before_usd": _text(self.before),
            "after_usd": _text(self.after), "difference_usd": _text(self.difference) if self.is_known else None,
            "attempts_of_unknown_cost": [self.unknown_before, self.unknown_after],
            "calls_before": _rounded(self.calls_before), "calls_after": _rounded(self.calls_after),
            "channels_before": list(self.channels_before), "channels_after": list(self.channels_after),
            "instructions": self.text,
        }  # fmt: skip


Shapes = Mapping[str, dict[str, Any]]
"""What shapes the agents of an arm, as `agents_of` has it, by agent."""


def changed_words(names: Iterable[str]) -> list[str]:
    """Return what is different of an agent, as `AgentChange.changed` has it, in the words that people read."""
    return [WORDS.get(name, name) for name in names]


def changed_agents(before: Shapes, after: Shapes) -> dict[str, list[str]]:
    """Return by agent, in words, what is different of it; without agents of which nothing is."""
    changed = {agent: _changed(before.get(agent), after.get(agent)) for agent in [*before, *after]}
    return {agent: changed_words(names) for agent, names in changed.items() if names}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cost:
    """What an agent of the fan-out has cost in one run."""

    agent: str
    calls: int = 0
    cost: int = 0
    """Picodollars as far as they are known."""
    live: int = 0
    """Calls that did not go in batches."""
    unknown: int = 0
    """Of its calls, those whose cost is not known: lost, open, or of a model without a price."""

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Channels of its calls, that of most of them first."""
        calls: dict[Channel, int] = {"live": self.live, "batch": self.calls - self.live}
        return tuple(sorted((channel for channel in calls if calls[channel]), key=lambda channel: -calls[channel]))

    def for_each(self, rows: int, *, in_graph: bool) -> Decimal | None:
        """Return its dollars for each of so many rows, as far as they are known; None where nothing of them is."""
        if not self.calls and not in_graph:
            return Decimal(0)
        if not rows or not self.calls or (self.unknown and not self.cost):
            return None
        return Decimal(self.cost) / PICO_PER_USD / rows


def changes(before: Book, after: Book) -> list[AgentChange]:
    """Return every agent of two runs, the one that moved a row's price most first, last those not to be compared.

    Where all are compared, the differences sum to that of the fan-out's cost per successful row.
    """
    old_shapes, new_shapes = agents_of(before, "fanout"), agents_of(after, "fanout")
    old_costs, new_costs = _costs(before), _costs(after)
    old_rows, new_rows = (succeeded(db, "fanout") for db in (before, after))
    agents = [
        AgentChange(
            agent=agent,
            changed=_changed(old_shapes.get(agent), new_shapes.get(agent)) + _moved(old, new),
            before=old.for_each(old_rows, in_graph=agent in old_shapes),
            after=new.for_each(new_rows, in_graph=agent in new_shapes),
            unknown_before=old.unknown,
            unknown_after=new.unknown,
            calls_before=Decimal(old.calls) / old_rows if old_rows else None,
            calls_after=Decimal(new.calls) / new_rows if new_rows else None,
            channels_before=old.channels,
            channels_after=new.channels,
            text=_diff(_instructions(before, old_shapes.get(agent)), _instructions(after, new_shapes.get(agent))),
        )
        for agent in dict.fromkeys([*old_shapes, *new_shapes, *old_costs, *new_costs])
        for old, new in [[costs.get(agent, _Cost(agent=agent)) for costs in (old_costs, new_costs)]]
    ]
    return sorted(agents, key=lambda change: (change.difference is None, -abs(change.difference or 0)))


def _costs(db: Book) -> dict[str, _Cost]:
    return {cost.agent: cost for cost in select(db, _Cost, _COSTS)}


def _changed(old: dict[str, Any] | None, new: dict[str, Any] | None) -> tuple[str, ...]:
    """Return what is different of an agent; None: it is not in that run."""
    if old is None or new is None:
        return ("new",) if old is None else ("gone",)
    return tuple(name for name in WORDS if old.get(name) != new.get(name))


def _moved(old: _Cost, new: _Cost) -> tuple[str, ...]:
    """Return whether an agent that was called in both runs took other channels, or another for most of its calls."""
    return ("channel",) if old.calls and new.calls and old.channels != new.channels else ()


def _instructions(db: Book, shape: dict[str, Any] | None) -> str | None:
    """Return an agent's instructions; None where it is not in the run, or they were purged."""
    row = db.execute("SELECT text FROM blocks WHERE sha=?", ((shape or {}).get("instructions"),)).fetchone()
    return row[0] if row else None


def _diff(old: str | None, new: str | None) -> str:
    """Return the lines that differ; none where one of the texts is not there."""
    if old is None or new is None:
        return ""
    return "\n".join(list(unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=0))[2:])


def _text(dollars: Decimal | None) -> str | None:
    return None if dollars is None else f"{dollars.quantize(Decimal('1e-12')):f}"


def _rounded(calls: Decimal | None) -> float | None:
    return None if calls is None else float(round(calls, 6))
