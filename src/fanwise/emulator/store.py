"""What the emulator remembers, in SQLite: bill, batches, cache entries, clock.

With a directory every change is committed before it is answered, so that a process that is killed
and started again goes on with the same bill and the same batches. Without one the database is a
temporary file, and the bill is written in groups.
"""

from __future__ import annotations

import errno
import json
import sqlite3
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .charges import Tokens

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS bill(
  id TEXT PRIMARY KEY, at REAL, run TEXT, model TEXT, batch_id TEXT, custom_id TEXT, status TEXT,
  input INT, write_5m INT, write_1h INT, read INT, output INT, pico INT);
CREATE INDEX IF NOT EXISTS bill_run ON bill(run);
CREATE TABLE IF NOT EXISTS cache(key TEXT PRIMARY KEY, ttl TEXT, expires REAL, readable REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS batches(
  id TEXT PRIMARY KEY, seq INTEGER, workspace TEXT, version TEXT, created REAL, due REAL, expires REAL, ended REAL,
  cancel REAL, status TEXT, size INT, succeeded INT, errored INT, canceled INT, expired INT);
CREATE TABLE IF NOT EXISTS items(
  batch_id TEXT, n INT, custom_id TEXT, request TEXT, result TEXT, kind TEXT, PRIMARY KEY(batch_id, n)) WITHOUT ROWID;
"""
_FLUSH_AT = 512
_SWEEP_AT = 4_096
"""Cache entries that are written before expired ones are looked for."""


@dataclass(slots=True, kw_only=True)
class BillEntry:
    """One line of the bill: a reply that is paid for. Not frozen: one is made for every message."""

    id: str
    at: float
    run: str | None
    model: str
    batch_id: str | None
    custom_id: str | None
    status: str
    tokens: Tokens
    pico: int

    def row(self) -> tuple[object, ...]:
        """Return the values of `_CHARGE`."""
        head = (self.id, self.at, self.run, self.model, self.batch_id, self.custom_id, self.status)
        return (*head, *self.tokens, self.pico)


_CHARGE = """INSERT OR IGNORE INTO bill(
  id, at, run, model, batch_id, custom_id, status, input, write_5m, write_1h, read, output, pico)
  VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?)"""


@dataclass(slots=True)
class CacheEntry:
    """A prefix in the cache."""

    ttl: str
    expires: float
    readable: float
    """Moment from which on it can be read."""


class Store:
    """The emulator's database; used from one thread."""

    def __init__(self, path: Path | None) -> None:
        """Open it, or make it where it is not there.

        Args:
            path: Its file; None: it is forgotten at the end.

        Raises:
            OSError: The file is no database, or cannot be read or written.
        """
        try:
            self._open(path)
        except sqlite3.Error as error:
            raise OSError(errno.EIO, str(error), str(path)) from None

    def _open(self, path: Path | None) -> None:
        # An empty name is a temporary file: a batch of 250 MB does not stand in memory.
        self._db = sqlite3.connect(str(path or ""), isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._durable = path is not None
        if self._durable:
            # NORMAL outlives a killed process; only a loss of power may take the last replies with it.
            self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;")
        else:
            self._db.executescript("PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF;")
        self._db.executescript(_SCHEMA)
        self._charges: list[BillEntry] = []
        self._cache_writes = 0
        rows = self._db.execute("SELECT key, ttl, expires, readable FROM cache")
        self._cache = {key: CacheEntry(ttl, expires, readable) for key, ttl, expires, readable in rows}
        self._total: int = self._db.execute("SELECT COALESCE(SUM(pico),0) FROM bill").fetchone()[0]

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def reset(self) -> None:
        """Forget everything."""
        self._charges.clear()
        self._cache.clear()
        self._total = 0
        for table in ("meta", "bill", "cache", "batches", "items"):
            self._db.execute(f"DELETE FROM {table}")

    def get(self, key: str) -> str | None:
        """Return a setting."""
        row = self._db.execute("SELECT value FROM meta WHERE key=?", (key,)).fetchone()
        return None if row is None else row[0]

    def put(self, key: str, value: str) -> None:
        """Keep a setting."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES(?,?)", (key, value))

    # Bill --------------------------------------------------------------------------------------

    def charge(self, entry: BillEntry) -> None:
        """Add an entry to the bill; the same id is never charged twice."""
        if self._durable:
            self._db.execute(_CHARGE, entry.row())
        else:
            self._charges.append(entry)
            if len(self._charges) >= _FLUSH_AT:
                self._flush()
        self._total += entry.pico

    def _flush(self) -> None:
        if self._charges:
            with self._whole():
                self._db.executemany(_CHARGE, [entry.row() for entry in self._charges])
            self._charges = []

    @contextmanager
    def _whole(self) -> Generator[None]:
        """Write all that is written inside, or nothing: also where the disk is full at its end."""
        self._db.execute("BEGIN")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # SQLite has ended some by itself
                self._db.execute("ROLLBACK")
            raise

    @property
    def total(self) -> int:
        """Picodollars on the whole bill."""
        return self._total

    def bill(self, run: str | None) -> Iterator[dict[str, Any]]:
        """Yield the entries of a run, or of all."""
        self._flush()
        query = "SELECT * FROM bill" + (" WHERE run=?" if run is not None else "") + " ORDER BY at, id"
        for row in self._db.execute(query, (run,) if run is not None else ()):
            yield dict(row)

    def totals(self, run: str | None) -> dict[str, int]:
        """Return the sums over the bill of a run, or of all."""
        self._flush()
        columns = ("input", "write_5m", "write_1h", "read", "output", "pico")
        sums = ", ".join(f"COALESCE(SUM({name}),0) AS {name}" for name in columns)
        query = f"SELECT COUNT(*) AS entries, {sums} FROM bill" + (" WHERE run=?" if run is not None else "")
        return dict(self._db.execute(query, (run,) if run is not None else ()).fetchone())

    # Cache -------------------------------------------------------------------------------------

    def cache_entry(self, key: str) -> CacheEntry | None:
        """Return an entry, whether it can be read or not."""
        return self._cache.get(key)

    def write_cache_entry(self, key: str, ttl: str, expires: float, readable: float) -> None:
        """Write or renew an entry."""
        if self._durable:
            self._db.execute("INSERT OR REPLACE INTO cache VALUES(?,?,?,?)", (key, ttl, expires, readable))
        self._cache[key] = CacheEntry(ttl, expires, readable)
        self._cache_writes += 1

    def drop_expired(self, now: float, *, at_once: bool = False) -> None:
        """Forget entries that have expired, once in a while."""
        if self._cache_writes < _SWEEP_AT and not at_once:
            return
        self._cache_writes = 0
        self._cache = {key: entry for key, entry in self._cache.items() if entry.expires > now}
        self._db.execute("DELETE FROM cache WHERE expires<=?", (now,))

    # Batches -----------------------------------------------------------------------------------

    def add_batch(self, batch: dict[str, Any], requests: Iterable[tuple[str, str]]) -> None:
        """Keep a new batch with its requests (custom_id and JSON text), all or nothing."""
        with self._whole():
            seq = self._db.execute("SELECT COALESCE(MAX(seq),0)+1 FROM batches").fetchone()[0]
            row = {**batch, "seq": seq, "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0}
            names = ",".join(row)
            self._db.execute(f"INSERT INTO batches({names}) VALUES({','.join('?' * len(row))})", tuple(row.values()))
            rows = ((batch["id"], n, custom_id, text, None, None) for n, (custom_id, text) in enumerate(requests))
            self._db.executemany("INSERT INTO items VALUES(?,?,?,?,?,?)", rows)

    def batch(self, batch_id: str) -> dict[str, Any] | None:
        """Return one batch."""
        row = self._db.execute("SELECT * FROM batches WHERE id=?", (batch_id,)).fetchone()
        return None if row is None else dict(row)

    def batches(self, workspace: str) -> list[dict[str, Any]]:
        """Return a workspace's batches, newest first."""
        rows = self._db.execute("SELECT * FROM batches WHERE workspace=? ORDER BY seq DESC", (workspace,))
        return [dict(row) for row in rows]

    def open_batches(self) -> list[dict[str, Any]]:
        """Return the batches that have not ended, the one that is due first in front."""
        return [dict(row) for row in self._db.execute("SELECT * FROM batches WHERE status<>'ended' ORDER BY due")]

    def queued(self) -> int:
        """Return the requests in batches that have not ended."""
        query = "SELECT COALESCE(SUM(size),0) FROM batches WHERE status<>'ended'"
        return int(self._db.execute(query).fetchone()[0])

    def update_batch(self, batch_id: str, **changes: Any) -> None:
        """Change fields of a batch."""
        sets = ",".join(f"{name}=?" for name in changes)
        self._db.execute(f"UPDATE batches SET {sets} WHERE id=?", (*changes.values(), batch_id))

    def delete_batch(self, batch_id: str) -> None:
        """Forget a batch and its results."""
        self._db.execute("DELETE FROM items WHERE batch_id=?", (batch_id,))
        self._db.execute("DELETE FROM batches WHERE id=?", (batch_id,))

    def pending(self, batch_id: str, start: int, limit: int) -> list[tuple[int, str, str]]:
        """Return requests without a result from position `start` on: position, custom_id, JSON text."""
        query = (
            "SELECT n, custom_id, request FROM items WHERE batch_id=? AND n>=? AND result IS NULL ORDER BY n LIMIT ?"
        )
        return [tuple(row) for row in self._db.execute(query, (batch_id, start, limit))]

    def finish_items(
        self, batch_id: str, results: Iterable[tuple[int, dict[str, Any]]], charges: Sequence[BillEntry]
    ) -> None:
        """Keep the results of some requests and what they cost, all or nothing."""
        self._flush()
        rows = [(_text(result), result["type"], batch_id, n) for n, result in results]
        with self._whole():
            self._db.executemany("UPDATE items SET result=?, kind=? WHERE batch_id=? AND n=?", rows)
            self._db.executemany(_CHARGE, [entry.row() for entry in charges])
        self._total += sum(entry.pico for entry in charges)

    def results(self, batch_id: str, start: int, limit: int) -> list[tuple[int, str, str]]:
        """Return results from position `start`: position, custom_id, result text."""
        query = (
            "SELECT n, custom_id, result FROM items WHERE batch_id=? AND n>=? AND result IS NOT NULL ORDER BY n LIMIT ?"
        )
        return [tuple(row) for row in self._db.execute(query, (batch_id, start, limit))]

    def counts(self, batch_id: str) -> dict[str, int]:
        """Return how many requests ended in which way."""
        query = "SELECT kind, COUNT(*) FROM items WHERE batch_id=? AND kind IS NOT NULL GROUP BY kind"
        return {row[0]: row[1] for row in self._db.execute(query, (batch_id,))}


def _text(result: dict[str, Any]) -> str:
    """Return a result as JSON with its characters as they are; half a surrogate pair is escaped."""
    text = json.dumps(result, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(result)
    return text
