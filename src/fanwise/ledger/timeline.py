"""When calls were in flight and when batches were in work."""

from __future__ import annotations

from dataclasses import dataclass

from fanwise.journal.reader import Book
from fanwise.journal.tables import select

STEPS = 80
MOST_BATCHES = 60
_STEPS = """SELECT channel, MIN(CAST((at-:start)/:width AS INT),:last)*:width AS begin, SUM(sent) AS sent,
    SUM(ended) AS ended, SUM(failed) AS failed FROM (
    SELECT channel, sent AS at, 1 AS sent, 0 AS ended, 0 AS failed FROM attempts WHERE NOT taken
    UNION ALL SELECT channel, at, 0, status='succeeded', status<>'succeeded' FROM all_paid WHERE at IS NOT NULL)
  GROUP BY 1, 2 ORDER BY 1, 2"""
_BATCHES = """SELECT COALESCE(b.batch_id,'') AS batch_id, b.size AS requests, b.at-:start AS begin,
    p.last-:start AS end, b.state FROM batches b
  LEFT JOIN (SELECT intent, MAX(at) AS last FROM all_paid WHERE intent IS NOT NULL GROUP BY intent) p
    ON p.intent=b.intent
  ORDER BY b.size DESC LIMIT :most"""
_SESSIONS = "SELECT started-:start, ended-:start, how FROM sessions ORDER BY id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What happened in one of up to `STEPS` equal parts of the time."""

    channel: str
    begin: float
    """Seconds from the start of the first session."""
    sent: int
    ended: int
    """Attempts that succeeded."""
    failed: int
    """Attempts that failed or were lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSpan:
    """One batch."""

    batch_id: str
    requests: int
    begin: float
    end: float | None
    """When the last of its results was applied; None where none was."""
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """A run over time, in seconds from the start of its first session."""

    width_s: float
    """Of one step."""
    steps: list[Step]
    batches: list[BatchSpan]
    """The largest, in the order in which they were created."""
    sessions: list[tuple[float, float | None, str]]
    """Begin, end and how they ended."""


def timeline(db: Book) -> Timeline:
    """Return what happened when; pauses between sessions are part of the time."""
    first, last = db.execute("SELECT MIN(sent), MAX(MAX(sent), COALESCE(MAX(at),0)) FROM all_paid").fetchone()
    if first is None:
        return Timeline(width_s=0.0, steps=[], batches=[], sessions=[])
    (begun,) = db.execute("SELECT MIN(started) FROM sessions").fetchone()
    start = first if begun is None else min(first, begun)
    width = max((last - start) / STEPS, 1e-3)
    batches = select(db, BatchSpan, _BATCHES, {"start": start, "most": MOST_BATCHES})
    return Timeline(
        width_s=width,
        steps=list(select(db, Step, _STEPS, {"start": start, "width": width, "last": STEPS - 1})),
        batches=sorted(batches, key=lambda batch: batch.begin),
        sessions=db.execute(_SESSIONS, {"start": start}).fetchall(),
    )
