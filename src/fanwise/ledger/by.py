"""The ledger by whatever is asked: row, task, agent, tier, channel, attempt, prefix or hour, and by several at once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fanwise.errors import UsageError
from fanwise.pricing.usage import Usage
from fanwise.units import usd_text

DIMENSIONS = {
    "side": "a.arm", "row": "a.row", "task": "a.label", "node": "a.node", "agent": "a.agent", "tier": "a.model",
    "channel": "a.channel", "attempt": "a.number", "prefix": "a.prefix", "status": "COALESCE(e.status,'open')",
    "hour": "strftime('%Y-%m-%dT%H:00Z', a.sent, 'unixepoch')",
}  # fmt: skip
"""What the ledger can be asked by: `tier` is the model, `attempt` its number in its task, `prefix` the key of the
cached prefix that rows share (empty: none), `hour` the one in which it was sent (UTC), row 0 what no row caused."""


@dataclass(frozen=True, slots=True)
class Group:
    """All attempts that are alike in what was asked."""

    names: tuple[str | int, ...]
    """Of each dimension, in the order asked."""
    attempts: int
    failed: int
    lost: int
    usage: Usage
    cost: int
    """Picodollars as far as they are known."""
    unknown: int
    """Attempts whose cost is not known: lost, open, or of a model without a price."""

    def data(self, dimensions: Sequence[str]) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        one = self.usage
        return dict(zip(dimensions, self.names, strict=True)) | {
            "attempts": self.attempts, "failed": self.failed, "lost": self.lost, "input_tokens": one.input,
            "cache_write_5m_tokens": one.cache_write_5m, "cache_write_1h_tokens": one.cache_write_1h,
            "cache_read_tokens": one.cache_read, "output_tokens": one.output, "cost_usd": usd_text(self.cost),
            "attempts_of_unknown_cost": self.unknown,
        }  # fmt: skip


def by(db: sqlite3.Connection, dimensions: Sequence[str]) -> Iterator[Group]:
    """Yield the ledger's attempts in groups, the dearest first; over all groups they are the whole ledger.

    Args:
        db: The journal.
        dimensions: Keys of `DIMENSIONS`; at least one.

    Raises:
        UsageError: There is no such dimension.
    """
    unknown = [name for name in dimensions if name not in DIMENSIONS]
    if unknown or not dimensions:
        given = ", ".join(map(repr, unknown)) or "nothing"
        raise UsageError(f"the ledger cannot be asked by {given}; by {', '.join(DIMENSIONS)}, or several with commas")
    columns = ", ".join(DIMENSIONS[name] for name in dimensions)
    places = ", ".join(str(place) for place in range(1, len(dimensions) + 1))
    query = f"""SELECT {columns}, COUNT(*), COALESCE(SUM(e.status='failed'),0), COALESCE(SUM(e.status='lost'),0),
      COALESCE(SUM(e.input),0), COALESCE(SUM(e.write_5m),0), COALESCE(SUM(e.write_1h),0), COALESCE(SUM(e.read),0),
      COALESCE(SUM(e.output),0), COALESCE(SUM(e.cost),0), SUM(e.attempt IS NULL OR e.cost IS NULL)
      FROM attempts a LEFT JOIN ends e ON e.attempt=a.id
      GROUP BY {places} ORDER BY {len(dimensions) + 9} DESC, {places}"""
    for row in db.execute(query):
        names, (attempts, failed, lost, *tokens, cost, missing) = row[: len(dimensions)], row[len(dimensions) :]
        yield Group(names, attempts, failed, lost, Usage(*tokens), cost, missing)
