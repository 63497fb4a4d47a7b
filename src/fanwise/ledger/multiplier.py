"""The multiplier: what the fan-out took over what one agent took, sum over sum, with its spread over rows."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from fanwise.journal.reader import Book

from .account import baseline_arm, has_baseline
from .intervals import Interval
from .paired import LeftOut, PairedRows
from .ratio import FEW_ROWS, LEAST_ROWS
from .spread import Bin, Spread, rounded
from .standing import agents_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Multiplier:
    """Fan-out / baseline on the rows that both sides have ended, whatever the outcome, and whose cost is known."""

    rows: int
    tokens: Spread
    usd: Spread
    """With the writing of shared prefixes spread over all rows of the job, on both arms."""
    usd_raw: Spread
    """As paid: the row that came first carries the write."""
    per_success: Interval | None
    """Dollars for each row that succeeded, fan-out over baseline; None where a side has no success."""
    left_out: LeftOut
    """Rows of the run that are not among them."""
    is_own: bool
    """Whether the fan-out is the single agent itself."""
    cut_off: int
    """Rows among them in which the single agent's answer was cut off."""
    tokens_bins: tuple[Bin, ...] = ()
    usd_bins: tuple[Bin, ...] = ()

    @property
    def is_of_few_rows(self) -> bool:
        """Whether one row has more than a quarter of the sum of a side."""
        return max(self.tokens.largest_row, self.usd.largest_row) > FEW_ROWS

    def data(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        return {
            "tokens": self.tokens.data(),
            "usd": self.usd.data(),
            "usd_as_paid": self.usd_raw.data(),
            "baseline": "own" if self.is_own else "measured",
            "rows": self.rows,
            "left_out": asdict(self.left_out),
            "cut_off": self.cut_off,
            "few_rows": self.is_of_few_rows,
            "largest_row": {"tokens": rounded(self.tokens.largest_row), "usd": rounded(self.usd.largest_row)},
        }


def left_out_data(db: Book, measured: Multiplier | None) -> dict[str, int] | None:
    """Return how many rows of a run are not in its multiplier, by why; None where no single agent was to be asked.

    Args:
        db: The journal.
        measured: Its multiplier; None where it has none, which they say why.
    """
    if measured is not None:
        return asdict(measured.left_out)
    if not (has_baseline(db) or agents_of(db, baseline_arm(db))):
        return None
    rows = PairedRows(db)
    for _ in rows:
        pass
    return asdict(rows.left_out)


def per_success_data(multiplier: Multiplier | None) -> dict[str, float | None] | None:
    """Return dollars for each success, fan-out over baseline, as JSON-ready data; no interval below five rows."""
    if multiplier is None or multiplier.per_success is None:
        return None
    return interval_data(multiplier.per_success, multiplier.rows)


def interval_data(interval: Interval, rows: int) -> dict[str, float | None]:
    """Return a ratio over so many rows as JSON-ready data; no interval below five rows."""
    low, high = (interval.low, interval.high) if rows >= LEAST_ROWS else (None, None)
    return {"ratio": rounded(interval.value), "low": rounded(low), "high": rounded(high)}
