"""Two runs held against each other: what was changed in which agent, and what that did to a row's price."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from decimal import Decimal
from difflib import unified_diff
from typing import Any

from fanwise.journal.meta import AGENTS
from fanwise.units import PICO_PER_USD

from .account import succeeded

WORDS = {
    "model": "model", "instructions": "instructions", "context": "context", "fields": "what it is passed",
    "schema": "what it answers", "max_tokens": "max_tokens", "thinking": "thinking", "effort": "effort",
    "tools": "tools", "layout": "layout of its prefix",
}  # fmt: skip
_COSTS = """SELECT agent, COUNT(*), COALESCE(SUM(cost),0)
  FROM paid WHERE arm='fanout' AND at IS NOT NULL GROUP BY agent"""


@dataclass(frozen=True, slots=True)
class AgentChange:
    """One agent of the fan-out in two runs; None: it is not in that run."""

    agent: str
    changed: tuple[str, ...]
    """What is different: keys of `WORDS`, or `new` and `gone`."""
    before: Decimal
    """Dollars for each successful row."""
    after: Decimal
    calls_before: Decimal
    """For each successful row."""
    calls_after: Decimal
    text: str
    """The instructions' lines that differ, as a unified diff; empty where they are equal, or purged."""

    @property
    def difference(self) -> Decimal:
        """Dollars that a successful row costs more, below zero less."""
        return self.after - self.before

    def data(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        return {
            "agent": self.agent, "changed": list(self.changed), "before_usd": _text(self.before),
            "after_usd": _text(self.after), "difference_usd": _text(self.difference),
            "calls_before": float(round(self.calls_before, 6)), "calls_after": float(round(self.calls_after, 6)),
            "instructions": self.text,
        }  # fmt: skip


def changed_words(change: AgentChange) -> list[str]:
    """Return what is different of an agent in the words that people read."""
    return [WORDS.get(name, name) for name in change.changed]


def changes(before: sqlite3.Connection, after: sqlite3.Connection) -> list[AgentChange]:
    """Return every agent of two runs, the one that moved a row's price most first.

    The differences sum to that of the fan-out's cost per successful row.
    """
    one, two = _known(before), _known(after)
    costs, good = [_costs(db) for db in (before, after)], [max(succeeded(db, "fanout"), 1) for db in (before, after)]
    found: list[AgentChange] = []
    for agent in dict.fromkeys([*one, *two, *costs[0], *costs[1]]):
        (calls, pico), (more_calls, more_pico) = (run.get(agent, (0, 0)) for run in costs)
        found.append(
            AgentChange(
                agent=agent,
                changed=_changed(one.get(agent), two.get(agent)),
                before=Decimal(pico) / PICO_PER_USD / good[0],
                after=Decimal(more_pico) / PICO_PER_USD / good[1],
                calls_before=Decimal(calls) / good[0],
                calls_after=Decimal(more_calls) / good[1],
                text=_diff(before, after, one.get(agent, {}), two.get(agent, {})),
            )
        )
    return sorted(found, key=lambda change: -abs(change.difference))


def _known(db: sqlite3.Connection) -> dict[str, dict[str, Any]]:
    return AGENTS.of(db).get("fanout", {})


def _costs(db: sqlite3.Connection) -> dict[str, tuple[int, int]]:
    return {agent: (count, pico) for agent, count, pico in db.execute(_COSTS)}


def _changed(one: dict[str, Any] | None, two: dict[str, Any] | None) -> tuple[str, ...]:
    if one is None or two is None:
        return ("new",) if one is None else ("gone",)
    return tuple(name for name in WORDS if one.get(name) != two.get(name))


def _diff(before: sqlite3.Connection, after: sqlite3.Connection, one: dict[str, Any], two: dict[str, Any]) -> str:
    shas = [str(known.get("instructions") or "") for known in (one, two)]
    if shas[0] == shas[1]:
        return ""
    texts = [_block(db, sha) for db, sha in zip((before, after), shas, strict=True)]
    if None in texts:
        return ""
    old, new = ((text or "").splitlines() for text in texts)
    return "\n".join(list(unified_diff(old, new, lineterm="", n=0))[2:])


def _block(db: sqlite3.Connection, sha: str) -> str | None:
    row = db.execute("SELECT text FROM blocks WHERE sha=?", (sha,)).fetchone()
    return row[0] if row else None


def _text(value: Decimal) -> str:
    return f"{value.quantize(Decimal('1e-12')):f}"
