"""How far a run is, as its journal says at this moment; nothing is written."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, dataclass
from typing import Any

from fanwise.journal.meta import HALTED, OFFLINE, RunOrigin
from fanwise.units import usd_text

from .account import row_counts


@dataclass(frozen=True, slots=True)
class OpenBatch:
    """A batch that has not ended, or of which it is not known yet."""

    batch_id: str | None
    """None while only the intent to create it is certain."""
    requests: int
    submitted: float
    """Seconds since 1970."""
    state: str
    """intent, adopted (found again, to be confirmed by its results) or created."""


@dataclass(frozen=True, slots=True)
class BatchState:
    """A batch of a run that has not been read, and what the API says of it."""

    batch_id: str | None
    """None while only the intent to create it is certain."""
    requests: int
    status: str
    """The API's `processing_status`, or why it cannot be told."""

    def data(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class CancelledBatches:
    """What became of the order to cancel the batches of a run."""

    asked: tuple[str, ...] = ()
    """Ids of those that were running: they end, and what they have not done is free of charge."""
    ended: tuple[str, ...] = ()
    """Ids of those that had ended before: `resume` reads what they have answered."""


@dataclass(frozen=True, slots=True)
class Status:
    """A run at one moment."""

    run_id: str | None
    graph: str | None
    ended: str | None
    """How the last session ended; `running` while one works, or after it was killed."""
    halted: str | None
    offline: bool | None
    rows: dict[str, int]
    attempts: int
    in_flight: int
    """Attempts without an end: under way, or lost when the process was killed."""
    cost_usd: str | None
    reserved_usd: str | None
    """What those in flight may cost at most."""
    cache_read_tokens: int
    last: float | None
    """When the last attempt ended, in seconds since 1970."""
    batches: tuple[OpenBatch, ...]

    def data(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        return asdict(self)


def status(db: sqlite3.Connection) -> Status:
    """Return how far a run is."""
    origin = RunOrigin.of(db)
    how = db.execute("SELECT how FROM sessions ORDER BY id DESC LIMIT 1").fetchone()
    query = """SELECT COUNT(*), COALESCE(SUM(status='open'),0), COALESCE(SUM(cost),0),
      COALESCE(SUM(CASE WHEN status='open' THEN reserved END),0), COALESCE(SUM(cache_read),0), MAX(at) FROM paid"""
    attempts, open_, cost, reserved, read, last = db.execute(query).fetchone()
    batches = db.execute(
        "SELECT batch_id, size, at, state FROM batches WHERE state IN ('intent','adopted','created') ORDER BY intent"
    ).fetchall()
    return Status(
        origin.run_id,
        origin.graph,
        how[0] if how else None,
        HALTED.of(db) or None,
        OFFLINE.of(db),
        row_counts(db),
        attempts,
        open_,
        usd_text(cost),
        usd_text(reserved),
        read,
        last,
        tuple(OpenBatch(*row) for row in batches),
    )
