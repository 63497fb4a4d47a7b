"""Rows in: read in chunks, validated, told apart by id, recorded; what is broken is set aside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import anyio.to_thread

from fanwise.journal.port import Journal
from fanwise.journal.records import RejectRecord, new_row_record

from .records import Record
from .rows import Row, RowTypes

FEW, MANY = 64, 1_000
"""Records that are read at a time at most: where calls go live a few at a time will do, and take less memory."""
MOST_CHARS = 1_000_000
"""Characters of the records that are read at a time."""


class Ended(NamedTuple):
    """Rows that have ended."""

    rows: int
    failed: int


@dataclass(slots=True, kw_only=True)
class Counters:
    """What a display shows; the account itself is in the journal."""

    read: int = 0
    rejected: int = 0
    finished: int = 0
    """Rows that are done, and that durably,"""
    failed: int = 0
    """and those of them that have failed."""
    remembered: int = 0
    """Tasks whose answer was in the journal already."""
    _rows: int = 0
    """Rows that have ended, durably or not,"""
    _failed: int = 0
    """and those of them that have failed."""

    def end(self, *, failed: bool) -> None:
        """Take the end of a row; it is done once that is durable."""
        self._rows += 1
        self._failed += failed

    def ended(self) -> Ended:
        """Return what has ended, durable or not."""
        return Ended(self._rows, self._failed)

    def keep(self, ended: Ended) -> None:
        """Take note that what had ended is durable."""
        self.finished, self.failed = ended


class Intake:
    """Takes the rows of one session from their file."""

    def __init__(
        self,
        journal: Journal,
        types: RowTypes,
        counters: Counters,
        limit: int | None,
        only: frozenset[int] | None = None,
        *,
        many: bool = False,
    ) -> None:
        self.journal, self.types, self.counters, self.limit, self.only = journal, types, counters, limit, only
        self._most = MANY if many else FEW
        self._taken = 0

    async def more(self, records: Iterator[Record]) -> list[Row] | None:
        """Return the valid rows of the next chunk, made durable; None at the end of the file or the limit.

        Raises:
            NotKeptError: They cannot be made durable.
        """
        room = self._most if self.limit is None else min(self._most, self.limit - self._taken)
        chunk = await anyio.to_thread.run_sync(_take, records, room, self.only) if room > 0 else []
        if not chunk:
            return None
        self._taken += len(chunk)
        rows = self._unique(chunk, self._valid(chunk))
        await self.journal.commit()
        return rows

    def _valid(self, chunk: list[Record]) -> list[Row]:
        good: list[Row] = []
        for record in chunk:
            row = self.types.check(record)
            self.counters.read += 1
            if isinstance(row, str):
                self._reject(record, row)
            else:
                good.append(row)
        return good

    def _unique(self, chunk: list[Record], rows: list[Row]) -> list[Row]:
        """Record the rows whose id was not seen in this session; memory does not grow with their number."""
        raws = {record.number: record for record in chunk}
        numbers = self.journal.known_ids([row.row_id for row in rows]) if rows else {}
        unique: list[Row] = []
        session = self.journal.session
        for row in rows:
            first = numbers.setdefault(row.row_id, row.number)
            if first != row.number:
                record = raws[row.number]
                place = "line" if record.line is None else "record"
                self._reject(record, f"its id {row.row_id!r} is that of {place} {first}")
                continue
            since = self._since(row) if session > 1 else 1
            record = new_row_record(
                number=row.number, row_id=row.row_id, locator=row.locator, hash=row.hash, session=session, since=since
            )  # fmt: skip
            self.journal.add_row(record)
            unique.append(row if row.since == since else row._replace(since=since))
        return unique

    def _since(self, row: Row) -> int:
        """Return the first session that has read a row as it is."""
        before = self.journal.row(row.number)
        if before is not None and (before.row_id, before.hash) == (row.row_id, row.hash):
            return before.since
        is_new = before is None and not self.journal.has_records(row.number)
        return 1 if is_new else self.journal.session

    def _reject(self, record: Record, reason: str) -> None:
        self.counters.rejected += 1
        line = record.number if record.line is None else record.line
        reject = RejectRecord(
            number=record.number, reason=reason, raw=record.raw, session=self.journal.session, line=line
        )  # fmt: skip
        self.journal.add_reject(reject)


def _take(records: Iterator[Record], count: int, only: frozenset[int] | None) -> list[Record]:
    chunk, chars = list[Record](), 0
    for record in records:
        if only is None or record.number in only:
            chunk.append(record)
            chars += len(record.raw)
        if len(chunk) >= count or chars >= MOST_CHARS:
            break
    return chunk
