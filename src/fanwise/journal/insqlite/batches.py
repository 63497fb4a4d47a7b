"""Batches that are on their way."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter

from fanwise.journal.records import AskRecord, AttemptRecord, BatchRecord, Served
from fanwise.journal.tables import TABLES, select

from .contents import ContentsInSqlite

_ATTEMPT = ",".join(f"a.{column}" for column in TABLES[AttemptRecord].columns)


class BatchesInSqlite(ContentsInSqlite):
    """The batches of a run, and the attempts in them."""

    def open_batches(self) -> list[BatchRecord]:
        """Return the batches that have not ended, oldest first."""
        query = "SELECT * FROM batches WHERE state IN ('intent','adopted','created') ORDER BY intent"
        return list(select(self.db, BatchRecord, query))

    def batch_ids(self) -> set[str]:
        """Return the ids of all batches of the run that are certainly its own."""
        query = "SELECT batch_id FROM batches WHERE batch_id IS NOT NULL AND state<>'adopted'"
        return {row[0] for row in self.db.execute(query)}

    def owns(self, intent: int, attempt: int) -> bool:
        """Return whether an attempt belongs to a batch intent, ended or not."""
        return bool(self._value("SELECT COUNT(*) FROM attempts WHERE id=? AND intent=?", attempt, intent))

    def open_attempts(self, intent: int) -> Iterator[Served]:
        """Yield the attempts of a batch that have no end, in the order of their numbers."""
        pending = "FROM attempts a LEFT JOIN ends e ON e.attempt=a.id WHERE a.intent=? AND e.attempt IS NULL"
        query = f"SELECT * FROM asks WHERE attempt IN (SELECT a.id {pending}) ORDER BY attempt, place"
        asks = groupby(select(self.db, AskRecord, query, (intent,)), key=attrgetter("attempt"))
        group = next(asks, None)
        for record in select(self.db, AttemptRecord, f"SELECT {_ATTEMPT} {pending} ORDER BY a.id", (intent,)):
            served: tuple[AskRecord, ...] = ()
            if group is not None and group[0] == record.id:
                served, group = tuple(group[1]), next(asks, None)
            yield Served(attempt=record, asks=served)
