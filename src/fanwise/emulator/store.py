"""What the emulator remembers, in SQLite: bill, batches, cache entries, clock.

Every change is committed before it is answered, so that a process that is killed and started
again goes on with the same bill and the same batches.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS bill(
  id TEXT PRIMARY KEY, at REAL, run TEXT, model TEXT, batch_id TEXT, custom_id TEXT, status TEXT,
  input INT, write_5m INT, write_1h INT, read INT, output INT, pico INT);
CREATE INDEX IF NOT EXISTS bill_run ON bill(run);
CREATE TABLE IF NOT EXISTS cache(key TEXT PRIMARY KEY, ttl TEXT, expires REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS batches(
  id TEXT PRIMARY KEY, seq INTEGER, workspace TEXT, created REAL, due REAL, expires REAL, ended REAL,
  cancel REAL, status TEXT, size INT, succeeded INT, errored INT, canceled INT, expired INT);
CREATE TABLE IF NOT EXISTS items(
  batch_id TEXT, n INT, custom_id TEXT, params TEXT, result TEXT, PRIMARY KEY(batch_id, n)) WITHOUT ROWID;
"""
BILL = (
    "id",
    "at",
    "run",
    "model",
    "batch_id",
    "custom_id",
    "status",
    "input",
    "write_5m",
    "write_1h",
    "read",
    "output",
    "pico",
)


class Store:
    """The emulator's database; used from one thread."""

    def __init__(self, path: Path | None) -> None:
        self._db = sqlite3.connect(
            str(path) if path is not None else ":memory:", isolation_level=None, check_same_thread=False
        )
        self._db.row_factory = sqlite3.Row
        # NORMAL outlives a killed process; only a loss of power may take the last replies with it.
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def begin(self) -> None:
        """Start one transaction for many changes."""
        self._db.execute("BEGIN")

    def commit(self) -> None:
        """End the transaction."""
        self._db.execute("COMMIT")

    def reset(self) -> None:
        """Forget everything."""
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

    def charge(self, entry: dict[str, Any]) -> None:
        """Add an entry to the bill; the same id is never charged twice."""
        marks = ",".join("?" * len(BILL))
        self._db.execute(f"INSERT OR IGNORE INTO bill VALUES({marks})", tuple(entry[name] for name in BILL))

    def bill(self, run: str | None) -> Iterator[dict[str, Any]]:
        """Yield the entries of a run, or of all."""
        query = "SELECT * FROM bill" + (" WHERE run=?" if run is not None else "") + " ORDER BY at, id"
        for row in self._db.execute(query, (run,) if run is not None else ()):
            yield dict(row)

    def totals(self, run: str | None) -> dict[str, int]:
        """Return the sums over the bill of a run, or of all."""
        columns = ("input", "write_5m", "write_1h", "read", "output", "pico")
        sums = ", ".join(f"COALESCE(SUM({name}),0) AS {name}" for name in columns)
        query = f"SELECT COUNT(*) AS entries, {sums} FROM bill" + (" WHERE run=?" if run is not None else "")
        return dict(self._db.execute(query, (run,) if run is not None else ()).fetchone())

    # Cache -------------------------------------------------------------------------------------

    def entry(self, key: str, now: float) -> str | None:
        """Return the TTL of an entry that is still alive."""
        row = self._db.execute("SELECT ttl FROM cache WHERE key=? AND expires>?", (key, now)).fetchone()
        return None if row is None else row[0]

    def write_entry(self, key: str, ttl: str, expires: float) -> None:
        """Write or renew an entry."""
        self._db.execute("INSERT OR REPLACE INTO cache VALUES(?,?,?)", (key, ttl, expires))

    def drop_expired(self, now: float) -> None:
        """Forget entries that have expired."""
        self._db.execute("DELETE FROM cache WHERE expires<=?", (now,))

    # Batches -----------------------------------------------------------------------------------

    def add_batch(self, batch: dict[str, Any], requests: Iterator[tuple[str, Any]]) -> None:
        """Keep a new batch with its requests, all or nothing."""
        self._db.execute("BEGIN")
        try:
            seq = self._db.execute("SELECT COALESCE(MAX(seq),0)+1 FROM batches").fetchone()[0]
            row = {**batch, "seq": seq, "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0}
            names = ",".join(row)
            self._db.execute(f"INSERT INTO batches({names}) VALUES({','.join('?' * len(row))})", tuple(row.values()))
            rows = (
                (batch["id"], n, custom_id, json.dumps(params), None) for n, (custom_id, params) in enumerate(requests)
            )
            self._db.executemany("INSERT INTO items VALUES(?,?,?,?,?)", rows)
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

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

    def update_batch(self, batch_id: str, **changes: Any) -> None:
        """Change fields of a batch."""
        sets = ",".join(f"{name}=?" for name in changes)
        self._db.execute(f"UPDATE batches SET {sets} WHERE id=?", (*changes.values(), batch_id))

    def delete_batch(self, batch_id: str) -> None:
        """Forget a batch and its results."""
        self._db.execute("DELETE FROM items WHERE batch_id=?", (batch_id,))
        self._db.execute("DELETE FROM batches WHERE id=?", (batch_id,))

    def pending(self, batch_id: str, limit: int) -> list[dict[str, Any]]:
        """Return requests of a batch that have no result yet, in order."""
        query = "SELECT * FROM items WHERE batch_id=? AND result IS NULL ORDER BY n LIMIT ?"
        return [dict(row) for row in self._db.execute(query, (batch_id, limit))]

    def finish_item(self, batch_id: str, n: int, result: dict[str, Any]) -> None:
        """Keep the result of one request."""
        self._db.execute("UPDATE items SET result=? WHERE batch_id=? AND n=?", (json.dumps(result), batch_id, n))

    def results(self, batch_id: str, start: int, limit: int) -> list[tuple[int, str, str]]:
        """Return results from position `start`: position, custom_id, result text."""
        query = (
            "SELECT n, custom_id, result FROM items WHERE batch_id=? AND n>=? AND result IS NOT NULL ORDER BY n LIMIT ?"
        )
        return [tuple(row) for row in self._db.execute(query, (batch_id, start, limit))]

    def counts(self, batch_id: str) -> dict[str, int]:
        """Return how many requests ended in which way."""
        query = "SELECT json_extract(result,'$.type') AS kind, COUNT(*) FROM items WHERE batch_id=? GROUP BY kind"
        return {row[0]: row[1] for row in self._db.execute(query, (batch_id,)) if row[0] is not None}
