"""What was sent to whom: per agent its slice, how much of it the row had sent before, and what was cached."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from fanwise.journal.meta import SLICES
from fanwise.journal.records import ArmName

_SLICES = """SELECT arm, agent, COUNT(*), SUM(prompt), CAST(ROUND(SUM(1.0*prompt*repeated/MAX(chars,1))) AS INT),
  SUM(cache_read), SUM(cache_write_5m+cache_write_1h)
  FROM paid WHERE status='succeeded' GROUP BY arm, agent ORDER BY arm DESC, SUM(prompt) DESC"""


@dataclass(frozen=True, slots=True)
class SliceAccount:
    """One agent's input, summed over its answered requests; in tokens."""

    arm: ArmName
    agent: str
    fields: tuple[str, ...]
    """What is passed to it: fields of the row and outputs of other tasks."""
    blocks: tuple[str, ...]
    """Its context."""
    calls: int
    tokens: int
    """All input, cached or not."""
    repeated: int
    """Of it, what the same row had sent before, to this agent or another: allotted by characters."""
    read: int
    """Of it, read from the cache."""
    written: int

    @property
    def fresh(self) -> int:
        """Of it, neither read from the cache nor written to it."""
        return self.tokens - self.read - self.written

    def data(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        return {
            "side": self.arm, "agent": self.agent, "fields": list(self.fields), "blocks": list(self.blocks),
            "calls": self.calls, "input_tokens": self.tokens, "duplicated_tokens": self.repeated,
            "cache_read_tokens": self.read, "cache_write_tokens": self.written, "fresh_tokens": self.fresh,
        }  # fmt: skip


def slices(db: sqlite3.Connection) -> list[SliceAccount]:
    """Return what each agent was sent, the fan-out first, the largest first."""
    known = SLICES.of(db)
    found: list[SliceAccount] = []
    for arm, agent, calls, tokens, repeated, read, written in db.execute(_SLICES):
        one = known.get(f"{arm} {agent}", {})
        fields, blocks = tuple(one.get("fields", ())), tuple(one.get("blocks", ()))
        found.append(SliceAccount(arm, agent, fields, blocks, calls, tokens, repeated, read, written))
    return found
