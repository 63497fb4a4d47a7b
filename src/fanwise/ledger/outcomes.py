"""How rows ended, with what they said; and the records that were set aside."""

from __future__ import annotations

import json
from array import array
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from fanwise.journal.reader import Book
from fanwise.journal.records import ArmName, RowRecord
from fanwise.journal.tables import select

from .account import baseline_arm
from .paired import STOPPED

_RESULTS = f"""SELECT r.row, w.row_id, r.status, r.reason, t.text AS output, b.status AS baseline_status,
    {STOPPED} AS stopped
  FROM row_ends r JOIN rows w ON w.number=r.row LEFT JOIN texts t ON t.sha=r.output
  LEFT JOIN row_ends b ON b.row=r.row AND b.arm=:baseline
  WHERE r.arm='fanout' ORDER BY r.row"""
_OUTPUTS = """SELECT r.row, w.row_id, r.arm, CASE WHEN r.status='failed' THEN NULL ELSE t.text END AS output, r.status
  FROM row_ends r JOIN rows w ON w.number=r.row LEFT JOIN texts t ON t.sha=r.output ORDER BY r.row"""
_LENGTHS = """SELECT r.row, LENGTH(t.text) FROM row_ends r JOIN texts t ON t.sha=r.output
  WHERE r.arm='fanout' AND r.row IN (SELECT value FROM json_each(?)) ORDER BY r.row"""

_HAS_ENDED = """SELECT 1 FROM rows w JOIN row_ends r ON r.row=w.number
  WHERE w.row_id=? AND w.hash=? AND r.arm=? AND (r.status='succeeded' OR ?)
  AND (r.output IS NULL OR EXISTS(SELECT 1 FROM texts t WHERE t.sha=r.output))"""


class ResultLine(NamedTuple):
    """One row of the fan-out that has ended, beside its baseline."""

    row: int
    row_id: str
    status: str
    reason: str
    output: str | None
    """As canonical JSON; None where there is none, or it was purged."""
    baseline_status: str | None
    stopped: int
    """What has stopped the baseline's answer, as `paired.STOPPED` has it."""


class RejectLine(NamedTuple):
    """A record of the rows file that was set aside."""

    line: int
    reason: str
    raw: str


class RowOutput(NamedTuple):
    """What a row has come to on one arm."""

    row: int
    row_id: str
    arm: ArmName
    output: str | None
    """As canonical JSON; None where the row has failed, or its output was purged."""
    status: str


def result_lines(db: Book) -> Iterator[ResultLine]:
    """Yield the rows of the fan-out that have ended, by number."""
    return select(db, ResultLine, _RESULTS, {"baseline": baseline_arm(db)})


def reject_lines(db: Book) -> Iterator[RejectLine]:
    """Yield what was set aside, by line."""
    return select(db, RejectLine, "SELECT line, reason, raw FROM rejects ORDER BY number")


def row_outputs(db: Book) -> Iterator[RowOutput]:
    """Yield what every row that has ended came to, by number."""
    return select(db, RowOutput, _OUTPUTS)


def output_lengths(db: Book, rows: Collection[int]) -> dict[int, int]:
    """Return the characters of the outputs that rows have in the fan-out, by number."""
    return dict(db.execute(_LENGTHS, (json.dumps(list(rows)),)).fetchall())


def rows_with_output(db: Book) -> array[int]:
    """Return the numbers of the rows that have an output in the fan-out; there may be millions."""
    query = "SELECT row FROM row_ends WHERE arm='fanout' AND status<>'failed'"
    return array("q", (row for (row,) in db.execute(query)))


def ended_rows(db: Book, arm: ArmName, *, failed_too: bool) -> Iterator[int]:
    """Yield the numbers of the rows that have ended on an arm, in order, those that failed among them or not."""
    query = "SELECT row FROM row_ends WHERE arm=? AND (status<>'failed' OR ?) ORDER BY row"
    return (row for (row,) in db.execute(query, (arm, failed_too)))


def has_ended(db: Book, arm: ArmName, row_id: str, content: str, *, with_failures: bool) -> bool:
    """Return whether a row has ended on an arm, wherever it stands in the file, and what it came to is there.

    Args:
        db: The journal.
        arm: Which one.
        row_id: Of the row.
        content: Hash of what it holds: of a row that was changed nothing has ended.
        with_failures: Whether it has ended that failed, or of which a task did.
    """
    return db.execute(_HAS_ENDED, (row_id, content, arm, with_failures)).fetchone() is not None


def row_named(db: Book, row_id: str) -> RowRecord | None:
    """Return the row of an id."""
    return next(select(db, RowRecord, "SELECT * FROM rows WHERE row_id=?", (row_id,)), None)


def rows_numbered(db: Book, numbers: Collection[int]) -> Mapping[int, RowRecord]:
    """Return the rows of some numbers."""
    query = "SELECT * FROM rows WHERE number IN (SELECT value FROM json_each(?)) ORDER BY number"
    return {row.number: row for row in select(db, RowRecord, query, (json.dumps(sorted(numbers)),))}
