"""The journal in SQLite: one file in the run directory, group commit, full durability.

Records are buffered and written by whoever waits first, for everyone who waits. `synchronous`
is FULL: once writes are grouped it costs nothing and survives a loss of power.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import anyio.to_thread

from fanwise.canonical import digest
from fanwise.errors import NotKeptError, RunDirectoryError

from .numbers import AttemptNumbers, check_place
from .opening import check_version
from .place import Place, writing
from .reader import JournalReader
from .records import (
    AnswerRecord,
    AskRecord,
    AttemptRecord,
    BatchRecord,
    BlockRecord,
    EditRecord,
    EndRecord,
    MetaRecord,
    ReachedRecord,
    Record,
    RejectRecord,
    RowRecord,
    RowResult,
    SessionRecord,
    TaskRecord,
    TextRecord,
    TurnRecord,
    checked,
)  # fmt: skip
from .schema import APPLICATION, INDEXES, MOVES, RECOUNT, ROW_BEFORE, SEVERAL, TABLES, VERSION
from .tables import TABLES as TABLE_OF
from .views import VIEWS

SHORT, MOST_SHORT = 200, 1_000
"""Characters of a text that is remembered, and how many of them are, so that none is written twice."""


def _make(path: Path) -> None:
    """Make an empty journal, at once and whole: before that the file is empty, and its run never began.

    Raises:
        RunDirectoryError: It cannot be written there.
    """
    try:
        path.touch(mode=0o600)
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            header = f"PRAGMA application_id={APPLICATION}; PRAGMA user_version={VERSION};"
            db.executescript(f"BEGIN; {header} {TABLES} {VIEWS} COMMIT;")
    except (sqlite3.OperationalError, OSError) as error:
        raise RunDirectoryError(
            f"{path} cannot be written: {error}; make room there, or choose another --out"
        ) from None


class _Recount(NamedTuple):
    """What corrects an attempt: how many of its characters its row had sent before. It is kept there alone."""

    attempt: int
    repeated: int


Buffer = dict[type[Any], list[Any]]
"""What is not written yet, by kind: records, and corrections of them."""


class _Flush:
    """One write of the buffer, by one task, for all who wait for it."""

    def __init__(self, reached: int) -> None:
        self.reached = reached
        """How many of the records that were added are durable when it has succeeded."""
        self.over = anyio.Event()
        self.error: NotKeptError | None = None
        """Why it failed."""

    def fail(self, error: NotKeptError) -> None:
        """Take note that it failed, before it is over."""
        self.error = error


class SqliteJournal(JournalReader):
    """A journal in a file; one per run directory, held by one process."""

    def __init__(self, path: Path) -> None:
        """Open a journal, or make one.

        Args:
            path: Its file.

        Raises:
            RunDirectoryError: There is something else, or a journal of another version; it is not touched. Or
                none can be made there.
        """
        self.path = path
        if path.exists():
            check_version(path)
        else:
            _make(path)
        self._place = Place(path)
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        super().__init__(db)  # reads, in the thread of the event loop
        self._writer = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            for connection in (self._writer, self.db):
                connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=10000;")
            self._writer.execute("PRAGMA wal_autocheckpoint=4000")  # pages: a page written often is copied over once
            self.db.execute("PRAGMA cache_size=-512")  # KiB: the system's own cache holds the file anyway
            self._read_numbers()
        except sqlite3.DatabaseError as error:
            raise RunDirectoryError(f"{path} is not a journal: {error}; choose another directory") from None
        self._buffer = defaultdict[type[Any], list[Any]](list)
        self._served: dict[int, int] = {}
        """How many tasks each attempt serves of which something is in the buffer."""
        self._being_written: dict[int, int] = {}
        """The same of what is being written, and may not be seen yet by who reads."""
        self._texts: dict[str, str] = {}
        """Short texts that were added by this session, with their hashes."""
        self._added = self._durable = 0
        self._flushing: _Flush | None = None

    def _read_numbers(self) -> None:
        """Go on from the highest numbers that are kept."""
        self._numbers = AttemptNumbers(self._value("SELECT COALESCE(MAX(id),0) FROM attempts"))
        self._intent: int = self._value("SELECT COALESCE(MAX(intent),0) FROM batches")
        self.session: int = self._value("SELECT COALESCE(MAX(id),0) FROM sessions")

    def close(self) -> None:
        """Write what is buffered and close the file.

        Raises:
            NotKeptError: It cannot be written.
        """
        try:
            self._write(*self._take())
            with suppress(sqlite3.OperationalError):  # no room for it: it stands in the log, and is read from there
                self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            self.db.close()
            self._writer.close()

    def _run(self, statement: str, values: Any = ()) -> sqlite3.Cursor:
        """Carry out a statement that writes, at once.

        Raises:
            NotKeptError: It cannot be written.
        """
        with writing(self.path.parent):
            return self._writer.execute(statement, values)

    # The run and its sessions ------------------------------------------------------------------

    def set_meta(self, key: str, value: str) -> None:
        """Keep a setting of the run, at once."""
        self._run(TABLE_OF[MetaRecord].insert, MetaRecord(key, value))

    def set_edit(self, record: EditRecord) -> None:
        """Keep when the graph of an arm was changed, at once."""
        self._run(TABLE_OF[EditRecord].insert, record)

    def start_session(self, at: float, channel: str, changed: str) -> int:
        """Record that a process works on the run; return the session's number."""
        for index in INDEXES if self._numbers.highest else ():
            self._run(index)
        self.session += 1
        self._buffer[SessionRecord].append(SessionRecord(id=self.session, started=at, channel=channel, changed=changed))
        self._write(*self._take())
        return self.session

    def end_session(self, at: float, how: str) -> None:
        """Record when and how the present session ended, if there is one."""
        self._run("UPDATE sessions SET ended=?, how=? WHERE id=?", (at, how, self.session))

    def lose_open(self, at: float) -> int:
        """End the live attempts that a killed session left open as lost; return how many."""
        query = """INSERT OR IGNORE INTO ends
          SELECT a.id, ?, 'lost', 'killed', 'the process ended before the reply came', '', 0, 0, 0, 0, 0, 0, 0, NULL, 0
          FROM attempts a LEFT JOIN ends e ON e.attempt=a.id WHERE a.channel='live' AND e.attempt IS NULL"""
        return self._run(query, (at,)).rowcount

    def drop_stale_rows(self) -> None:
        """Forget rows and rejects that the present session, having read all, did not see."""
        for table in ("rows", "rejects"):
            self._run(f"DELETE FROM {table} WHERE session<?", (self.session,))

    def purge(self) -> int:
        """Forget all content; the account stays. Return how many records had some."""
        self._texts.clear()
        run = self._run
        run("PRAGMA secure_delete=ON")
        removed = sum(run(f"DELETE FROM {table}").rowcount for table in ("texts", "blocks"))
        removed += run("UPDATE rejects SET raw='', reason=''").rowcount
        removed += run("UPDATE tasks SET message='' WHERE message<>''").rowcount
        removed += run("UPDATE ends SET message='' WHERE message<>''").rowcount
        removed += run("UPDATE results SET reason='' WHERE reason<>''").rowcount
        run("VACUUM")
        self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()  # the log has the pages as they were
        return removed

    # Records -----------------------------------------------------------------------------------

    def _add(self, kind: type[Record], record: Record) -> None:
        """Keep a record until the next commit."""
        self._buffer[kind].append(record)
        self._added += 1

    def add_row(self, record: RowRecord) -> None:
        """Add a row that was read, in the place of an earlier record of its number, and of its id."""
        self._add(RowRecord, record)

    def add_reject(self, record: RejectRecord) -> None:
        """Add a record of the rows file that was set aside."""
        self._add(RejectRecord, record)

    def add_text(self, text: str) -> str:
        """Add a text once, by content; return its hash."""
        sha = self._texts.get(text)
        if sha is not None:
            return sha
        sha = digest(text)
        self._add(TextRecord, TextRecord(sha, text))
        if len(text) <= SHORT:  # answers are often the same few, such as labels
            if len(self._texts) >= MOST_SHORT:
                self._texts.clear()
            self._texts[text] = sha
        return sha

    def add_block(self, record: BlockRecord) -> None:
        """Add a block of context once, by its hash."""
        self._add(BlockRecord, record)

    def add_task(self, record: TaskRecord) -> None:
        """Add the outcome of a task."""
        self._add(TaskRecord, record)

    def add_attempt(self, record: AttemptRecord, asks: Sequence[AskRecord] = ()) -> None:
        """Add the intent of a request, with the tasks that it serves."""
        record = checked(record, asks)
        self._numbers.use(record.id)
        self._add(AttemptRecord, record)
        self._buffer[AskRecord].extend(asks)
        self._served[record.id] = len(asks)

    def add_ask(self, record: AskRecord) -> None:
        """Add a task that an attempt serves as well."""
        check_place(record.attempt, record.place, self._tasks_of(record.attempt))
        self._add(AskRecord, record)
        self._served[record.attempt] = record.place + 1

    def _tasks_of(self, attempt: int) -> int:
        """Return how many tasks an attempt serves, those that are not durable yet included."""
        for unwritten in (self._served, self._being_written):
            if attempt in unwritten:
                return unwritten[attempt]
        return self._value("SELECT COUNT(*) FROM asks WHERE attempt=?", attempt)

    def add_turn(self, record: TurnRecord) -> None:
        """Add a round of tools."""
        self._add(TurnRecord, record)

    def add_end(self, record: EndRecord) -> None:
        """Add the end of an attempt; the first one stays."""
        self._add(EndRecord, record)

    def add_answer(self, record: AnswerRecord) -> None:
        """Add what a model said in answer to an ask."""
        self._add(AnswerRecord, record)

    def add_batch(self, record: BatchRecord) -> None:
        """Add what is known of a batch."""
        self._intent = max(self._intent, record.intent)
        self._add(BatchRecord, record)

    def add_result(self, record: RowResult) -> None:
        """Add the end of a row on one arm."""
        self._add(RowResult, record)

    def add_reached(self, record: ReachedRecord) -> None:
        """Add a task that a row needs as it is now, whose asks and outcome become this row's."""
        self._add(ReachedRecord, record)

    def recount(self, attempt: int, repeated: int) -> None:
        """Correct how many characters of an attempt, which is durable, its row had sent before."""
        self._buffer[_Recount].append(_Recount(attempt, repeated))
        self._added += 1

    def restore(self, records: Sequence[Record]) -> None:
        """Write records as another journal has kept them, at once; nobody is told of them."""
        for record in records:
            self._buffer[type(record)].append(record)
            if isinstance(record, AskRecord):
                self._served[record.attempt] = record.place + 1
        self._write(*self._take())
        self._read_numbers()

    async def commit(self) -> None:
        """Return when all that was added before this call is durable.

        Raises:
            NotKeptError: It could not be written, for nobody who waits; it is tried again with what comes after.
        """
        goal = self._added
        while self._durable < goal:
            flush = self._flushing
            if flush is None:
                flush = self._flushing = _Flush(self._added)
                await self._flush(flush)
            else:
                await flush.over.wait()
            if flush.error is not None and flush.reached >= goal:
                raise NotKeptError(flush.error.reason) from flush.error

    async def _flush(self, flush: _Flush) -> None:
        """Write what is in the buffer, for all who wait."""
        work = self._take()
        try:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(self._write, *work)
            self._durable = flush.reached
        except BaseException as error:
            self._put_back(*work)  # for whoever waits beside this one: it is written with what they have added
            if not isinstance(error, NotKeptError):
                raise
            flush.fail(error)
        finally:
            self._flushing = None
            flush.over.set()

    def _take(self) -> tuple[Buffer, dict[int, int]]:
        """Empty the buffer; return what was in it."""
        work = self._buffer, self._served
        self._being_written = self._served
        self._buffer, self._served = defaultdict[type[Any], list[Any]](list), {}
        return work

    def _put_back(self, buffer: Buffer, served: dict[int, int]) -> None:
        """Put what could not be written before what has come into the buffer since."""
        for kind, records in self._buffer.items():
            buffer[kind] = [*buffer.get(kind, ()), *records]
        self._buffer = defaultdict[type[Any], list[Any]](list, buffer)
        self._served = served | self._served

    def _write(self, buffer: Buffer, served: dict[int, int]) -> None:
        if not buffer:
            return
        with writing(self.path.parent):
            self._writer.execute("BEGIN IMMEDIATE")
            self._insert(buffer, served)

    def _insert(self, buffer: Buffer, served: dict[int, int]) -> None:
        """Write records into the transaction that was begun, and commit it."""
        try:
            for kind, records in buffer.items():
                if kind is _Recount:
                    self._writer.executemany(RECOUNT, records)
                    continue
                table = TABLE_OF[kind]
                self._writer.executemany(table.insert, records if table.values is None else map(table.values, records))
            if self.session > 1:
                rows = buffer.get(RowRecord, ())
                self._writer.executemany(ROW_BEFORE, ((row.row_id, row.number, row.session) for row in rows))
            for move in MOVES if ReachedRecord in buffer else ():
                self._writer.executemany(move, ((reached.row, reached.key) for reached in buffer[ReachedRecord]))
            self._writer.executemany(SEVERAL, ((attempt,) for attempt, tasks in served.items() if tasks > 1))
            self._place.check()
            self._writer.execute("COMMIT")
        except BaseException:
            if self._writer.in_transaction:  # what is short of room is rolled back by SQLite itself
                self._writer.execute("ROLLBACK")
            raise

    # Look-ups ----------------------------------------------------------------------------------

    def next_attempt(self) -> int:
        """Return a new attempt number, never used before in this run."""
        return self._numbers.next()

    def next_intent(self) -> int:
        """Return a new number for a batch intent."""
        self._intent += 1
        return self._intent

    def known_ids(self, ids: Sequence[str]) -> dict[str, int]:
        """Return the numbers of the rows with these ids that this session has read: of each id its last row."""
        return self.read_ids(ids, self.session)
