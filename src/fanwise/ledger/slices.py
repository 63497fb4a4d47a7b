"""What was sent to whom: per agent its slice, how much of it the row had sent before, and what was cached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fanwise.journal.meta import SLICES
from fanwise.journal.reader import Book
from fanwise.journal.records import ArmName
from fanwise.journal.tables import select

REPEATED = """CASE WHEN p.why IN ('retry','repair','longer') THEN (
    SELECT f.repeated FROM asks k JOIN asks s ON s.row=k.row AND s.key=k.key JOIN attempts f ON f.id=s.attempt
    WHERE k.attempt=p.attempt AND k.place=0 ORDER BY f.id LIMIT 1) ELSE p.repeated END"""
"""Characters of an attempt of `p` that its row had sent before. What a retry sends again is no part of the graph: of it
as much was sent before as of the first attempt of its task."""
_SLICES = f"""SELECT arm, agent, model, COUNT(*) AS calls, SUM(prompt) AS tokens,
  CAST(ROUND(SUM(1.0*prompt*({REPEATED})/MAX(chars,1))) AS INT) AS repeated, SUM(cache_read) AS read,
  SUM(cache_write_5m+cache_write_1h) AS written, SUM(cost IS NULL AND p.tokens=0) AS uncounted
  FROM paid p WHERE status='succeeded' GROUP BY arm, agent, model ORDER BY arm DESC, SUM(prompt) DESC"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceAccount:
    """One agent's input on one model, summed over its answered requests; in tokens."""

    arm: ArmName
    agent: str
    model: str
    fields: tuple[str, ...] = ()
    """What is passed to it: fields of the row and outputs of other tasks."""
    blocks: tuple[str, ...] = ()
    """Its context."""
    calls: int
    uncounted: int
    """Of these, replies without usage: what they took is in no figure here."""
    tokens: int
    """All input, cached or not, as far as it is known."""
    repeated: int
    """Of it, what the same row had sent before, to this agent or another: allotted by characters; retries apart."""
    read: int
    """Of it, read from the cache."""
    written: int

    @property
    def fresh(self) -> int:
        """Of it, neither read from the cache nor written to it."""
        return self.tokens - self.read - self.written

    @property
    def counted(self) -> int:
        """Calls whose tokens are known."""
        return self.calls - self.uncounted

    def data(self) -> dict[str, Any]:
        """Return it as JSON-ready data; tokens are None where nothing is known of them."""
        tokens_by_name = {
            "input_tokens": self.tokens, "duplicated_tokens": self.repeated, "cache_read_tokens": self.read,
            "cache_write_tokens": self.written, "fresh_tokens": self.fresh,
        }  # fmt: skip
        return {
            "side": self.arm, "agent": self.agent, "fields": list(self.fields), "blocks": list(self.blocks),
            "calls": self.calls, "calls_of_unknown_tokens": self.uncounted,
            **(tokens_by_name if self.counted else dict.fromkeys(tokens_by_name)),
        }  # fmt: skip


def slices(db: Book) -> list[SliceAccount]:
    """Return what each agent was sent, the fan-out first, the largest first."""
    shown = SLICES.of(db)
    accounts = select(db, SliceAccount, _SLICES)
    return [_named(account, shown.get(f"{account.arm} {account.agent}", {})) for account in accounts]


def _named(account: SliceAccount, names: Mapping[str, Sequence[str]]) -> SliceAccount:
    """Return an account with the names of what its agent is shown."""
    return replace(account, fields=tuple(names.get("fields", ())), blocks=tuple(names.get("blocks", ())))
