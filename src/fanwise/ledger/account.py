"""What was paid: totals, per row, failures; all of it read from the journal."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from fanwise.errors import UnknownPriceError
from fanwise.journal.records import ArmName
from fanwise.journal.tables import select
from fanwise.pricing.cost import tokens_cost
from fanwise.pricing.rates import rates
from fanwise.pricing.usage import Usage
from fanwise.units import moment

KINDS = ("input", "cache_write_5m", "cache_write_1h", "cache_read", "output")
"""The kinds of tokens that do not overlap, as columns."""
SUMS = ", ".join(f"COALESCE(SUM({kind}),0) AS {kind}" for kind in KINDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Attempts, tokens and money of a run, or of one side of it."""

    sent: int
    succeeded: int
    failed: int
    lost: int
    retried: int
    """Attempts that were not the first of their task, nor a further round of its tools."""
    unpriced: int
    """Attempts that were answered, whose price is unknown."""
    usage: Usage
    cost: int
    """Picodollars that are known to be paid."""
    lost_bound: int
    """Picodollars that lost attempts may have cost at most."""
    prefixes: int
    """Distinct marked prefixes that rows have in common."""
    writes: int
    """Attempts that wrote to the cache."""
    reads: int
    """Attempts that read from it."""
    paid_twice: int
    """Attempts whose task had been answered otherwise, for a deadline."""
    open: int
    """Attempts without an end: in batches that have not been read, or under way."""
    open_bound: int
    """Picodollars that these may cost at most."""


def totals(db: sqlite3.Connection, arm: ArmName | None = None) -> Totals:
    """Return the totals of a run, or of one arm."""
    where, args = ("WHERE arm=?", (arm,)) if arm is not None else ("", ())
    query = f"""SELECT COUNT(*) AS sent, COALESCE(SUM(status='succeeded'),0) AS succeeded,
      COALESCE(SUM(status='failed'),0) AS failed, COALESCE(SUM(status='lost'),0) AS lost,
      COALESCE(SUM(why IN ('retry','repair','longer')),0) AS retried,
      COALESCE(SUM(status='succeeded' AND cost IS NULL),0) AS unpriced, {SUMS}, COALESCE(SUM(cost),0) AS cost,
      COALESCE(SUM(CASE WHEN status='lost' THEN reserved END),0) AS lost_bound,
      COUNT(DISTINCT CASE WHEN prefix<>'' THEN model || prefix END) AS prefixes,
      COALESCE(SUM(cache_write_5m+cache_write_1h>0),0) AS writes, COALESCE(SUM(cache_read>0),0) AS reads,
      COALESCE(SUM(kind='paid_twice'),0) AS paid_twice, COALESCE(SUM(status='open'),0) AS open,
      COALESCE(SUM(CASE WHEN status='open' THEN reserved END),0) AS open_bound FROM paid {where}"""
    return next(select(db, Totals, query, args))


def succeeded(db: sqlite3.Connection, arm: ArmName) -> int:
    """Return how many rows have succeeded on one arm."""
    query = "SELECT COUNT(*) FROM results WHERE arm=? AND status='succeeded'"
    return db.execute(query, (arm,)).fetchone()[0]


def valid_rows(db: sqlite3.Connection) -> int:
    """Return how many rows were read, without those that were set aside."""
    return db.execute("SELECT COUNT(*) FROM rows").fetchone()[0]


def row_counts(db: sqlite3.Connection) -> dict[str, int]:
    """Return how many rows were read, and how they have ended so far."""
    counts = dict(db.execute("SELECT status, COUNT(*) FROM results WHERE arm='fanout' GROUP BY status").fetchall())
    valid = valid_rows(db)
    rejected = db.execute("SELECT COUNT(*) FROM rejects").fetchone()[0]
    known = {status: counts.get(status, 0) for status in ("succeeded", "partial", "failed")}
    return {"read": valid + rejected, **known, "rejected": rejected, "unfinished": max(valid - sum(known.values()), 0)}


class RowAccount(NamedTuple):
    """One row on one arm."""

    row: int
    arm: ArmName
    status: str
    tokens: int
    cost: int
    """Picodollars, as paid."""
    unknown: int
    """Attempts with an unknown price: lost ones, or of an unknown model."""


_ROWS = """SELECT r.row, r.arm, r.status, COALESCE(SUM(s.tokens),0) AS tokens, COALESCE(SUM(s.cost),0) AS cost,
  COALESCE(SUM(s.at IS NOT NULL AND s.cost IS NULL),0) AS unknown
  FROM results r LEFT JOIN served s ON s.row=r.row AND s.arm=r.arm
  GROUP BY r.row, r.arm ORDER BY r.row, r.arm DESC"""

