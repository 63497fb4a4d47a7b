"""How far a run is, as its journal says at this moment; nothing is written."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from fanwise.journal.reader import Book
from fanwise.journal.tables import select
from fanwise.units import usd_text

from .account import row_counts
from .standing import standing
from .unpriced import usd_if_known


@dataclass(frozen=True, slots=True, kw_only=True)
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
    unsure: int = 0
    """Requests in batches whose id is not certain: what may be another program's batch is not cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
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
    """As far as it is known; None where nothing of it is."""
    attempts_of_unknown_cost: int
    """Those that have ended and whose cost is not known."""
    reserved_usd: str | None
    """What those in flight may cost at most, as far as that is known."""
    attempts_without_bound: int
    """Those in flight of which it is not known what they may cost at most."""
    cache_read_tokens: int | None
    """As far as it is known; None where nothing of it is."""
    last: float | None
    """When the last attempt ended, in seconds since 1970."""
    batches: tuple[OpenBatch, ...]

    def data(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class _WorkDone:
    """What was sent so far."""

    attempts: int
    in_flight: int
    cost: int
    reserved: int
    unbounded: int
    cache_read_tokens: int
    last: float | None
    unknown: int
    counted: int
    """Attempts whose tokens are known and not zero."""


_WORK = """SELECT COUNT(*) AS attempts, COALESCE(SUM(status='open'),0) AS in_flight, COALESCE(SUM(cost),0) AS cost,
  COALESCE(SUM(CASE WHEN status='open' THEN reserved END),0) AS reserved,
  COALESCE(SUM(status='open' AND reserved IS NULL),0) AS unbounded,
  COALESCE(SUM(cache_read),0) AS cache_read_tokens, MAX(at) AS last,
  COALESCE(SUM(at IS NOT NULL AND cost IS NULL),0) AS unknown,
  COALESCE(SUM(tokens>0),0) AS counted FROM all_paid"""
_BATCHES = """SELECT batch_id, size AS requests, at AS submitted, state FROM batches
  WHERE state IN ('intent','adopted','created') ORDER BY intent"""


def status(db: Book) -> Status:
    """Return how far a run is."""
    stands, work = standing(db), next(select(db, _WorkDone, _WORK))
    return Status(
        run_id=stands.origin.run_id,
        graph=stands.origin.graph,
        ended=session_end(db),
        halted=stands.halted,
        offline=stands.offline,
        rows=row_counts(db),
        attempts=work.attempts,
        in_flight=work.in_flight,
        cost_usd=usd_if_known(work.cost, work.unknown),
        attempts_of_unknown_cost=work.unknown,
        reserved_usd=usd_text(work.reserved),
        attempts_without_bound=work.unbounded,
        cache_read_tokens=work.cache_read_tokens if work.counted or not work.unknown else None,
        last=work.last,
        batches=tuple(select(db, OpenBatch, _BATCHES)),
    )


def session_end(db: Book) -> str | None:
    """Return how the last session ended; `running` where it has not; None where there was none."""
    row = db.execute("SELECT how FROM sessions ORDER BY id DESC LIMIT 1").fetchone()
    return row[0] if row else None
