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
        "repeated", "blocks", "taken",
    )
)  # fmt: skip
_END = "COALESCE(e.status,'open') AS status, e.kind, e.message, e.at, e.request_id, e.latency_s"
_SERVES = f"a.why NOT IN ({', '.join(repr(why) for why in sorted(SERVES_NONE))}) AS serves"
_COUNTS = ("a.reserved", "a.bound", *(f"e.{name}" for name in Usage._fields))
_COST = {"cost": "(e.cost+a.shared)", "shared": "(CASE WHEN e.cost IS NULL THEN 0 ELSE a.shared END)"}
"""What an attempt costs, and what of it is its part of what another run shared; of one that was sent here that is 0."""
_INPUT = Usage._fields[:4]
"""The kinds of input tokens, which do not overlap."""


def _sums(columns: dict[str, str]) -> str:
    prompt = "+".join(columns[name] for name in _INPUT)
    return f"{prompt} AS prompt, {prompt}+{columns['output']} AS tokens"


def _share(column: str, asks: str = "s.asks", part: str = "k.place") -> str:
    """Return an ask's share of a count: equal parts, what cannot be divided one by one to the first asks.

    Args:
        column: The count.
        asks: How many share it; NULL: only this one.
        part: Which of them it is, from 0.
    """
    return f"CASE WHEN {asks} IS NULL THEN {column} ELSE {column}/{asks}+COALESCE({part}<{column}%{asks},0) END"


_WHOLE = _COST | {column.partition(".")[2]: column for column in _COUNTS}
PRICED = ("channel", "cost", *_INPUT)
"""What a request counts for, where that is not what it was: its channel, picodollars, and input tokens by kind."""
_PRICED = {name: f"COALESCE(c.{name},{column})" if name in PRICED else column for name, column in _WHOLE.items()}
_PRICED_ATTEMPT = _ATTEMPT.replace("a.channel", "COALESCE(c.channel,a.channel) AS channel")


def _shares(columns: dict[str, str], *who: str) -> dict[str, str]:
    return {name: f"({_share(column, *who)})" for name, column in columns.items()}


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


class _Shared(NamedTuple):
    """Who shares what an attempt has taken."""

    asks: str
    """How many tasks an attempt `a` is shared by; NULL: by one."""
    joined: str
    """What is joined to an ask `k` to know its part."""
    of_ask: str
    """How many share with it; NULL: none."""
    part: str
    """Which of them it is, from 0."""
    inputs: str
    """How many inputs the request of an attempt `a` shows for them; NULL: one."""
    follows: str
    """Whether the values of an ask are shown for an equal one; NULL: they are its own."""
    first: str
    """Place of the first of them in an attempt `p`."""


def _counting(attempt: str, columns: dict[str, str], shared: _Shared, joined: str = "") -> str:
    """Return the views of the attempts and asks that count."""
    shares = _shares(columns, shared.of_ask, shared.part)
    return f"""
CREATE VIEW paid AS SELECT a.id AS attempt, {attempt}, {_SERVES}, {_END}, COALESCE({shared.asks},1) AS asks,
  COALESCE({shared.inputs},1) AS inputs, {_named(columns)}, {_sums(columns)}
  FROM attempts a LEFT JOIN ends e ON e.attempt=a.id {joined}
  WHERE {_ONE_SESSION} OR CASE WHEN serves THEN {_SERVES_NEEDED} ELSE {_KEEPS_NEEDED} END;
CREATE VIEW task_attempts AS SELECT p.*, COALESCE(k.row,0) AS row, COALESCE(k.node,'') AS node,
  COALESCE(k.label,'keep warm '||SUBSTR(p.prefix,1,12)) AS label, COALESCE(k.number,1) AS number
  FROM paid p LEFT JOIN asks k ON k.attempt=p.attempt AND k.place={shared.first};
CREATE VIEW served AS SELECT k.attempt, k.place, k.key, k.row, k.node, k.label, k.number, k.sizes, k.work, {attempt},
  {_END}, COALESCE({shared.of_ask},1) AS asks, COALESCE({shared.part},0) AS part,
  COALESCE({shared.follows},0) AS follows, {_named(shares)}, {_sums(shares)}
  FROM asks k JOIN attempts a ON a.id=k.attempt LEFT JOIN ends e ON e.attempt=k.attempt
  {shared.joined} {joined} WHERE {_needed("k.row", "a.arm", "k.key")};
"""


