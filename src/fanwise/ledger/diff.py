"""Two runs beside each other: the figures of each, and what was changed in which agent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fanwise.journal.reader import Book

from .changes import AgentChange
from .summary import read_share

PER_ROW = "per successful row"
"""Name of a figure that has dollars."""
UNKNOWN = "attempts of unknown cost"
_UNFINISHED_PAID = """SELECT COUNT(DISTINCT row) FROM served s WHERE arm='fanout' AND row>0 AND cost>0
  AND NOT EXISTS(SELECT 1 FROM row_ends r WHERE r.row=s.row AND r.arm=s.arm)"""
Figure = str | float | None
"""None: it is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFigures:
    """What one run is held against another by."""

    rows: int
    """Records that were read."""
    succeeded: int
    unfinished: int
    """Rows without an end."""
    unfinished_paid: int
    """Those among them for which something was paid: it is in the price of a successful row."""
    cost_per_successful_row_usd: str | None
    """As far as it is known."""
    unknown: int
    """Attempts of the fan-out whose cost is not known, those among them that have not ended."""
    tokens_multiplier: float | None
    usd_multiplier: float | None
    cache_read_share: float | None
    """Of the fan-out's input tokens, 0 to 1; None where none is known."""
    retried: int
    """Attempts of the fan-out."""
    failed_tasks: int

    def named(self) -> dict[str, Figure]:
        """Return the figures under the names that people and programs read."""
        read = self.cache_read_share
        unfinished = f", {self.unfinished:,} unfinished" if self.unfinished else ""
        return {
            "rows": f"{self.succeeded:,} of {self.rows:,} succeeded{unfinished}",
            PER_ROW: self.cost_per_successful_row_usd,
            UNKNOWN: self.unknown,
            "multiplier in tokens": self.tokens_multiplier,
            "multiplier in dollars": self.usd_multiplier,
            "fan-out's input read from the cache": None if read is None else f"{100 * read:.0f} %",
            "retried": self.retried,
            "failed tasks": self.failed_tasks,
        }


def run_figures(db: Book, summary: Mapping[str, Any]) -> RunFigures:
    """Return the figures of a run from its journal and its summary."""
    multiplier, attempts = summary["multiplier"], summary["attempts"]["fanout"]
    unended = attempts["sent"] - sum(attempts[end] for end in ("succeeded", "failed", "lost"))
    return RunFigures(
        rows=summary["rows"]["read"],
        succeeded=summary["rows"]["succeeded"],
        unfinished=summary["rows"]["unfinished"],
        unfinished_paid=db.execute(_UNFINISHED_PAID).fetchone()[0],
        cost_per_successful_row_usd=summary["cost_per_successful_row_usd"],
        unknown=summary["attempts_of_unknown_cost"]["fanout"] + unended,
        tokens_multiplier=None if multiplier is None else multiplier["tokens"]["ratio"],
        usd_multiplier=None if multiplier is None else multiplier["usd"]["ratio"],
        cache_read_share=read_share(summary["tokens"]["fanout"]),
        retried=attempts["retried"],
        failed_tasks=sum(summary["failed_tasks"].values()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """What is different between two runs."""

    before: RunFigures
    after: RunFigures
    agents: tuple[AgentChange, ...]
    """Those of both runs, the one that moved a row's price most first, last those not to be compared."""

    @property
    def rise_percent(self) -> Decimal | None:
        """By how many percent a successful row costs more, below zero less; None where that is not known."""
        before, after = self.before.cost_per_successful_row_usd, self.after.cost_per_successful_row_usd
        if before is None or after is None or self.why_no_rise is not None:
            return None
        return (Decimal(after) / Decimal(before) - 1) * 100

    @property
    def why_no_rise(self) -> str | None:
        """Why nobody knows how much more a successful row costs, as a sentence goes on; None where it is known."""
        runs = {"before": self.before, "after": self.after}
        without = [name for name, figures in runs.items() if not figures.succeeded]
        if without:
            return f"no row has succeeded {' and '.join(without)}"
        if self.before.unknown or self.after.unknown:
            return "the cost of some attempts is unknown"
        open_rows = [f"{figures.unfinished_paid:,} {name}" for name, figures in runs.items() if figures.unfinished_paid]
        if open_rows:
            return f"what was paid for rows that have not ended is in it ({', '.join(open_rows)}); resume that run"
        return None if Decimal(self.before.cost_per_successful_row_usd or 0) else "it cost nothing before"

    def figures(self) -> dict[str, tuple[Figure, Figure]]:
        """Return each figure before and after, by its name; without a count of unknown costs where all are known."""
        after, all_known = self.after.named(), not self.before.unknown and not self.after.unknown
        pairs = {name: (figure, after[name]) for name, figure in self.before.named().items()}
        return {name: pair for name, pair in pairs.items() if name != UNKNOWN or not all_known}

    def data(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        rise = self.rise_percent
        return {
            "rise_percent": None if rise is None else float(round(rise, 6)),
            "figures": {name: list(pair) for name, pair in self.figures().items()},
            "agents": [change.data() for change in self.agents],
        }
