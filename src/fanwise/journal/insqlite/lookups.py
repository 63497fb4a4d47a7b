"""Records by their keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from fanwise.journal.records import AnswerRecord, ArmName, AskRecord, AttemptRecord, RowRecord, Served, TaskRecord
from fanwise.journal.tables import select

from .contents import ContentsInSqlite


def _of_either(first: str, second: str, condition: str) -> str:
    """Return whether one of two tables has a record of which a condition holds."""
    return " OR ".join(f"EXISTS(SELECT 1 FROM {table} WHERE {condition})" for table in (first, second))


class LookupsInSqlite(ContentsInSqlite):
    """Tasks, their attempts, rows and texts."""

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

    def first_attempt(self, key: str) -> AttemptRecord | None:
        """Return the first attempt of a task, once it is durable."""
        query = "SELECT a.* FROM attempts a JOIN asks k ON k.attempt=a.id WHERE k.key=? ORDER BY a.id LIMIT 1"
        return next(select(self.db, AttemptRecord, query, (key,)), None)

    def serves_several(self) -> bool:
        """Return whether any attempt serves several tasks, as far as that is durable."""
        return bool(self._value("SELECT EXISTS(SELECT 1 FROM several)"))

    def asks_of(self, key: str, row: int | None = None) -> list[AskRecord]:
        """Return what was asked for a task, in the order of the attempts, once that is durable."""
        query = f"SELECT * FROM asks WHERE key=?1{'' if row is None else ' AND row=?2'} ORDER BY attempt, place"
        return list(select(self.db, AskRecord, query, (key,) if row is None else (key, row)))

    def answer(self, attempt: int, place: int) -> AnswerRecord | None:
        """Return what a model said to the ask at a place of an attempt, once that is durable."""
        query = "SELECT * FROM answers WHERE attempt=? AND place=?"
        return next(select(self.db, AnswerRecord, query, (attempt, place)), None)

    def works(self) -> Iterator[tuple[str, int]]:
        """Yield what equal tasks have in common of each input that an attempt shows, and the number of the attempt."""
        asks = self.db.execute("SELECT attempt, work FROM asks WHERE work<>'' ORDER BY attempt")
        for attempt, group in groupby(asks, itemgetter(0)):
            for work in dict.fromkeys(work for _, work in group):
                yield work, attempt

    def first_by_label(self, row_id: str, arm: ArmName) -> dict[str, int]:
        """Return the numbers of the first attempts for a row on an arm, by the labels of the tasks."""
        query = """SELECT k.label, MIN(a.id) FROM asks k JOIN attempts a ON a.id=k.attempt
          WHERE k.row_id=? AND a.arm=? GROUP BY k.label"""
        return dict(self.db.execute(query, (row_id, arm)))

    def is_elsewhere(self, key: str, row: int) -> bool:
        """Return whether a task that a row needs has an outcome, or was sent, when this row had another number."""
        return bool(self._value(f"SELECT {_of_either('tasks', 'asks', 'key=?1 AND row<>?2')}", key, row))

    def has_records(self, row: int) -> bool:
        """Return whether anything was sent for a row of this number, or one has ended."""
        return bool(self._value(f"SELECT {_of_either('asks', 'results', 'row=?1')}", row))

    def row(self, number: int) -> RowRecord | None:
        """Return the row of a number as it was read last, once that is durable."""
        return next(select(self.db, RowRecord, "SELECT * FROM rows WHERE number=?", (number,)), None)

    def known_ids(self, ids: Sequence[str]) -> dict[str, int]:
        """Return the numbers of the rows with these ids that this session has read: of each id its last row."""
        marks = ",".join("?" * len(ids))
        query = f"""SELECT row_id, MAX(number) FROM rows
          WHERE session=(SELECT COALESCE(MAX(id),0) FROM sessions) AND row_id IN ({marks}) GROUP BY row_id"""
        return dict(self.db.execute(query, ids).fetchall())