_FIRST_NEEDED = f"""CASE WHEN {_ONE_SESSION} THEN 0 ELSE (
    SELECT MIN(j.place) FROM asks j WHERE j.attempt=p.attempt AND {_needed("j.row", "p.arm", "j.key")}) END"""
INPUT_OF = "CASE WHEN {0}.work='' THEN {0}.place ELSE {0}.work END"
"""Which input of its request an ask is shown by: equal tasks by one."""
_BY_ALL = _Shared(
    asks="(SELECT s.asks FROM several s WHERE s.attempt=a.id)",
    joined="LEFT JOIN several s ON s.attempt=k.attempt",
    of_ask="s.asks",
    part="k.place",
    inputs=f"""(SELECT (SELECT COUNT(DISTINCT {INPUT_OF.format("i")}) FROM asks i WHERE i.attempt=s.attempt)
      FROM several s WHERE s.attempt=a.id)""",
    follows="""s.asks>0 AND k.work<>'' AND EXISTS(
      SELECT 1 FROM asks i WHERE i.attempt=k.attempt AND i.work=k.work AND i.place<k.place)""",
    first=_FIRST_NEEDED,
)
"""As the journal has it: by all tasks that it ever served."""
_BY_NEEDED = _Shared(
    asks="(SELECT h.asks FROM temp.shares h WHERE h.attempt=a.id LIMIT 1)",
    joined="LEFT JOIN temp.shares h ON h.attempt=k.attempt AND h.place=k.place",
    of_ask="h.asks",
    part="h.part",
    inputs="(SELECT h.inputs FROM temp.shares h WHERE h.attempt=a.id LIMIT 1)",
    follows="h.follows",
    first=f"COALESCE((SELECT h.place FROM temp.shares h WHERE h.attempt=p.attempt AND h.part=0),{_FIRST_NEEDED})",
)
"""As it counts: by those that are needed now."""


VIEWS = f"""
CREATE VIEW all_attempts AS SELECT a.id AS attempt, {_ATTEMPT}, {_SERVES}, {_END}, {_named(_WHOLE)}, {_sums(_WHOLE)}
  FROM attempts a LEFT JOIN ends e ON e.attempt=a.id;
CREATE VIEW all_paid AS SELECT p.* FROM all_attempts p WHERE NOT p.taken;
CREATE VIEW all_task_attempts AS SELECT p.*, COALESCE(k.row,0) AS row, COALESCE(k.node,'') AS node,
  COALESCE(k.label,'keep warm '||SUBSTR(p.prefix,1,12)) AS label, COALESCE(k.number,1) AS number
  FROM all_attempts p LEFT JOIN asks k ON k.attempt=p.attempt AND k.place=0;
CREATE VIEW all_served AS SELECT k.attempt, k.place, k.key, k.row, k.node, k.label, k.number, k.sizes, k.work,
  {_ATTEMPT}, {_END}, COALESCE(s.asks,1) AS asks, {_named(_shares(_WHOLE))}, {_sums(_shares(_WHOLE))}
  FROM asks k JOIN attempts a ON a.id=k.attempt LEFT JOIN ends e ON e.attempt=k.attempt
  LEFT JOIN several s ON s.attempt=k.attempt WHERE NOT a.taken;
{_counting(_ATTEMPT, _WHOLE, _BY_ALL)}
CREATE VIEW of_other_rows AS SELECT v.* FROM all_served v WHERE NOT {_ONE_SESSION} AND NOT EXISTS(
  SELECT 1 FROM rows w WHERE w.number=v.row AND (
    w.since<2 OR EXISTS(SELECT 1 FROM reached h WHERE h.key=v.key AND h.session>=w.since)))
  AND (v.asks<2 OR NOT EXISTS(SELECT 1 FROM asks j WHERE j.attempt=v.attempt AND {_needed("j.row", "v.arm", "j.key")}));
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
CREATE TEMP TABLE taken_over(writer INT, cost INT);
CREATE TEMP TABLE shares(attempt INT, place INT, asks INT, part INT, inputs INT, follows INT,
  PRIMARY KEY(attempt, place)) WITHOUT ROWID;"""
