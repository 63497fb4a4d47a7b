"""What the tasks of a run took, and the requests that were sent for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from fanwise.journal.reader import Book
from fanwise.journal.records import ArmName, Channel, Why
from fanwise.journal.tables import select
from fanwise.journal.views import counts_otherwise
from fanwise.pricing.usage import Usage

_TIMES = """SELECT row, node, SUM(latency_s) AS seconds, SUM(tokens) AS tokens
  FROM served WHERE arm=? AND at IS NOT NULL GROUP BY row, node, key ORDER BY row"""
_NODES = """SELECT node, COUNT(*) AS calls, COALESCE(SUM(tokens),0) AS tokens, COALESCE(SUM(cost),0) AS cost,
  SUM(cost IS NULL) AS unknown FROM served WHERE arm=? GROUP BY node"""
_AGENTS = """SELECT row, arm, agent, model, channel, MAX(sent) AS sent, SUM(1.0/asks) AS calls,
  COUNT(*) AS asks, SUM(input) AS input, SUM(cache_write_5m) AS cache_write_5m, SUM(cache_write_1h) AS cache_write_1h,
  SUM(cache_read) AS cache_read, SUM(output) AS output, COALESCE(SUM(cost),0) AS cost,
  COALESCE(SUM(reserved),0) AS bound
  FROM served WHERE at IS NOT NULL GROUP BY row, arm, agent, model, channel"""
_ANSWERED = """SELECT s.request_hash, t.arm, t.node, x.text AS output, y.text AS said
  FROM served s JOIN outcomes t ON t.key=s.key JOIN texts x ON x.sha=t.output
  LEFT JOIN answers n ON n.attempt=s.attempt AND n.place=s.place LEFT JOIN texts y ON y.sha=n.output
  WHERE t.status='done' AND s.kind IS NOT 'tool_use'"""
_TOOLS = """WITH rounds AS (
    SELECT key, request_hash, ROW_NUMBER() OVER (PARTITION BY key ORDER BY number) AS round
    FROM served WHERE kind='tool_use')
  SELECT r.request_hash, x.text AS message FROM rounds r JOIN turns t ON t.key=r.key AND t.number=r.round
  JOIN texts x ON x.sha=t.message ORDER BY r.key, r.round"""
_SAMPLE = """SELECT p.row, p.prompt, p.output, LENGTH(t.text) AS result_chars FROM task_attempts p
  JOIN row_ends r ON r.row=p.row AND r.arm='baseline' JOIN texts t ON t.sha=r.output
  WHERE p.arm='baseline' AND p.agent='baseline' AND p.number=1 AND p.kind='end_turn'"""


_FIRST = """COALESCE(
  (SELECT MIN(o.place) FROM asks o WHERE o.attempt={0}.attempt AND o.work={0}.work AND o.work<>''), {0}.place)"""
"""The place of the first of equal tasks in their attempt: the one whose values the request shows."""
_REQUESTS = f"""SELECT s.number, a.why, a.request_hash, f.node, s.attempt, a.taken,
  CASE WHEN s.place=f.place THEN '' ELSE f.label||' of row '||f.row_id END AS served
  FROM asks s JOIN attempts a ON a.id=s.attempt JOIN asks f ON f.attempt=s.attempt AND f.place={_FIRST.format("s")}
  WHERE s.key=? ORDER BY s.number"""
_INPUTS = f"SELECT k.row_id, k.label FROM asks k WHERE k.attempt=? AND k.place={_FIRST.format('k')} ORDER BY k.place"


class TaskTime(NamedTuple):
    """What one task took, over all its attempts that have ended."""

    row: int
    node: str
    seconds: float
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeAccount:
    """What one node of a graph took, over all rows."""

    node: str
    calls: int
    tokens: int
    cost: int
    """Picodollars as far as they are known."""
    unknown: int
    """Attempts whose cost is not known: lost, open, or of a model without a price."""


@dataclass(slots=True, kw_only=True)
class RowAgent:
    """What one agent took for one row in one channel, over all its attempts that have ended."""

    row: int
    arm: ArmName
    agent: str
    model: str
    channel: Channel
    sent: float
    """When the last of them was sent, in seconds since 1970."""
    calls: float
    """Requests; of one that serves several tasks its part."""
    asks: int
    """Tasks that were asked in them."""
    usage: Usage
    cost: int
    """Picodollars as far as they are known."""
    bound: int
    """Picodollars that it might have cost at most."""


class SentRequest(NamedTuple):
    """A request that was sent for a task."""

    number: int
    """Which of its task, from 1."""
    why: Why
    request_hash: str
    served: str
    """The equal task of another row, item or node for which it was sent, in words; empty where it was this one."""
    node: str
    """Path of the node for which it was sent."""
    attempt: int
    """Its number among those of the run."""
    taken: int
    """Which of the runs in `journal.meta.TAKEN_FROM` has sent it, from 1; 0: this one."""


class ShownInput(NamedTuple):
    """A task whose values a request shows."""

    row_id: str
    label: str


class AnsweredRequest(NamedTuple):
    """A request, and what its task has come to."""

    request_hash: str
    arm: ArmName
    node: str
    output: str
    """The task's, as canonical JSON."""
    said: str | None
    """What the model said, likewise: before validators made an output of it."""


