"""What a pilot counts for in the account: what the call would have been in its agent's usual channel.

Some calls go ahead to learn which channel the others take. What one costs more than the others do is the price of
learning, which a job pays once: it is cash and no part of the account (docs/decisions/2026-11-29-pilots-are-cash.md).

- The usual channel of an agent is that which most first requests of its other tasks took; batches where both are alike.
- There a pilot has the same tokens. Of its input, what rows share counts as read, or as plain input where most of
  these requests are not marked; what live calls mark beyond that is plain input in batches, where it never is.
- So counts its every try in the channel to which it was sent ahead. Where the pilots of an agent have cost no more
  than that in all, they count as they were paid: nothing was paid for learning.

Nothing of this is kept: it is computed for a connection when a journal is opened for its account.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from fanwise.errors import UnknownPriceError
from fanwise.pricing.cost import cost
from fanwise.pricing.usage import Usage
from fanwise.units import moment

from .records import ArmName, Channel
from .tables import select
from .views import CountedAs, counts_otherwise

_ANY = """SELECT 1 FROM attempts WHERE why='pilot' AND EXISTS(SELECT 1 FROM sessions WHERE channel='auto') LIMIT 1"""
"""Whether calls went ahead; attempts are looked through only where a session chose channels itself."""
_USUAL = """SELECT arm, agent, channel, COUNT(*), SUM(prefix<>'') FROM main.paid WHERE why='first' AND NOT taken
  GROUP BY arm, agent, channel"""
_TRIES = """WITH ahead AS (
    SELECT k.row, k.key, a.channel FROM attempts a JOIN asks k ON k.attempt=a.id AND k.place=0 WHERE a.why='pilot'),
  tries AS (
    SELECT DISTINCT a.id FROM ahead h JOIN asks k ON k.row=h.row AND k.key=h.key
    JOIN attempts a ON a.id=k.attempt AND a.channel=h.channel WHERE a.why IN ('pilot','retry','repair','longer'))
  SELECT p.attempt, p.arm, p.agent, p.model, p.channel, p.sent, p.job_share AS share, p.cost, p.input,
    p.cache_write_5m, p.cache_write_1h, p.cache_read, p.output, p.web_searches
  FROM tries t JOIN all_paid p ON p.attempt=t.id
  WHERE p.cost>0 AND p.attempt IN (SELECT attempt FROM main.paid WHERE attempt=t.id)
  ORDER BY p.arm, p.agent, p.attempt"""
_SURPLUS = """SELECT s.row, s.arm, s.agent, s.attempt, s.place, b.cost/s.asks + (s.part < b.cost%s.asks) - s.cost
  FROM temp.served s JOIN all_paid b ON b.attempt=s.attempt
  WHERE s.attempt IN (SELECT attempt FROM temp.counted_as WHERE is_pilot)"""


AgentOfArm = tuple[ArmName, str]


class Surplus(NamedTuple):
    """What a pilot has cost more than it counts for, or an ask's share of it."""

    row: int
    arm: ArmName
    agent: str
    attempt: int
    place: int
    """Of the ask."""
    cost: int
    """Picodollars; below zero where it has cost less, though the agent's pilots have cost more in all."""


@dataclass(slots=True, kw_only=True)
class _Try:
    """An attempt of a task that was sent ahead, in the channel to which it was sent."""

    attempt: int
    arm: ArmName
    agent: str
    model: str
    channel: Channel
    sent: float
    share: float
    """Share of what it marks that rows have in common, 0 to 1."""
    cost: int
    """Picodollars, above zero."""
    usage: Usage


class _Usual(NamedTuple):
    """How the other calls of an agent travel."""

    channel: Channel
    is_marked: bool
    """Whether most of them mark what rows share."""


def counted_pilots(db: sqlite3.Connection) -> Iterator[CountedAs]:
    """Yield what pilots count for whose agents have paid for learning."""
    if db.execute(_ANY).fetchone() is None:
        return
    usual = _usual_channels(db)
    for agent, tries in groupby(select(db, _Try, _TRIES), key=attrgetter("arm", "agent")):
        if agent not in usual:
            continue
        priced = [(attempt, counted) for attempt in tries for counted in [_as_usual(attempt, usual[agent])] if counted]
        if sum(attempt.cost - counted.cost for attempt, counted in priced) > 0:
            yield from (counted for _, counted in priced)


def surpluses(db: sqlite3.Connection) -> Iterator[Surplus]:
    """Yield what pilots have cost more than they count for, as the connection has them."""
    if counts_otherwise(db):
        yield from map(Surplus._make, db.execute(_SURPLUS))


def usual_channels(db: sqlite3.Connection) -> dict[AgentOfArm, Channel]:
    """Return in which channel the other calls of each agent travel; nothing where no run had pilots."""
    if db.execute(_ANY).fetchone() is None:
        return {}
    return {agent: usual.channel for agent, usual in _usual_channels(db).items()}


def _usual_channels(db: sqlite3.Connection) -> dict[AgentOfArm, _Usual]:
    """Return how the other calls of each agent travel."""
    calls: dict[AgentOfArm, Counter[Channel]] = {}
    marked = Counter[tuple[ArmName, str, Channel]]()
    for arm, agent, channel, count, marks in db.execute(_USUAL):
        calls.setdefault((arm, agent), Counter())[channel] += count
        marked[arm, agent, channel] += marks
    usual: dict[AgentOfArm, _Usual] = {}
    for (arm, agent), counts in calls.items():
        channel: Channel = "live" if counts["live"] > counts["batch"] else "batch"
        usual[arm, agent] = _Usual(channel, marked[arm, agent, channel] * 2 > counts[channel])
    return usual


def _as_usual(attempt: _Try, usual: _Usual) -> CountedAs | None:
    """Return what an attempt would have been in the usual channel.

    None where it was sent in it, or where its price is not that of its tokens.
    """
    if attempt.channel == usual.channel:
        return None
    usage, at = attempt.usage, moment(attempt.sent)
    marked = usage.prompt - usage.input
    shared = min(round(attempt.share * marked), marked)
    read = shared if usual.is_marked else 0
    as_usual = usage._replace(input=usage.prompt - read, cache_write_5m=0, cache_write_1h=0, cache_read=read)
    try:
        if cost(usage, attempt.model, at, batch=attempt.channel == "batch") != attempt.cost:
            return None
        price = cost(as_usual, attempt.model, at, batch=usual.channel == "batch")
    except UnknownPriceError:
        return None
    return CountedAs(attempt=attempt.attempt, channel=usual.channel, cost=price, usage=as_usual)
