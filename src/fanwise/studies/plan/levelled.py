"""What a sample has written of documents, as the rows of the job bear it that show them. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from statistics import fmean

from fanwise.engine.repeated import ShownBy
from fanwise.journal.records import RoleName
from fanwise.ledger.rowblocks import RowBlockWrite

from .alike import OfAgent
from .estimate import RowUse


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Where in a job the blocks of the rows of a sample are shown."""

    rows: Mapping[int, ShownBy]
    """By place of a row in the sample, from 1: how many rows of the job show the same; empty where rows repeat none."""
    parts: Mapping[OfAgent, Mapping[int, float]] = field(default_factory=dict[OfAgent, Mapping[int, float]])
    """By agent and place what is left of its tasks on average, where equal ones are asked once; else all of them is."""

    def requests(self, role: RoleName, place: int) -> float:
        """Return how many requests of an agent show what a row shows: at least the one for the row."""
        by, parts = self.rows[place], self.parts.get((role.arm, role.agent))
        if parts is None:
            return max(by.rows, 1)
        alike = [parts[other] for other, shown in self.rows.items() if shown.content == by.content]
        return max(by.rows * fmean(alike), 1.0)


NOT_SHOWN = Shown(rows={})


def levelled(uses: list[RowUse], writes: Iterable[RowBlockWrite], shown: Shown) -> list[RowUse]:
    """Return what rows took, where each bears the part of a document's writing that it has in the whole job.

    Of a few rows that are drawn nearly each has a document of its own, and writes it; in the job many read it.

    Args:
        uses: What the rows took.
        writes: What they have written of theirs.
        shown: Where in the job their blocks are shown.
    """
    if not shown.rows:
        return uses
    own = defaultdict[tuple[RoleName, int], list[int]](_nothing)
    sums = defaultdict[tuple[RoleName, int], list[int]](_nothing)
    for write in writes:
        if write.row in shown.rows:
            role, by = RoleName(write.arm, write.agent, write.model), shown.rows[write.row]
            for counts in (own[role, write.row], sums[role, by.content]):
                counts[0] += round(write.extra * by.share)
                counts[1] += round(write.tokens * by.share)
    return [
        _levelled(
            use,
            own[use.role, use.row],
            sums[use.role, shown.rows[use.row].content],
            shown.requests(use.role, use.row),
        )
        for use in uses
    ]


def _nothing() -> list[int]:
    """Return no picodollars beyond reading, and no tokens."""
    return [0, 0]


def _levelled(use: RowUse, own: list[int], sums: list[int], requests: float) -> RowUse:
    """Return what a row took without what it wrote, and with its part of what all of its content wrote."""
    beyond = min(own[1], use.usage.cache_write_5m) - round(sums[1] / requests)
    usage = use.usage._replace(
        cache_write_5m=use.usage.cache_write_5m - beyond, cache_read=max(use.usage.cache_read + beyond, 0)
    )
    return replace(use, usage=usage, cost=use.cost - own[0] + round(sums[0] / requests))


def not_in(alive: Collection[str], writes: Iterable[RowBlockWrite]) -> list[RowBlockWrite]:
    """Return the writes of blocks that the cache does not have."""
    return [write for write in writes if not write.is_alive(alive)]


def found_in(
    alive: Collection[str],
    uses: Iterable[RowUse],
    writes: Iterable[RowBlockWrite],
    shown: Shown,
) -> list[RowUse]:
    """Return what rows took if they read the blocks that the cache has; what it may have forgotten is a miss.

    Args:
        alive: Keys of these blocks.
        uses: What the rows took.
        writes: What they have written of theirs.
        shown: Where in the job their blocks are shown.
    """
    drawn = Counter(by.content for by in shown.rows.values())
    read: dict[tuple[RoleName, int], list[RowBlockWrite]] = {}
    for write in writes:
        if write.is_alive(alive):
            read.setdefault((RoleName(write.arm, write.agent, write.model), write.row), []).append(write)

    def part(use: RowUse) -> float:
        return drawn[shown.rows[use.row].content] / shown.requests(use.role, use.row) if use.row in shown.rows else 1.0

    return [_read(use, read.get((use.role, use.row), ()), part(use)) for use in uses]


def _read(use: RowUse, writes: Iterable[RowBlockWrite], part: float) -> RowUse:
    """Return what a row took if it had read what it wrote; of what this costs, it bears a part where it is a miss."""
    tokens, extra = sum(write.tokens for write in writes), sum(write.extra for write in writes)
    usage = use.usage._replace(
        cache_write_5m=max(use.usage.cache_write_5m - tokens, 0), cache_read=use.usage.cache_read + tokens
    )
    return replace(
        use, usage=usage, cost=max(use.cost - extra, 0), misses_cost=use.misses_cost + round(extra * min(part, 1.0))
    )
