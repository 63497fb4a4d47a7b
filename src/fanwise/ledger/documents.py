"""What rows paid for writing blocks that other rows show too, beyond their parts of it.

Where a side was asked for a sample, a row bears as many parts of what it wrote as rows of the sample show it. Where the
other side was asked for all, what was written of such blocks is borne by all rows that show them, in equal parts: the
few rows of the sample would else have written by chance more of it than their parts, or nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from fanwise.journal.reader import Book
from fanwise.journal.records import ArmName

from .shared import RowWrite, row_writes

Shown = Mapping[str, Sequence[float]]
"""By number of a row the number of its content, the rows of the job that show it, and its share of the row's blocks."""
_ROWS = "SELECT DISTINCT row FROM served WHERE arm=?"
_BLOCKS = "SELECT DISTINCT row, model, blocks FROM served WHERE arm=? AND row>0 AND why<>'tools'"


class Documents:
    """What rows paid beyond their parts for blocks that others show, by arm and row."""

    def __init__(self, db: Book, shown: Mapping[ArmName, Shown], arms: Iterable[ArmName], rows: int) -> None:
        """Look through the writes of a run; there is nothing to look for where no side was asked for a sample.

        Args:
            db: The journal.
            shown: What rows of a sample show, by arm that was asked for one.
            arms: All of the run.
            rows: Of the job.
        """
        self._beyond: dict[ArmName, Counter[int]] = {}
        self._sampled = frozenset[ArmName]()
        of_sample = {arm: rows_of for arm, rows_of in shown.items() if rows_of}
        if not of_sample:
            return
        writes = defaultdict[ArmName, list[RowWrite]](list)
        for write in row_writes(db):
            writes[write.arm].append(write)
        sampled = {int(row) for of_arm in of_sample.values() for row in of_arm}
        for arm in arms:
            if arm in of_sample:
                self._beyond[arm] = _of_sample(db, arm, of_sample[arm], writes[arm], rows)
            elif writes[arm]:
                self._beyond[arm] = _of_all(db, arm, sampled, writes[arm], rows)
        self._sampled = frozenset(of_sample)

    def beyond(self, arm: ArmName, row: int) -> int:
        """Return what a row paid beyond its part, in picodollars over the rows of the job; below zero: others did."""
        return self._beyond[arm][row] if arm in self._beyond else 0

    def sum(self, arm: ArmName) -> int:
        """Return what all rows of an arm paid beyond their parts, likewise; nothing where it was asked for all."""
        return self._beyond[arm].total() if arm in self._beyond and arm in self._sampled else 0


def _of_sample(db: Book, arm: ArmName, shown: Shown, writes: Iterable[RowWrite], rows: int) -> Counter[int]:
    """Return what rows of a sample have paid for others.

    Of rows that show one content some are drawn. These write it as all of them would, and bear of that as many parts as
    they are.
    """
    asked = {row for (row,) in db.execute(_ROWS, (arm,))}
    drawn = Counter(content for row, (content, _, _) in shown.items() if int(row) in asked)
    beyond = Counter[int]()
    for write in writes:
        if str(write.row) in shown:
            content, alike, share = shown[str(write.row)]
            others = max(alike - drawn[content], 0)
            beyond[write.row] += round(
                Fraction(share) * write.extra * rows * Fraction(others) / Fraction(max(alike, 1))
            )
    return beyond


def _of_all(db: Book, arm: ArmName, sampled: set[int], writes: Iterable[RowWrite], rows: int) -> Counter[int]:
    """Return what rows, of which the other side was asked for a sample, have paid here beyond equal parts."""
    written, own = Counter[tuple[str, str]](), Counter[int]()
    for write in writes:
        written[write.model, write.shown] += write.extra
        own[write.row] += write.extra
    showing, of_row = defaultdict[tuple[str, str], set[int]](set), defaultdict[int, set[tuple[str, str]]](set)
    for row, model, blocks in db.execute(_BLOCKS, (arm,)):
        content = model, RowWrite.shown_of(blocks)
        if content in written:
            showing[content].add(row)
            if row in sampled:
                of_row[row].add(content)
    beyond = Counter[int]()
    for row in sampled:
        part = sum((Fraction(written[content], len(showing[content])) for content in of_row[row]), Fraction(0))
        beyond[row] = own[row] * rows - round(part * rows)
    return beyond
