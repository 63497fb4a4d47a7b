"""What a sample has written of documents, as the rows of the job bear it that show them. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from fanwise.engine.repeated import ShownBy
from fanwise.journal.records import RoleName
from fanwise.ledger.shared import RowWrite

from .estimate import RowUse


def levelled(uses: list[RowUse], writes: Iterable[RowWrite], shown: Mapping[int, ShownBy]) -> list[RowUse]:
    """Return what rows took, where each bears the part of a document's writing that it has in the whole job.

    Of a few rows that are drawn nearly each has a document of its own, and writes it; in the job many read it.

    Args:
        uses: What the rows took.
        writes: What they have written of theirs.
        shown: By row how many rows of the job show the same blocks; empty where rows repeat none.
    """
    if not shown:
        return uses
    own = defaultdict[tuple[RoleName, int], list[int]](_nothing)
    sums = defaultdict[tuple[RoleName, int], list[int]](_nothing)
    for write in writes:
        if write.row in shown:
            role, by = RoleName(write.arm, write.agent, write.model), shown[write.row]
            for counts in (own[role, write.row], sums[role, by.content]):
                counts[0] += round(write.extra * by.share)
                counts[1] += round(write.tokens * by.share)
    return [
        _levelled(use, own[use.role, use.row], sums[use.role, shown[use.row].content], shown[use.row]) for use in uses
    ]


def _nothing() -> list[int]:
    """Return no picodollars beyond reading, and no tokens."""
    return [0, 0]


def _levelled(use: RowUse, own: list[int], sums: list[int], by: ShownBy) -> RowUse:
    """Return what a row took without what it wrote, and with its part of what all rows of its content wrote."""
    rows = max(by.rows, 1)
    beyond = min(own[1], use.usage.cache_write_5m) - round(sums[1] / rows)
    usage = use.usage._replace(
        cache_write_5m=use.usage.cache_write_5m - beyond, cache_read=max(use.usage.cache_read + beyond, 0)
    )
    return replace(use, usage=usage, cost=use.cost - own[0] + round(sums[0] / rows))
