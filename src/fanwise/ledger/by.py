"""The ledger by whatever is asked: row, task, agent, tier, channel, attempt, prefix or hour, and by several at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fanwise.errors import UsageError
from fanwise.journal.reader import Book
from fanwise.pricing.usage import Usage

from .account import KINDS, SUMS
from .unpriced import usd_if_known

DIMENSIONS = {
    "side": "arm", "row": "row", "task": "label", "node": "node", "agent": "agent", "tier": "model",
    "channel": "channel", "attempt": "number", "prefix": "prefix", "status": "status",
    "hour": "strftime('%Y-%m-%dT%H:00Z', sent, 'unixepoch')",
}  # fmt: skip
"""What the ledger can be asked by: `tier` is the model, `attempt` its number in its task, `prefix` the key of the
cached prefix that rows share (empty: none), `hour` the one in which it was sent (UTC), row 0 what no row caused."""
OF_ATTEMPTS = frozenset({"side", "agent", "tier", "channel", "prefix", "status", "hour"})
"""Of these, what an attempt has whatever tasks it serves."""
_COLUMNS = (
    f"arm, row, label, node, agent, model, channel, number, prefix, status, sent, cost, tokens, {', '.join(KINDS)}"
)
_SHARES = f"(SELECT {_COLUMNS} FROM all_served UNION ALL SELECT {_COLUMNS} FROM all_task_attempts WHERE NOT serves)"
"""Each task with its share of its attempts, and the attempts that serve none."""


@dataclass(frozen=True, slots=True, kw_only=True)
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
    uncounted: int
    """Of these, those whose tokens are unknown too: lost, open, or replies without usage."""

    def data(self, dimensions: Sequence[str]) -> dict[str, Any]:
        """Return it as JSON-ready data; dollars and tokens are None where nothing is known of them."""
        is_known = any(self.usage) or not self.uncounted
        return dict(zip(dimensions, self.names, strict=True)) | {
            "attempts": self.attempts, "failed": self.failed, "lost": self.lost,
            **{f"{kind}_tokens": getattr(self.usage, kind) if is_known else None for kind in KINDS},
            "cost_usd": usd_if_known(self.cost, self.unknown),
            "attempts_of_unknown_cost": self.unknown, "attempts_of_unknown_tokens": self.uncounted,
        }  # fmt: skip


def by(db: Book, dimensions: Sequence[str]) -> Iterator[Group]:
    """Yield the ledger's attempts in groups, those of which no cost is known first, then the dearest.

    Over all groups they are the whole ledger.

    By row, task or node an attempt that serves several counts in each, with its share of tokens and price.

    Args:
        db: The journal.
        dimensions: Keys of `DIMENSIONS`; at least one.

    Raises:
        UsageError: There is no such dimension.
    """
    unheard = [name for name in dimensions if name not in DIMENSIONS]
    if unheard or not dimensions:
        words = ", ".join(map(repr, unheard)) or "nothing"
        raise UsageError(f"the ledger cannot be asked by {words}; by {', '.join(DIMENSIONS)}, or several with commas")
    source = "all_paid" if OF_ATTEMPTS.issuperset(dimensions) else _SHARES
    columns = ", ".join(DIMENSIONS[name] for name in dimensions)
    places = ", ".join(str(place) for place in range(1, len(dimensions) + 1))
    query = f"""SELECT {columns}, COUNT(*), SUM(status='failed'), SUM(status='lost'), {SUMS},
      COALESCE(SUM(cost),0) AS paid, SUM(cost IS NULL),
      SUM(cost IS NULL AND COALESCE(tokens,0)=0) FROM {source} GROUP BY {places}
      ORDER BY SUM(cost) IS NULL DESC, paid DESC, {places}"""
    for row in db.execute(query):
        names, (attempts, failed, lost, *tokens, cost, unknown, uncounted) = (
            row[: len(dimensions)],
            row[len(dimensions) :],
        )
        usage = Usage(*tokens)  # the columns of SUMS are the first kinds of a usage, in their order
        yield Group(
            names=names, attempts=attempts, failed=failed, lost=lost, usage=usage, cost=cost, unknown=unknown,
            uncounted=uncounted,
        )  # fmt: skip
