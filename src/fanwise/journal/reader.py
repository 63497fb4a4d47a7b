"""A journal in SQLite, open to be looked into: records by their keys; the account is made from its connection."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

from .records import (
    AnswerLengths,
    ArmName,
    AskRecord,
    AttemptRecord,
    BatchRecord,
    Billed,
    Record,
    RowRecord,
    Served,
    Spent,
    TaskRecord,
)  # fmt: skip
from .tables import TABLES, select

Book = sqlite3.Connection
"""A connection to a journal in SQLite, from which its account is made."""
_UNCOUNTED = """NOT EXISTS(SELECT 1 FROM ends e
  WHERE e.attempt=p.attempt AND e.input+e.cache_write_5m+e.cache_write_1h+e.cache_read+e.output>0)"""
"""Of an attempt without a price: its reply had no usage. A share of few tokens may be none, so its end is asked."""
_ANSWERED = "status='succeeded' AND serves AND (cost IS NOT NULL OR tokens>0)"
"""Of an attempt whose reply has answered a task and said what that took."""
_ATTEMPT = ",".join(f"a.{column}" for column in TABLES[AttemptRecord].columns)


def _of_either(first: str, second: str, condition: str) -> str:
    """Return whether one of two tables has a record of which a condition holds."""
    return " OR ".join(f"EXISTS(SELECT 1 FROM {table} WHERE {condition})" for table in (first, second))


class JournalReader:
    """The look-ups of a journal in SQLite."""

    def __init__(self, db: sqlite3.Connection) -> None:
        """Look into a journal.

        Args:
            db: Connection that reads; who gave it closes it.
        """
        self.db = db

    def _value(self, query: str, *args: Any) -> Any:
        """Return the first value that a query gives."""
        return self.db.execute(query, args).fetchone()[0]

    def records(self) -> Iterator[Record]:
        """Yield all that is kept, kind by kind, once it is durable."""
        for table in TABLES.values():
            yield from select(self.db, table.kind, f"SELECT * FROM {table.name}")

    def meta(self, key: str) -> str | None:
        """Return a setting of the run."""
        row = self.db.execute("SELECT value FROM meta WHERE key=?", (key,)).fetchone()
        return None if row is None else row[0]

    def session_start(self) -> float:
        """Return when the present session began, in seconds since 1970; 0 before the first."""
        # By number: the clock may have been set back since the session before.
        return self._value("SELECT COALESCE((SELECT started FROM sessions ORDER BY id DESC LIMIT 1),0)")

    # Records by their keys ---------------------------------------------------------------------

    def task(self, key: str) -> TaskRecord | None:
        """Return the outcome of a task, if it has one."""
        return next(select(self.db, TaskRecord, "SELECT * FROM tasks WHERE key=?", (key,)), None)

    def said(self, key: str) -> str | None:
        """Return what a model said last in answer to a task, as canonical JSON; None where nothing is kept of it."""
        query = """SELECT x.text FROM asks a JOIN answers n ON n.attempt=a.attempt AND n.place=a.place
          JOIN texts x ON x.sha=n.output WHERE a.key=? ORDER BY a.attempt DESC LIMIT 1"""
        row = self.db.execute(query, (key,)).fetchone()
        return None if row is None else row[0]

    def turns(self, key: str) -> list[tuple[str | None, str | None]]:
        """Return the rounds of tools of a task: message and results, as JSON; None where it is not there."""
        query = """SELECT s.text, t.text FROM turns u LEFT JOIN texts s ON s.sha=u.message
          LEFT JOIN texts t ON t.sha=u.results WHERE u.key=? ORDER BY u.number"""
        return [(row[0], row[1]) for row in self.db.execute(query, (key,))]

    def attempt(self, number: int) -> Served | None:
        """Return an attempt by its number, with the tasks that it serves, once it is durable."""
        records = select(self.db, AttemptRecord, "SELECT * FROM attempts WHERE id=?", (number,))
        asks = select(self.db, AskRecord, "SELECT * FROM asks WHERE attempt=? ORDER BY place", (number,))
        return next((Served(attempt=record, asks=tuple(asks)) for record in records), None)

    def text(self, sha: str) -> str | None:
        """Return a text by its hash; None where it was purged or never added."""
        row = self.db.execute("SELECT text FROM texts WHERE sha=?", (sha,)).fetchone()
        return None if row is None else row[0]

    def attempts_of(self, key: str) -> int:
        """Return how many attempts a task has had."""
        return self._value("SELECT COUNT(*) FROM asks WHERE key=?", key)

    def has_records(self, row: int) -> bool:
        """Return whether anything was sent for a row of this number, or one has ended."""
        return bool(self._value(f"SELECT {_of_either('asks', 'results', 'row=?1')}", row))

    def is_elsewhere(self, key: str, row: int) -> bool:
        """Return whether a task that a row needs has an outcome, or was sent, when this row had another number."""
        return bool(self._value(f"SELECT {_of_either('tasks', 'asks', 'key=?1 AND row<>?2')}", key, row))

    def first_attempt(self, key: str) -> AttemptRecord | None:
        """Return the first attempt of a task, once it is durable."""
        query = "SELECT a.* FROM attempts a JOIN asks k ON k.attempt=a.id WHERE k.key=? ORDER BY a.id LIMIT 1"
        return next(select(self.db, AttemptRecord, query, (key,)), None)

    def first_by_label(self, row_id: str, arm: ArmName) -> dict[str, int]:
        """Return the numbers of the first attempts for a row on an arm, by the labels of the tasks."""
        query = """SELECT k.label, MIN(a.id) FROM asks k JOIN attempts a ON a.id=k.attempt
          WHERE k.row_id=? AND a.arm=? GROUP BY k.label"""
        return dict(self.db.execute(query, (row_id, arm)))

    def row(self, number: int) -> RowRecord | None:
        """Return the row of a number as it was read last, once that is durable."""
        return next(select(self.db, RowRecord, "SELECT * FROM rows WHERE number=?", (number,)), None)

    def edits(self) -> dict[str, int]:
        """Return by arm the session since which its graph is as it is; without those that were never changed."""
        return dict(self.db.execute("SELECT arm, session FROM edits").fetchall())

    def read_ids(self, ids: Sequence[str], session: int) -> dict[str, int]:
        """Return the numbers of the rows with these ids that a session has read: of each id its last row."""
        marks = ",".join("?" * len(ids))
        query = f"SELECT row_id, MAX(number) FROM rows WHERE session=? AND row_id IN ({marks}) GROUP BY row_id"
        return {row[0]: row[1] for row in self.db.execute(query, (session, *ids))}

    # Batches -----------------------------------------------------------------------------------

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

    # What earlier sessions have shown ----------------------------------------------------------

    def spent(self, row: int | None = None) -> Spent:
        """Return what counts against a budget, of the run or a row: what is paid, and bounds of what is unknown."""
        source, args = ("all_served p WHERE row=? AND", (row,)) if row is not None else ("all_paid p WHERE", ())
        cost = "CASE WHEN status='lost' THEN reserved ELSE COALESCE(cost,reserved) END"
        tokens = f"CASE WHEN status='lost' OR (cost IS NULL AND {_UNCOUNTED}) THEN bound ELSE tokens END"
        query = (
            f"SELECT COALESCE(SUM({cost}),0) AS cost, COALESCE(SUM({tokens}),0) AS tokens FROM {source} at IS NOT NULL"
        )
        return next(select(self.db, Spent, query, args))

    def outputs(self) -> list[AnswerLengths]:
        """Return how long the answers of each agent on each model were, as far as that is known."""
        query = f"""SELECT arm, agent, model, COUNT(*) AS answers, SUM(output) AS tokens FROM all_paid
          WHERE {_ANSWERED} GROUP BY arm, agent, model"""
        return list(select(self.db, AnswerLengths, query))

    def sent_and_billed(self, since: float) -> dict[str, Billed]:
        """Return by model the characters sent since a moment and the input tokens that were billed for them."""
        query = f"SELECT model, SUM(chars), SUM(prompt) FROM all_paid WHERE {_ANSWERED} AND sent>=? GROUP BY model"
        return {model: Billed(chars, tokens) for model, chars, tokens in self.db.execute(query, (since,))}
