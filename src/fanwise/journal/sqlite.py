"""The journal in SQLite: one file in the run directory, group commit, full durability.

Records are buffered and written by whoever waits first, for everyone who waits. `synchronous`
is FULL: once writes are grouped it costs nothing and survives a loss of power.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

from fanwise.canonical import digest
from fanwise.errors import RunDirectoryError
from fanwise.units import now

from .port import Observer
from .records import (
    AnswerLengths,
    AttemptRecord,
    BatchRecord,
    Billed,
    EndRecord,
    RowRecord,
    RowResult,
    Spent,
    TaskRecord,
    TurnRecord,
)  # fmt: skip

VERSION = 5
SHORT, MOST_SHORT = 200, 1_000
"""Characters of a text that is remembered, and how many of them are, so that none is written twice."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sessions(
  id INTEGER PRIMARY KEY, started REAL, ended REAL, how TEXT, channel TEXT, changed TEXT);
CREATE TABLE IF NOT EXISTS rows(number INTEGER PRIMARY KEY, row_id TEXT, locator INT, hash TEXT, session INT);
CREATE INDEX IF NOT EXISTS rows_id ON rows(row_id);
CREATE TABLE IF NOT EXISTS rejects(number INTEGER PRIMARY KEY, reason TEXT, raw TEXT, session INT);
CREATE TABLE IF NOT EXISTS texts(sha TEXT PRIMARY KEY, text TEXT);
CREATE TABLE IF NOT EXISTS blocks(sha TEXT PRIMARY KEY, name TEXT, text TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tasks(
  key TEXT PRIMARY KEY, row INT, arm TEXT, node TEXT, label TEXT, agent TEXT, status TEXT, output TEXT,
  kind TEXT, message TEXT);
CREATE TABLE IF NOT EXISTS attempts(
  id INTEGER PRIMARY KEY, key TEXT, row INT, arm TEXT, node TEXT, label TEXT, agent TEXT, model TEXT,
  channel TEXT, number INT, request_hash TEXT, reserved INT, sent REAL, intent INT, job_share REAL, prefix TEXT,
  chars INT, repeated INT, readable INT, reusable INT, bound INT, sizes TEXT);
CREATE INDEX IF NOT EXISTS attempts_row ON attempts(row);
CREATE INDEX IF NOT EXISTS attempts_key ON attempts(key);
CREATE TABLE IF NOT EXISTS turns(
  key TEXT, number INT, said TEXT, told TEXT, PRIMARY KEY(key, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ends(
  attempt INTEGER PRIMARY KEY, at REAL, status TEXT, kind TEXT, message TEXT, request_id TEXT, input INT,
  write_5m INT, write_1h INT, read INT, output INT, thinking INT, searches INT, cost INT, latency_s REAL);
CREATE TABLE IF NOT EXISTS batches(intent INTEGER PRIMARY KEY, size INT, at REAL, batch_id TEXT, state TEXT);
CREATE TABLE IF NOT EXISTS results(
  row INT, arm TEXT, status TEXT, output TEXT, reason TEXT, session INT, PRIMARY KEY(row, arm)) WITHOUT ROWID;
"""


def _insert(table: str, columns: int, how: str = "REPLACE") -> str:
    return f"INSERT OR {how} INTO {table} VALUES({','.join('?' * columns)})"


_ROW, _REJECT = _insert("rows", 5), _insert("rejects", 4)
_TEXT, _BLOCK = _insert("texts", 2, "IGNORE"), _insert("blocks", 3, "IGNORE")
_TASK, _ATTEMPT = _insert("tasks", 10), _insert("attempts", 22, "ABORT")
_TURN = _insert("turns", 4)
_END, _BATCH, _RESULT = _insert("ends", 15, "IGNORE"), _insert("batches", 5), _insert("results", 6)


class SqliteJournal:
    """A journal in a file; one per run directory, held by one process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        fresh = not path.exists()
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        """Reads, in the thread of the event loop."""
        if fresh:
            path.chmod(0o600)
        self._writer = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            for connection in (self._writer, self.db):
                connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=10000;")
            self._writer.execute("PRAGMA wal_autocheckpoint=4000")  # pages: a page written often is copied over once
            self.db.execute("PRAGMA cache_size=-512")  # KiB: the system's own cache holds the file anyway
            self._writer.executescript(_SCHEMA)
            version = self.meta("version")
        except sqlite3.DatabaseError as error:
            raise RunDirectoryError(f"{path} is not a journal: {error}; choose another directory") from None
        if version is None:
            self.set_meta("version", str(VERSION))
        elif version != str(VERSION):
            raise RunDirectoryError(
                f"{path} was written by another version of fanwise (journal {version}, here {VERSION})"
            )
        self.watch: Callable[[EndRecord], None] | None = None
        """Told of every end, for a display of the progress."""
        self.observer: Observer | None = None
        """Told of what is sent and of all that ends, for traces."""
        self._buffer = defaultdict[str, list[tuple[Any, ...]]](list)
        self._texts: dict[str, str] = {}
        """Short texts that were added by this session, with their hashes."""
        self._added = self._durable = 0
        self._flushing: anyio.Event | None = None
        self._attempt: int = self._one("SELECT COALESCE(MAX(id),0) FROM attempts")
        self._intent: int = self._one("SELECT COALESCE(MAX(intent),0) FROM batches")
        self.session: int = self._one("SELECT COALESCE(MAX(id),0) FROM sessions")

    def _one(self, query: str, *args: Any) -> Any:
        return self.db.execute(query, args).fetchone()[0]

    def close(self) -> None:
        """Write what is buffered and close the file."""
        self._write(self._take())
        self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.db.close()
        self._writer.close()

    # Settings, outside of the hot path -----------------------------------------------------------

    def meta(self, key: str) -> str | None:
        """Return a setting of the run."""
        row = self.db.execute("SELECT value FROM meta WHERE key=?", (key,)).fetchone()
        return None if row is None else row[0]

    def set_meta(self, key: str, value: str) -> None:
        """Keep a setting of the run, at once."""
        self._writer.execute("INSERT OR REPLACE INTO meta VALUES(?,?)", (key, value))

    def start_session(self, at: float, channel: str, changed: str) -> int:
        """Record that a process works on the run; returns the session's number."""
        self._writer.execute(
            "INSERT INTO sessions(started, how, channel, changed) VALUES(?,?,?,?)", (at, "running", channel, changed)
        )
        self.session = self._one("SELECT MAX(id) FROM sessions")
        return self.session

    def session_start(self) -> float:
        """Return when the present session began."""
        return self._one("SELECT COALESCE(MAX(started),0) FROM sessions")

    def end_session(self, at: float, how: str) -> None:
        """Record how the session ended."""
        self._writer.execute("UPDATE sessions SET ended=?, how=? WHERE id=?", (at, how, self.session))

    # Records -----------------------------------------------------------------------------------

    def _add(self, statement: str, values: tuple[Any, ...]) -> None:
        """Keep a record until the next commit; its fields are the columns of its table, in order."""
        self._buffer[statement].append(values)
        self._added += 1

    def lose_open(self, at: float) -> int:
        """End the live attempts that a killed session left open as lost; returns how many."""
        query = """INSERT OR IGNORE INTO ends
          SELECT a.id, ?, 'lost', 'killed', 'the process ended before the reply came', '', 0, 0, 0, 0, 0, 0, 0, NULL, 0
          FROM attempts a LEFT JOIN ends e ON e.attempt=a.id WHERE a.channel='live' AND e.attempt IS NULL"""
        return self._writer.execute(query, (at,)).rowcount

    def drop_stale_rows(self) -> None:
        """Forget rows and rejects that the present session, having read all, did not see."""
        for table in ("rows", "rejects"):
            self._writer.execute(f"DELETE FROM {table} WHERE session<?", (self.session,))

    def purge(self) -> int:
        """Forget all content; the account stays. Returns how many records had some."""
        self._texts.clear()
        run = self._writer.execute
        removed = sum(run(f"DELETE FROM {table}").rowcount for table in ("texts", "blocks"))
        removed += run("UPDATE rejects SET raw='', reason=''").rowcount
        removed += run("UPDATE tasks SET message='' WHERE message<>''").rowcount
        removed += run("UPDATE ends SET message='' WHERE message<>''").rowcount
        removed += run("UPDATE results SET reason='' WHERE reason<>''").rowcount
        run("VACUUM")
        return removed

    def add_row(self, record: RowRecord) -> None:
        self._add(_ROW, record)

    def add_reject(self, number: int, reason: str, raw: str, session: int) -> None:
        self._add(_REJECT, (number, reason, raw, session))

    def add_text(self, text: str) -> str:
        known = self._texts.get(text)
        if known is not None:
            return known
        sha = digest(text)
        self._add(_TEXT, (sha, text))
        if len(text) <= SHORT:  # answers are often the same few, such as labels
            if len(self._texts) >= MOST_SHORT:
                self._texts.clear()
            self._texts[text] = sha
        return sha

    def add_block(self, sha: str, name: str, text: str) -> None:
        self._add(_BLOCK, (sha, name, text))

    def add_task(self, record: TaskRecord) -> None:
        self._add(_TASK, record)
        if self.observer is not None:
            self.observer.task(record, now().timestamp())

    def add_attempt(self, record: AttemptRecord) -> None:
        self._add(_ATTEMPT, record)
        if self.observer is not None:
            self.observer.attempt(record)

    def add_turn(self, record: TurnRecord) -> None:
        self._add(_TURN, record)

    def add_end(self, record: EndRecord) -> None:
        if self.watch is not None:
            self.watch(record)
        one, usage = record, record.usage
        counts = (usage.input, usage.cache_write_5m, usage.cache_write_1h, usage.cache_read, usage.output)
        more = (usage.thinking, usage.web_searches, one.cost, one.latency_s)
        self._add(_END, (one.attempt, one.at, one.status, one.kind, one.message, one.request_id, *counts, *more))
        if self.observer is not None:
            self.observer.end(record)

    def add_batch(self, record: BatchRecord) -> None:
        self._add(_BATCH, (record.intent, record.size, record.at, record.batch_id, record.state))

    def add_result(self, record: RowResult) -> None:
        self._add(_RESULT, (*record, self.session))
        if self.observer is not None:
            self.observer.result(record, now().timestamp())

    async def commit(self) -> None:
        """Return when all that was added before this call is durable."""
        goal = self._added
        while self._durable < goal:
            if self._flushing is not None:
                await self._flushing.wait()
                continue
            self._flushing = anyio.Event()
            reached, work = self._added, self._take()
            try:
                with anyio.CancelScope(shield=True):
                    await anyio.to_thread.run_sync(self._write, work)
                self._durable = reached
            finally:
                done, self._flushing = self._flushing, None
                done.set()

    def _take(self) -> dict[str, list[tuple[Any, ...]]]:
        work, self._buffer = self._buffer, defaultdict[str, list[tuple[Any, ...]]](list)
        return work

    def _write(self, work: dict[str, list[tuple[Any, ...]]]) -> None:
        if not work:
            return
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            for statement, values in work.items():
                self._writer.executemany(statement, values)
        except BaseException:
            self._writer.execute("ROLLBACK")
            raise
        self._writer.execute("COMMIT")

    # Look-ups ----------------------------------------------------------------------------------

    def next_attempt(self) -> int:
        """Return a new attempt number, never used before in this run."""
        self._attempt += 1
        return self._attempt

    def next_intent(self) -> int:
        """Return a new number for a batch intent."""
        self._intent += 1
        return self._intent

    def task(self, key: str) -> TaskRecord | None:
        """Return the outcome of a task, if it has one."""
        row = self.db.execute("SELECT * FROM tasks WHERE key=?", (key,)).fetchone()
        return None if row is None else TaskRecord(*row)

    def turns(self, key: str) -> list[tuple[str | None, str | None]]:
        """Return the rounds of tools of a task: what was said and told, as JSON; None where it is not there."""
        query = """SELECT s.text, t.text FROM turns u LEFT JOIN texts s ON s.sha=u.said
          LEFT JOIN texts t ON t.sha=u.told WHERE u.key=? ORDER BY u.number"""
        return [(row[0], row[1]) for row in self.db.execute(query, (key,))]

    def attempt(self, number: int) -> AttemptRecord | None:
        """Return an attempt by its number, once it is durable."""
        row = self.db.execute("SELECT * FROM attempts WHERE id=?", (number,)).fetchone()
        return None if row is None else AttemptRecord(*row)

    def text(self, sha: str) -> str | None:
        """Return a text by its hash; None when it was purged."""
        row = self.db.execute("SELECT text FROM texts WHERE sha=?", (sha,)).fetchone()
        return None if row is None else row[0]

    def attempts_of(self, key: str) -> int:
        """Return how many attempts a task has had."""
        return self._one("SELECT COUNT(*) FROM attempts WHERE key=?", key)

    def has_attempts(self, row: int, arm: str) -> bool:
        """Return whether anything was sent for a row and arm."""
        return (
            self.db.execute("SELECT 1 FROM attempts WHERE row=? AND arm=? LIMIT 1", (row, arm)).fetchone() is not None
        )

    def known_ids(self, ids: Sequence[str]) -> dict[str, int]:
        """Return the numbers of the rows with these ids that this session has read."""
        marks = ",".join("?" * len(ids))
        query = f"SELECT row_id, number FROM rows WHERE session=? AND row_id IN ({marks})"
        return {row[0]: row[1] for row in self.db.execute(query, (self.session, *ids))}

    def open_batches(self) -> list[BatchRecord]:
        """Return the batches that have not ended, oldest first."""
        query = "SELECT * FROM batches WHERE state IN ('intent','adopted','created') ORDER BY intent"
        return [BatchRecord(*row) for row in self.db.execute(query)]

    def batch_ids(self) -> set[str]:
        """Return the ids of all batches of the run that are certainly its own."""
        query = "SELECT batch_id FROM batches WHERE batch_id IS NOT NULL AND state<>'adopted'"
        return {row[0] for row in self.db.execute(query)}

    def owns(self, intent: int, attempt: int) -> bool:
        """Return whether an attempt belongs to a batch intent, ended or not."""
        query = "SELECT COUNT(*) FROM attempts WHERE id=? AND intent=?"
        return bool(self._one(query, attempt, intent))

    def open_attempts(self, intent: int) -> Iterator[AttemptRecord]:
        """Yield the attempts of a batch that have no end."""
        query = "SELECT a.* FROM attempts a LEFT JOIN ends e ON e.attempt=a.id WHERE a.intent=? AND e.attempt IS NULL"
        for row in self.db.execute(query, (intent,)):
            yield AttemptRecord(*row)

    # What earlier sessions have shown ----------------------------------------------------------

    def spent(self, row: int | None = None) -> Spent:
        """Return what counts against a budget, of the run or a row: what is paid, and the bounds of what was lost."""
        where, args = ("WHERE a.row=?", (row,)) if row is not None else ("", ())
        query = f"""SELECT COALESCE(SUM(CASE WHEN e.status='lost' THEN a.reserved ELSE e.cost END),0),
          COALESCE(SUM(CASE WHEN e.status='lost' THEN a.bound
            ELSE e.input+e.write_5m+e.write_1h+e.read+e.output END),0)
          FROM attempts a JOIN ends e ON e.attempt=a.id {where}"""
        return Spent(*self.db.execute(query, args).fetchone())

    def outputs(self) -> list[AnswerLengths]:
        """Return how long the answers of each agent on each model were."""
        query = """SELECT a.arm, a.agent, a.model, COUNT(*), SUM(e.output) FROM attempts a JOIN ends e ON e.attempt=a.id
          WHERE e.status='succeeded' AND a.row>0 GROUP BY 1, 2, 3"""
        return [AnswerLengths(*row) for row in self.db.execute(query)]

    def sent_and_billed(self, since: float) -> dict[str, Billed]:
        """Return by model the characters sent since a moment and the input tokens that were billed for them."""
        query = """SELECT a.model, SUM(a.chars), SUM(e.input+e.write_5m+e.write_1h+e.read) FROM attempts a
          JOIN ends e ON e.attempt=a.id WHERE e.status='succeeded' AND a.row>0 AND a.sent>=? GROUP BY 1"""
        return {model: Billed(chars, tokens) for model, chars, tokens in self.db.execute(query, (since,))}
