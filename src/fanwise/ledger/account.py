"""What was paid in all and by agent, and how many rows there are; all of it read from the journal."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from fanwise.journal.meta import OWN_BASELINE
from fanwise.journal.reader import Book
from fanwise.journal.records import NO_TOKENS, ArmName
from fanwise.journal.tables import select
from fanwise.pricing.usage import Usage

KINDS = ("input", "cache_write_5m", "cache_write_1h", "cache_read", "output")
"""The kinds of tokens that do not overlap, as columns."""
SUMS = ", ".join(f"COALESCE(SUM({kind}),0) AS {kind}" for kind in KINDS)


def in_order(arms: Collection[ArmName]) -> Sequence[ArmName]:
    """Return arms as an account has them: the fan-out, its baseline, then others by name."""
    if len(arms) < 2:
        return tuple(arms)
    return sorted(arms, key=lambda arm: (arm != "fanout", arm != "baseline", arm))


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Attempts, tokens and money of a run, or of one arm of it."""

    sent: int = 0
    succeeded: int = 0
    failed: int = 0
    lost: int = 0
    retried: int = 0
    """Attempts that were not the first of their task, nor a further round of its tools."""
    unpriced: int = 0
    """Attempts that were answered, whose price is unknown: of a model without one, or of a reply without usage."""
    unpriced_bound: int | None = 0
    """Picodollars that these may have cost at most; None where no bound is known."""
    uncounted: int = 0
    """Attempts that have ended and whose tokens are unknown: lost ones, and replies without usage."""
    usage: Usage = NO_TOKENS
    cost: int = 0
    """Picodollars that are known to be paid."""
    lost_bound: int | None = 0
    """Picodollars that lost attempts may have cost at most; None where no bound is known."""
    prefixes: int = 0
    """Distinct marked prefixes that rows have in common."""
    writes: int = 0
    """Attempts that wrote to the cache."""
    reads: int = 0
    """Attempts that read from it."""
    paid_twice: int = 0
    """Attempts whose task had been answered otherwise, for a deadline."""
    open: int = 0
    """Attempts without an end: in batches that have not been read, or under way."""
    open_bound: int | None = 0
    """Picodollars that these may cost at most; None where no bound is known."""

    @property
    def unknown(self) -> int:
        """Attempts that have ended and whose cost is unknown."""
        return self.lost + self.unpriced

    def plus(self, more: Totals) -> Totals:
        """Return the totals of two arms; their prefixes are not the same, since arms share none."""
        sums: dict[str, Any] = {name: _sum(getattr(self, name), getattr(more, name)) for name in _COUNTS}
        return Totals(usage=self.usage.plus(more.usage), **sums)


def _sum(count: int | None, more: int | None) -> int | None:
    return None if count is None or more is None else count + more


_COUNTS = tuple(field.name for field in fields(Totals) if field.name != "usage")


def _bound(condition: str) -> str:
    """Return what attempts may cost at most in SQL; NULL where one of them has no bound."""
    unbounded = f"SUM({condition} AND reserved IS NULL)"
    return f"CASE WHEN {unbounded} THEN NULL ELSE COALESCE(SUM(CASE WHEN {condition} THEN reserved END),0) END"


_TOTALS = f"""SELECT COUNT(*) AS sent, COALESCE(SUM(status='succeeded'),0) AS succeeded,
  COALESCE(SUM(status='failed'),0) AS failed, COALESCE(SUM(status='lost'),0) AS lost,
  COALESCE(SUM(why IN ('retry','repair','longer')),0) AS retried,
  COALESCE(SUM(status='succeeded' AND cost IS NULL),0) AS unpriced,
  {_bound("status='succeeded' AND cost IS NULL")} AS unpriced_bound,
  COALESCE(SUM(status='lost' OR (status='succeeded' AND cost IS NULL AND tokens=0)),0) AS uncounted,
  {SUMS}, COALESCE(SUM(cost),0) AS cost,
  {_bound("status='lost'")} AS lost_bound,
  COUNT(DISTINCT CASE WHEN prefix<>'' THEN model || prefix END) AS prefixes,
  COALESCE(SUM(cache_write_5m+cache_write_1h>0),0) AS writes, COALESCE(SUM(cache_read>0),0) AS reads,
  COALESCE(SUM(kind='paid_twice'),0) AS paid_twice, COALESCE(SUM(status='open'),0) AS open,
  {_bound("status='open'")} AS open_bound FROM {{attempts}}
  WHERE arm=?"""