_ROW = """SELECT r.row, r.arm, r.status, s.tokens, s.cost, s.unknown FROM results r,
  (SELECT COALESCE(SUM(tokens),0) AS tokens, COALESCE(SUM(cost),0) AS cost,
    COALESCE(SUM(at IS NOT NULL AND cost IS NULL),0) AS unknown FROM served WHERE row=?1 AND arm=?2) s
  WHERE r.row=?1 AND r.arm=?2"""
"""Not joined to `results` from the left: SQLite would make the whole view for every row."""


def rows(db: sqlite3.Connection) -> Iterator[RowAccount]:
    """Yield every finished row, by number, the fan-out before its baseline."""
    yield from select(db, RowAccount, _ROWS)


def row_account(db: sqlite3.Connection, number: int, arm: ArmName) -> RowAccount | None:
    """Return one finished row, or None where it has not ended."""
    return next(select(db, RowAccount, _ROW, (number, arm)), None)


@dataclass(frozen=True, slots=True)
class SharedWrite:
    """What one attempt has written for all rows."""

    row: int
    arm: ArmName
    agent: str
    five: int
    """Tokens written for five minutes."""
    hour: int
    """Tokens written for an hour."""
    extra: int
    """What the writing costs over a reading, in picodollars."""


def shared_writes(db: sqlite3.Connection) -> list[SharedWrite]:
    """Return what the rows that came first paid for all others.

    An attempt that read nothing wrote the shared part of its prefix too; its share is known from
    the layout. One that read something found the shared part warm.
    """
    columns = "row, arm, agent, model, channel, sent, job_share, input, cache_write_5m, cache_write_1h"
    wrote = "job_share>0 AND cache_read=0 AND cache_write_5m+cache_write_1h>0"
    query = f"""SELECT {columns} FROM served WHERE {wrote}
      UNION ALL SELECT {columns} FROM paid WHERE row=0 AND {wrote}"""
    found: list[SharedWrite] = []
    for row, arm, agent, model, channel, sent, share, plain, five, hour in db.execute(query):
        five, hour = round(five * share), round(hour * share)
        try:
            rate = rates(model, moment(sent), plain + five + hour)
        except UnknownPriceError:
            continue
        batch = channel == "batch"
        written = tokens_cost(Usage(cache_write_5m=five, cache_write_1h=hour), rate, batch=batch)
        extra = written - tokens_cost(Usage(cache_read=five + hour), rate, batch=batch)
        found.append(SharedWrite(row, arm, agent, five, hour, extra))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedTask:
    """One failed task, for the report."""

    row_id: str
    row: int
    arm: ArmName
    task: str
    """With its item: `research[2]`."""
    agent: str
    kind: str
    message: str
    paid: int
    """Picodollars that the row's arm had cost all the same."""


def failures(db: sqlite3.Connection, most: int = 20) -> list[FailedTask]:
    """Return failed tasks of rows that are in the results, by row."""
    query = """SELECT COALESCE(w.row_id,'') AS row_id, t.row, t.arm, t.label AS task, t.agent, t.kind, t.message,
      COALESCE((SELECT SUM(s.cost) FROM served s WHERE s.row=t.row AND s.arm=t.arm),0) AS paid
      FROM tasks t LEFT JOIN rows w ON w.number=t.row WHERE t.status='failed' ORDER BY t.row, t.label LIMIT ?"""
    return list(select(db, FailedTask, query, (most,)))


def failed_tasks(db: sqlite3.Connection) -> dict[str, int]:
    """Return the number of failed tasks by error class."""
    query = "SELECT kind, COUNT(*) FROM tasks WHERE status='failed' GROUP BY kind ORDER BY 2 DESC"
    return dict(db.execute(query).fetchall())


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentAccount:
    """One agent, for the report."""

    arm: ArmName
    agent: str
    model: str
    channel: str
    attempts: int
    usage: Usage
    cost: int
    """Picodollars as far as they are known."""
    unknown: int
    """Attempts that have ended and whose cost is not known: lost, or of a model without a price."""


def agents(db: sqlite3.Connection) -> list[AgentAccount]:
    """Return what each agent cost, the dearest first."""
    query = f"""SELECT arm, agent, model, channel, COUNT(*) AS attempts, {SUMS}, COALESCE(SUM(cost),0) AS cost,
      COALESCE(SUM(at IS NOT NULL AND cost IS NULL),0) AS unknown
      FROM paid GROUP BY arm, agent, model, channel ORDER BY arm DESC, COALESCE(SUM(cost),0) DESC"""
    return list(select(db, AgentAccount, query))