class ToolRequest(NamedTuple):
    """A request that was answered by asking for tools."""

    request_hash: str
    message: str
    """The model's, as JSON."""


class SampledAnswer(NamedTuple):
    """How long an answer of a measured single agent was."""

    row: int
    prompt: int
    """Input tokens, cached or not."""
    output: int
    """Tokens."""
    result_chars: int
    """Characters of the row's result."""


def task_times(db: Book, arm: ArmName) -> Iterator[TaskTime]:
    """Yield what each task of an arm took, by row."""
    return select(db, TaskTime, _TIMES, (arm,))


def node_accounts(db: Book, arm: ArmName) -> dict[str, NodeAccount]:
    """Return what each node of an arm took, by its path."""
    return {account.node: account for account in select(db, NodeAccount, _NODES, (arm,))}


def rows_served(db: Book, arm: ArmName) -> int:
    """Return for how many rows anything was sent on one arm."""
    return db.execute("SELECT COUNT(DISTINCT row) FROM served WHERE arm=?", (arm,)).fetchone()[0]


def row_agents(db: Book) -> Iterator[RowAgent]:
    """Yield what each agent took for each row, by channel; pilots as they count."""
    return select(db, RowAgent, _AGENTS)


def requests_of(db: Book, key: str) -> list[SentRequest]:
    """Return the requests that were sent for a task, in order."""
    return list(select(db, SentRequest, _REQUESTS, (key,)))


def inputs_of(db: Book, attempt: int) -> list[ShownInput]:
    """Return the tasks whose values an attempt's request shows, in their order: more than one where it is a pack."""
    return list(select(db, ShownInput, _INPUTS, (attempt,)))


def answered_requests(db: Book) -> Iterator[AnsweredRequest]:
    """Yield the requests of all tasks that are done."""
    return select(db, AnsweredRequest, _ANSWERED)


def tool_requests(db: Book) -> Iterator[ToolRequest]:
    """Yield the requests that were answered by asking for tools, as far as what was said was not purged."""
    return select(db, ToolRequest, _TOOLS)


def task_output(db: Book, key: str) -> str | None:
    """Return what a task has come to, as canonical JSON; None where it has failed, or it was purged."""
    query = "SELECT x.text FROM tasks t JOIN texts x ON x.sha=t.output WHERE t.key=? AND t.status='done'"
    row = db.execute(query, (key,)).fetchone()
    return None if row is None else row[0]


def sampled_answers(db: Book) -> Iterator[SampledAnswer]:
    """Yield the answers of a measured single agent that it gave at once."""
    return select(db, SampledAnswer, _SAMPLE)


_BATCH_READS = """SELECT COALESCE(SUM({read}>0),0), COUNT(*) FROM main.paid p {joined}
  WHERE p.channel='batch' AND ({read}>0 OR {write}>0)"""
_AS_SENT = _BATCH_READS.format(read="p.cache_read", write="p.cache_write_5m", joined="")
_AS_COUNTED = _BATCH_READS.format(
    read="COALESCE(c.cache_read,p.cache_read)",
    write="COALESCE(c.cache_write_5m,p.cache_write_5m)",
    joined="LEFT JOIN temp.counted_as c ON c.attempt=p.attempt AND NOT c.is_pilot",
)


def batch_reads(db: Book) -> tuple[int, int]:
    """Return how many requests in batches have read a prefix, and how many would have if all of them had.

    What went ahead is in both as it was, since it shows how batches read.
    """
    return db.execute(_AS_COUNTED if counts_otherwise(db) else _AS_SENT).fetchone()


def first_channel(db: Book) -> Channel | None:
    """Return the channel of the first attempt; None where none was made."""
    row = db.execute("SELECT channel FROM attempts WHERE NOT taken ORDER BY id LIMIT 1").fetchone()
    return None if row is None else row[0]


def chosen_channel(db: Book) -> str | None:
    """Return what the last session was told to use: live, batch or auto; None where there was no session."""
    row = db.execute("SELECT channel FROM sessions ORDER BY id DESC LIMIT 1").fetchone()
    return None if row is None else row[0]