def totals(db: Book, arm: ArmName | None = None) -> Totals:
    """Return the totals of one arm, or of all of them."""
    if arm is None:
        return added(totals_by_arm(db).values())
    return next(select(db, Totals, _TOTALS.format(attempts="paid"), (arm,)))


def cash_totals(db: Book) -> Totals:
    """Return the totals of all attempts that were ever made, those among them that count no more."""
    arms = db.execute("SELECT DISTINCT arm FROM attempts").fetchall()
    return added(next(select(db, Totals, _TOTALS.format(attempts="all_paid"), arm)) for arm in arms)


def totals_by_arm(db: Book) -> dict[ArmName, Totals]:
    """Return the totals of every arm for which anything was sent."""
    return {arm: totals(db, arm) for (arm,) in db.execute("SELECT DISTINCT arm FROM attempts").fetchall()}


def added(parts: Iterable[Totals]) -> Totals:
    """Return the sum of some totals."""
    run = Totals()
    for part in parts:
        run = run.plus(part)
    return run


def served_tasks(db: Book) -> dict[ArmName, int]:
    """Return by arm how many tasks requests have served that were sent for equal ones; arms without any left out."""
    query = "SELECT arm, COUNT(DISTINCT key) FROM served WHERE follows GROUP BY arm"
    return dict(db.execute(query).fetchall()) if db.execute("SELECT 1 FROM several LIMIT 1").fetchone() else {}


def succeeded(db: Book, arm: ArmName) -> int:
    """Return how many rows have succeeded on one arm."""
    query = "SELECT COUNT(*) FROM row_ends WHERE arm=? AND status='succeeded'"
    return db.execute(query, (arm,)).fetchone()[0]


def valid_rows(db: Book) -> int:
    """Return how many rows were read, without those that were set aside."""
    return db.execute("SELECT COUNT(*) FROM rows").fetchone()[0]


def row_counts(db: Book) -> dict[str, int]:
    """Return how many rows were read, and how they have ended so far."""
    counts = dict(db.execute("SELECT status, COUNT(*) FROM row_ends WHERE arm='fanout' GROUP BY status").fetchall())
    valid, rejected = valid_rows(db), db.execute("SELECT COUNT(*) FROM rejects").fetchone()[0]
    ended = {status: counts.get(status, 0) for status in ("succeeded", "partial", "failed")}
    unfinished = max(valid - sum(ended.values()), 0)
    return {"read": valid + rejected, **ended, "rejected": rejected, "unfinished": unfinished}


def baseline_arm(db: Book) -> ArmName:
    """Return the arm whose attempts are the single agent's: the fan-out itself where it has one agent."""
    return "fanout" if OWN_BASELINE.of(db) else "baseline"


def has_baseline(db: Book) -> bool:
    """Return whether any row has ended on the baseline."""
    return db.execute("SELECT 1 FROM row_ends WHERE arm=? LIMIT 1", (baseline_arm(db),)).fetchone() is not None


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
    """Attempts whose cost is not known: lost, open, or of a model without a price."""


_AGENTS = f"""SELECT arm, agent, model, channel, COUNT(*) AS attempts, {SUMS}, COALESCE(SUM(cost),0) AS cost,
  SUM(cost IS NULL) AS unknown
  FROM paid GROUP BY arm, agent, model, channel
  ORDER BY arm DESC, SUM(cost) IS NULL DESC, SUM(cost) DESC, SUM(tokens) DESC"""


def agents(db: Book) -> list[AgentAccount]:
    """Return what each agent cost, the dearest first, before it those of which nothing is known."""
    return list(select(db, AgentAccount, _AGENTS))
