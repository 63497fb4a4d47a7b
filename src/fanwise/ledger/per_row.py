"""Dollars for each successful row of a side, at the size of the job, as the multiplier has them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal

from fanwise.journal.reader import Book
from fanwise.journal.records import ArmName
from fanwise.units import usd_text

from .account import Totals, succeeded
from .allotment import NOTHING, shared_costs
from .paired import SIDES, JobSize


def per_row_usd(db: Book, size: JobSize, arms: Mapping[ArmName, Totals]) -> dict[ArmName, str | None]:
    """Return what each successful row of both sides cost, as far as it is known, in exact dollars.

    All that a side paid is in it, whatever became of it; but what its rows share counts only by the rows that it was
    asked for of all that the job has, so that a sample does not bear what all rows would.

    Args:
        db: The journal.
        size: Of the job.
        arms: The totals of the sides.

    Returns:
        By side; None where no row has succeeded, or nothing is known of what it cost.
    """
    shared = shared_costs(db)
    return {arm: _each(size, arms.get(arm, Totals()), shared[arm], arm, succeeded(db, arm)) for arm in SIDES}


def _each(size: JobSize, totals: Totals, shared: int, arm: ArmName, good: int) -> str | None:
    if not good or (totals.unknown and not totals.cost):
        return None
    # Rows sum to the side, so that it is priced as one row is, and nobody has to go over them once more.
    side = size.cost(NOTHING._replace(arm=arm, own=totals.cost - shared, shared=shared)) - size.spared(arm)
    return usd_text(int((Decimal(side) / (size.rows * good)).quantize(Decimal(1), rounding=ROUND_HALF_EVEN)))
