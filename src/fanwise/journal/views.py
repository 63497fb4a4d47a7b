"""The views of a journal in SQLite by which its account is read."""

from __future__ import annotations

import re
import sqlite3
from typing import NamedTuple

from fanwise.pricing.usage import Usage

from .records import SERVES_NONE, Channel

_ATTEMPT = ", ".join(
    f"a.{name}"
    for name in (
        "arm", "agent", "model", "channel", "why", "request_hash", "sent", "intent", "job_share", "prefix", "chars",
        "repeated", "blocks",
    )
)  # fmt: skip
_END = "COALESCE(e.status,'open') AS status, e.kind, e.message, e.at, e.request_id, e.latency_s"
_SERVES = f"a.why NOT IN ({', '.join(repr(why) for why in sorted(SERVES_NONE))}) AS serves"
_COUNTS = ("e.cost", "a.reserved", "a.bound", *(f"e.{name}" for name in Usage._fields))
_INPUT = Usage._fields[:4]
"""The kinds of input tokens, which do not overlap."""


def _sums(columns: dict[str, str]) -> str:
    prompt = "+".join(columns[name] for name in _INPUT)
    return f"{prompt} AS prompt, {prompt}+{columns['output']} AS tokens"


def _share(column: str) -> str:
    """Return an ask's share of a count: equal parts, what cannot be divided one by one to the first asks."""
    return f"CASE WHEN s.asks IS NULL THEN {column} ELSE {column}/s.asks+COALESCE(k.place<{column}%s.asks,0) END"


_WHOLE = {column.partition(".")[2]: column for column in _COUNTS}
PRICED = ("channel", "cost", *_INPUT)
"""What a request counts for, where that is not what it was: its channel, picodollars, and input tokens by kind."""
_PRICED = {name: f"COALESCE(c.{name},{column})" if name in PRICED else column for name, column in _WHOLE.items()}
_PRICED_ATTEMPT = _ATTEMPT.replace("a.channel", "COALESCE(c.channel,a.channel) AS channel")


def _shares(columns: dict[str, str]) -> dict[str, str]:
    return {name: f"({_share(column)})" for name, column in columns.items()}


def _named(columns: dict[str, str]) -> str:
    return ", ".join(f"{column} AS {name}" for name, column in columns.items())


_ONE_SESSION = "(SELECT COUNT(*) FROM sessions)<2"
"""Nothing can have been changed: asked once for each query, so that such a run is read as fast as without it."""


def _since(arm: str) -> str:
    """Return the session since which a row `w` and its graph are as they are."""
    return f"MAX(w.since,COALESCE((SELECT d.session FROM edits d WHERE d.arm={arm}),1))"


def _needed(row: str, arm: str, key: str) -> str:
    """Return whether a row of the file as it is needs a task in the graph as it is."""
    reached = f"SELECT 1 FROM reached h WHERE h.key={key} AND h.session>={_since(arm)}"
    of_row = f"SELECT 1 FROM rows w WHERE w.number={row} AND ({_since(arm)}<2 OR EXISTS({reached}))"
    return f"({_ONE_SESSION} OR EXISTS({of_row}))"


_SERVES_NEEDED = f"""EXISTS(SELECT 1 FROM asks j WHERE j.attempt=a.id AND {_needed("j.row", "a.arm", "j.key")})"""
_KEEPS_NEEDED = f"""EXISTS(SELECT 1 FROM attempts b JOIN asks j ON j.attempt=b.id
  WHERE b.prefix=a.prefix AND b.model=a.model AND b.arm=a.arm AND {_needed("j.row", "b.arm", "j.key")})"""


def _counted(columns: dict[str, str]) -> dict[str, str]:
    """Return columns of an attempt; of one that serves several tasks, the shares of those that are needed."""
    return {
        name: f"""CASE WHEN {_ONE_SESSION} OR s.asks IS NULL THEN {column} ELSE (SELECT SUM({_share(column)})
  FROM asks k WHERE k.attempt=a.id AND {_needed("k.row", "a.arm", "k.key")}) END"""
        for name, column in columns.items()
    }


def _counting(attempt: str, columns: dict[str, str], joined: str = "") -> str:
    """Return the views of the attempts and asks that count."""
    shares, counted = _shares(columns), _counted(columns)
    return f"""
CREATE VIEW paid AS SELECT a.id AS attempt, {attempt}, {_SERVES}, {_END}, {_named(counted)}, {_sums(counted)}
  FROM attempts a LEFT JOIN ends e ON e.attempt=a.id LEFT JOIN several s ON s.attempt=a.id {joined}
  WHERE {_ONE_SESSION} OR CASE WHEN serves THEN {_SERVES_NEEDED} ELSE {_KEEPS_NEEDED} END;
CREATE VIEW task_attempts AS SELECT p.*, COALESCE(k.row,0) AS row, COALESCE(k.node,'') AS node,
  COALESCE(k.label,'keep warm '||SUBSTR(p.prefix,1,12)) AS label, COALESCE(k.number,1) AS number
  FROM paid p LEFT JOIN asks k ON k.attempt=p.attempt AND k.place=CASE WHEN {_ONE_SESSION} THEN 0 ELSE (
    SELECT MIN(j.place) FROM asks j WHERE j.attempt=p.attempt AND {_needed("j.row", "p.arm", "j.key")}) END;
CREATE VIEW served AS SELECT k.attempt, k.place, k.key, k.row, k.node, k.label, k.number, k.sizes, {attempt},
  {_END}, COALESCE(s.asks,1) AS asks, {_named(shares)}, {_sums(shares)}
  FROM asks k JOIN attempts a ON a.id=k.attempt LEFT JOIN ends e ON e.attempt=k.attempt
  LEFT JOIN several s ON s.attempt=k.attempt {joined} WHERE {_needed("k.row", "a.arm", "k.key")};
"""


