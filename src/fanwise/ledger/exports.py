"""The account as lines of tables: attempts, tasks and rows, each named as an export names it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fanwise.journal.reader import Book
from fanwise.journal.tables import select
from fanwise.units import usd_text

from .allotment import allotted

_USAGE = {
    "input": "input_tokens", "cache_write_5m": "cache_write_5m_tokens", "cache_write_1h": "cache_write_1h_tokens",
    "cache_read": "cache_read_tokens", "output": "output_tokens", "thinking": "thinking_tokens",
    "web_searches": "web_searches",
}  # fmt: skip
_IS_KNOWN = "p.status<>'lost' AND (p.cost IS NOT NULL OR p.tokens>0)"
_TAKEN = ", ".join(f"CASE WHEN {_IS_KNOWN} THEN p.{name} END AS {column}" for name, column in _USAGE.items())
"""What an attempt took; nobody knows it of one that was lost, or whose reply did not say."""
_ATTEMPTS = f"""SELECT p.attempt, p.row, w.row_id, p.arm AS side, p.label AS task, p.node, p.agent, p.model, p.channel,
  b.batch_id, p.number, p.status, p.kind, p.message, {_TAKEN}, p.cost, p.reserved, p.sent, p.at AS ended, p.latency_s,
  p.request_id, p.prefix, p.taken, EXISTS(SELECT 1 FROM paid q WHERE q.attempt=p.attempt) AS counts
  FROM all_task_attempts p LEFT JOIN rows w ON w.number=p.row LEFT JOIN batches b ON b.intent=p.intent
  ORDER BY p.attempt"""
_TASKS = """SELECT t.row, w.row_id, t.arm AS side, t.label AS task, t.node, t.agent, t.status, t.kind, t.message,
  x.text AS output, COALESCE(s.attempts,0) AS attempts, COALESCE(s.served,0) AS served, s.cost,
  COALESCE(s.unknown,0) AS attempts_of_unknown_cost
  FROM outcomes t LEFT JOIN rows w ON w.number=t.row LEFT JOIN texts x ON x.sha=t.output
  LEFT JOIN (
    SELECT key, SUM(NOT follows) AS attempts, SUM(follows) AS served, SUM(cost) AS cost, SUM(cost IS NULL) AS unknown
    FROM served GROUP BY key) s ON s.key=t.key
  ORDER BY t.row, t.arm DESC, t.label"""
_ROW = """SELECT w.row_id, r.status, r.reason, x.text, (SELECT SUM(tokens) FROM served WHERE row=:row AND arm=:arm)
  FROM (SELECT 1) LEFT JOIN rows w ON w.number=:row LEFT JOIN row_ends r ON r.row=:row AND r.arm=:arm
  LEFT JOIN texts x ON x.sha=r.output"""


@dataclass(slots=True, kw_only=True)
class AttemptLine:
    """One attempt; what it serves is told by its first task."""

    attempt: int
    row: int
    row_id: str | None
    side: str
    task: str
    node: str
    agent: str
    model: str
    channel: str
    batch_id: str | None
    number: int
    status: str
    kind: str | None
    message: str | None
    input_tokens: int | None
    cache_write_5m_tokens: int | None
    cache_write_1h_tokens: int | None
    cache_read_tokens: int | None
    output_tokens: int | None
    thinking_tokens: int | None
    web_searches: int | None
    cost: int | None
    """Picodollars."""
    reserved: int | None
    """Picodollars."""
    sent: float
    ended: float | None
    latency_s: float | None
    request_id: str | None
    prefix: str
    taken: int
    """Which run of the summary's `cash.taken.from` has sent it, from 1; 0: this one has."""
    counts: int
    """1 where it is part of the account as it is now, else 0: an edit has replaced it, or its row is gone."""

    @property
    def cost_usd(self) -> str | None:
        """Dollars that it cost, as exact text."""
        return usd_text(self.cost)

    @property
    def reserved_usd(self) -> str | None:
        """Its upper bound in dollars, as exact text."""
        return usd_text(self.reserved)


@dataclass(slots=True, kw_only=True)
class TaskLine:
    """One task that has an outcome, of a row as it is in the graph as it is."""

    row: int
    row_id: str | None
    side: str
    task: str
    node: str
    agent: str
    status: str
    kind: str
    message: str
    output: str | None
    attempts: int
    """That were sent for it."""
    served: int
    """That were sent for an equal task, and have served it."""
    cost: int | None
    """Picodollars of its shares, as far as they are known."""
    attempts_of_unknown_cost: int

    @property
    def cost_usd(self) -> str | None:
        """Dollars of its shares, as exact text."""
        return usd_text(self.cost)


@dataclass(slots=True, kw_only=True)
class RowLine:
    """One row on one arm."""

    row: int
    row_id: str | None
    side: str
    status: str | None
    reason: str | None
    output: str | None
    tokens: int | None
    own_usd: str | None
    shared_usd: str | None
    cost_usd: str | None
    attempts_of_unknown_cost: int


def attempt_lines(db: Book) -> Iterator[AttemptLine]:
    """Yield all attempts, those that count no more among them, in the order in which they were made."""
    return select(db, AttemptLine, _ATTEMPTS)


def task_lines(db: Book) -> Iterator[TaskLine]:
    """Yield the tasks of the account that have an outcome, by row, the fan-out before its baseline."""
    return select(db, TaskLine, _TASKS)


def row_lines(db: Book) -> Iterator[RowLine]:
    """Yield all rows that anything was sent for, with their part of what rows share."""
    for cost in allotted(db):
        known = cost.paid or not cost.unknown
        row_id, status, reason, output, tokens = db.execute(_ROW, {"row": cost.row, "arm": cost.arm}).fetchone()
        yield RowLine(
            row=cost.row, row_id=row_id, side=cost.arm, status=status, reason=reason, output=output,
            tokens=tokens if tokens or not cost.unknown else None,
            own_usd=usd_text(cost.own) if known else None, shared_usd=usd_text(cost.shared),
            cost_usd=usd_text(cost.cost) if known or cost.shared else None,
            attempts_of_unknown_cost=cost.unknown,
        )  # fmt: skip