"""Requests as they count, and the writes that some of them have taken over, each with what that costs; and who shares
requests that serve several tasks."""
SHARES = f"""INSERT INTO temp.shares SELECT attempt, place, COUNT(*) OVER (PARTITION BY attempt),
  ROW_NUMBER() OVER (PARTITION BY attempt ORDER BY row, key, place)-1,
  SUM(NOT follows) OVER (PARTITION BY attempt), follows FROM (
    SELECT k.attempt, k.place, k.row, k.key, ROW_NUMBER() OVER (
      PARTITION BY k.attempt, {INPUT_OF.format("k")} ORDER BY k.row, k.key, k.place)>1 AS follows
    FROM several s JOIN asks k ON k.attempt=s.attempt
    JOIN attempts a ON a.id=k.attempt WHERE {_needed("k.row", "a.arm", "k.key")})"""
"""Lets the tasks that are needed share a request in the order of their rows, whoever was sent first."""
AS_COUNTED = _counting(_PRICED_ATTEMPT, _PRICED, _BY_NEEDED, "LEFT JOIN temp.counted_as c ON c.attempt=a.id").replace(
    "CREATE VIEW", "CREATE TEMP VIEW"
)
"""The views of what counts, for a connection on which `temp.counted_as` has the requests that count as others."""
VIEW_NAMES = tuple(re.findall(r"CREATE VIEW (\w+)", VIEWS))
"""`all_paid` has the attempts that this run has sent, each with its end and whether it `serves` tasks: its sums are the
bill, and what a budget is held against. `all_served` has their asks, each with its share of what its attempt has taken:
shares are whole numbers and sum to it, whoever is served later. `all_attempts` has those too that were `taken` from
other runs, where they were paid; `all_task_attempts` has the first of their tasks beside each; row 0 is no row's. An
attempt without an end is `open`; what is not known of it is NULL.

The account is made of what counts now: of what the rows of the file, as they are, need in the graphs as they are.
`paid`, `task_attempts` and `served` are these attempts and asks, those among them that were `taken` from other runs at
the price that was paid there; `outcomes` are the outcomes of such tasks, `row_ends`
the ends of such rows; `of_other_rows` has the asks of rows that left the file or were changed. An attempt counts whole
as long as one of its tasks is needed. A request that keeps a prefix warm counts where one that counts has this prefix.

By whom an attempt is shared that serves several tasks, and what one counts for that counts as another than it was, is
no part of the journal: `counting.show_as_counted` puts views of the same names in front of these. There the tasks that
are needed share it, so that `served` sums to `paid`; `asks` are they, and `part` is which of them one is. Its request
shows `inputs`, more than one where it is a pack: the first of the tasks that are equal was asked, the others `follows`
marks: they were served by what was shown for it.

A query that joins `served` from the left makes the whole of it first: it comes first, or is asked for one row."""


def counts_otherwise(db: sqlite3.Connection) -> bool:
    """Return whether some requests count as others than they were, to this connection."""
    return db.execute("SELECT 1 FROM sqlite_temp_master WHERE name='counted_as'").fetchone() is not None