VIEWS = f"""
CREATE VIEW all_paid AS SELECT a.id AS attempt, {_ATTEMPT}, {_SERVES}, {_END}, {_named(_WHOLE)}, {_sums(_WHOLE)}
  FROM attempts a LEFT JOIN ends e ON e.attempt=a.id;
CREATE VIEW all_task_attempts AS SELECT p.*, COALESCE(k.row,0) AS row, COALESCE(k.node,'') AS node,
  COALESCE(k.label,'keep warm '||SUBSTR(p.prefix,1,12)) AS label, COALESCE(k.number,1) AS number
  FROM all_paid p LEFT JOIN asks k ON k.attempt=p.attempt AND k.place=0;
CREATE VIEW all_served AS SELECT k.attempt, k.place, k.key, k.row, k.node, k.label, k.number, k.sizes, {_ATTEMPT},
  {_END}, COALESCE(s.asks,1) AS asks, {_named(_shares(_WHOLE))}, {_sums(_shares(_WHOLE))}
  FROM asks k JOIN attempts a ON a.id=k.attempt LEFT JOIN ends e ON e.attempt=k.attempt
  LEFT JOIN several s ON s.attempt=k.attempt;
{_counting(_ATTEMPT, _WHOLE)}
CREATE VIEW of_other_rows AS SELECT v.* FROM all_served v WHERE NOT {_ONE_SESSION} AND NOT EXISTS(
  SELECT 1 FROM rows w WHERE w.number=v.row AND (
    w.since<2 OR EXISTS(SELECT 1 FROM reached h WHERE h.key=v.key AND h.session>=w.since)));
CREATE VIEW outcomes AS SELECT t.* FROM tasks t WHERE {_needed("t.row", "t.arm", "t.key")};
CREATE VIEW row_ends AS SELECT r.* FROM results r WHERE {_ONE_SESSION} OR EXISTS(
  SELECT 1 FROM rows w WHERE w.number=r.row AND ({_since("r.arm")}<2 OR r.session>={_since("r.arm")}));
"""


class CountedAs(NamedTuple):
    """What a request counts for, where that is not what it was."""

    attempt: int
    channel: Channel
    cost: int
    """Picodollars."""
    usage: Usage
    """Of which the input counts by its kinds; all else is as it was."""


COUNTED_AS = """CREATE TEMP TABLE counted_as(attempt INTEGER PRIMARY KEY, is_pilot INT, channel TEXT, cost INT,
  input INT, cache_write_5m INT, cache_write_1h INT, cache_read INT);
CREATE TEMP TABLE taken_over(writer INT, cost INT);"""
"""Requests as they count, and the writes that some of them have taken over, each with what that costs."""
AS_COUNTED = _counting(_PRICED_ATTEMPT, _PRICED, "LEFT JOIN temp.counted_as c ON c.attempt=a.id").replace(
    "CREATE VIEW", "CREATE TEMP VIEW"
)
"""The views of what counts, for a connection on which `temp.counted_as` has the requests that count as others."""
VIEW_NAMES = tuple(re.findall(r"CREATE VIEW (\w+)", VIEWS))
"""`all_paid` has the attempts, each with its end and whether it `serves` tasks: its sums are the bill, and what a
budget is held against. `all_task_attempts` has the first of these tasks beside it; row 0 is no row's. `all_served` has
the asks, each with its share of what its attempt has taken: shares are whole numbers and sum to it, whoever is served
later. An attempt without an end is `open`; what is not known of it is NULL.

The account is made of what counts now: of what the rows of the file, as they are, need in the graphs as they are.
`paid`, `task_attempts` and `served` are these attempts and asks; `outcomes` are the outcomes of such tasks, `row_ends`
the ends of such rows; `of_other_rows` has the asks of rows that left the file or were changed. What an attempt shares
with a task that does not count is not in them. A request that keeps a prefix warm counts where one that counts has this
prefix.

What a request counts for that counts as another than it was is no part of the journal: `counting.show_as_counted` puts
views of the same names in front of these.

A query that joins `served` from the left makes the whole of it first: it comes first, or is asked for one row."""


def counts_otherwise(db: sqlite3.Connection) -> bool:
    """Return whether some requests count as others than they were, to this connection."""
    return db.execute("SELECT 1 FROM sqlite_temp_master WHERE name='counted_as'").fetchone() is not None
