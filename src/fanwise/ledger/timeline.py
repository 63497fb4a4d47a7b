"""When calls were in flight and when batches were in work."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import NamedTuple

STEPS = 80
MOST_BATCHES = 60
_STEPS = """SELECT channel, MIN(CAST((at-?)/? AS INT), ?), SUM(sent), SUM(ended), SUM(failed) FROM (
    SELECT channel, sent AS at, 1 AS sent, 0 AS ended, 0 AS failed FROM attempts
    UNION ALL SELECT channel, at, 0, status='succeeded', status<>'succeeded' FROM paid WHERE at IS NOT NULL)
  GROUP BY 1, 2 ORDER BY 1, 2"""
_BATCHES = """SELECT COALESCE(b.batch_id,''), b.size, b.at, p.last, b.state FROM batches b
  LEFT JOIN (SELECT intent, MAX(at) AS last FROM paid WHERE intent IS NOT NULL GROUP BY intent) p ON p.intent=b.intent
  ORDER BY b.size DESC LIMIT ?"""


class Step(NamedTuple):
    """What happened in one of up to `STEPS` equal parts of the time."""

    channel: str
    begin: float
    """Seconds from the start of the first session."""
    sent: int
    ended: int
    """Attempts that succeeded."""
    failed: int
    """Attempts that failed or were lost."""


class BatchSpan(NamedTuple):
    """One batch."""

    batch_id: str
    requests: int
    begin: float
    end: float | None
    """When the last of its results was applied; None where none was."""
    state: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """A run over time, in seconds from the start of its first session."""

    width_s: float
    """Of one step."""
    steps: list[Step]
    batches: list[BatchSpan]
    """The largest, in the order in which they were created."""
    sessions: list[tuple[float, float | None, str]]
    """Begin, end and how they ended."""


def timeline(db: sqlite3.Connection) -> Timeline:
    """Return what happened when; pauses between sessions are part of the time."""
    sessions = db.execute("SELECT started, ended, how FROM sessions ORDER BY id").fetchall()
    first, last = db.execute("SELECT MIN(sent), MAX(MAX(sent), COALESCE(MAX(at),0)) FROM paid").fetchone()
    if first is None:
        return Timeline(0.0, [], [], [])
    start = min(first, sessions[0][0]) if sessions else first
    width = max((last - start) / STEPS, 1e-3)
    steps = [
        Step(channel, place * width, sent, ended, failed)
        for channel, place, sent, ended, failed in db.execute(_STEPS, (start, width, STEPS - 1))
    ]
    batches = [
        BatchSpan(batch_id, size, at - start, None if end is None else end - start, state)
        for batch_id, size, at, end, state in db.execute(_BATCHES, (MOST_BATCHES,))
    ]
    told = [(begin - start, None if end is None else end - start, how) for begin, end, how in sessions]
    return Timeline(width, steps, sorted(batches, key=lambda one: one.begin), told)
