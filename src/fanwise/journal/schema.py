"""The tables of a journal in SQLite, and the views by which its account is read.

Tables are in the order in which they grow, so that an insert goes to their last page; only an index is in the
order of keys. A record's field and its column have one name.
"""

from __future__ import annotations

import re

from fanwise.pricing.usage import Usage

from .records import SERVES_NONE

FIRST_VERSION, VERSION = 5, 7
"""The first version whose journals are kept, and that of those that are written."""
APPLICATION = int.from_bytes(b"fanw", "big")
"""What the header of a journal's file says that it is of."""
CHANGES = """CREATE TABLE edits(arm TEXT PRIMARY KEY, session INT) WITHOUT ROWID;
CREATE TABLE reached(key TEXT PRIMARY KEY, row INT, session INT) WITHOUT ROWID;
"""
"""Tables that say what of a run counts now; empty as long as nothing was changed."""
TABLES = f"""
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE sessions(id INTEGER PRIMARY KEY, started REAL, ended REAL, how TEXT, channel TEXT, changed TEXT);
CREATE TABLE rows(number INTEGER PRIMARY KEY, row_id TEXT, locator INT, hash TEXT, session INT,
  since INT DEFAULT 1);
CREATE INDEX rows_id ON rows(row_id);
CREATE TABLE rejects(number INTEGER PRIMARY KEY, reason TEXT, raw TEXT, session INT);
CREATE TABLE texts(sha TEXT PRIMARY KEY, text TEXT);
CREATE TABLE blocks(sha TEXT PRIMARY KEY, name TEXT, text TEXT) WITHOUT ROWID;
CREATE TABLE tasks(
  key TEXT PRIMARY KEY, row INT, arm TEXT, node TEXT, label TEXT, agent TEXT, status TEXT, output TEXT,
  kind TEXT, message TEXT);
CREATE TABLE attempts(
  id INTEGER PRIMARY KEY, arm TEXT, agent TEXT, model TEXT, channel TEXT, why TEXT, request_hash TEXT, reserved INT,
  sent REAL, intent INT, job_share REAL, prefix TEXT, chars INT, repeated INT, blocks TEXT DEFAULT '',
  bound INT);
CREATE TABLE asks(
  attempt INT, place INT, key TEXT, row INT, node TEXT, label TEXT, number INT, sizes TEXT,
  PRIMARY KEY(attempt, place)) WITHOUT ROWID;
CREATE INDEX asks_row ON asks(row);
CREATE TABLE several(attempt INTEGER PRIMARY KEY, asks INT);
CREATE TABLE answers(
  attempt INT, place INT, output TEXT, confidence REAL, PRIMARY KEY(attempt, place)) WITHOUT ROWID;
CREATE TABLE turns(key TEXT, number INT, message TEXT, results TEXT, PRIMARY KEY(key, number)) WITHOUT ROWID;
CREATE TABLE ends(
  attempt INTEGER PRIMARY KEY, at REAL, status TEXT, kind TEXT, message TEXT, request_id TEXT, input INT,
  cache_write_5m INT, cache_write_1h INT, cache_read INT, output INT, thinking INT, web_searches INT, cost INT,
  latency_s REAL);
CREATE TABLE batches(intent INTEGER PRIMARY KEY, size INT, at REAL, batch_id TEXT, state TEXT);
CREATE TABLE results(
  row INT, arm TEXT, status TEXT, output TEXT, reason TEXT, session INT DEFAULT 1, PRIMARY KEY(row, arm)) WITHOUT ROWID;
{CHANGES}"""
"""`several` counts the asks of the attempts that serve more than one task, which are few."""
KEY_INDEX = "CREATE INDEX IF NOT EXISTS asks_key ON asks(key)"
"""Made when a run is resumed, which alone looks for attempts by key: keys are hashes and hit a page each, so that
keeping the index while a run goes on took two thirds of the time of writing an attempt (100,000 rows)."""
MOVES = ("UPDATE asks SET row=?1 WHERE key=?2 AND row<>?1", "UPDATE tasks SET row=?1 WHERE key=?2 AND row<>?1")
"""What makes a task another row's: rows have other numbers when some before them have left their file."""
SEVERAL = "INSERT OR REPLACE INTO several SELECT ?1, COUNT(*) FROM asks WHERE attempt=?1"

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
_SHARES = {name: f"({_share(column)})" for name, column in _WHOLE.items()}


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
_COUNTED = {
    name: f"""CASE WHEN {_ONE_SESSION} OR s.asks IS NULL THEN {column} ELSE (SELECT SUM({_share(column)})
  FROM asks k WHERE k.attempt=a.id AND {_needed("k.row", "a.arm", "k.key")}) END"""
    for name, column in _WHOLE.items()
}
"""Of an attempt that serves several tasks, the shares of those that are needed."""
VIEWS = f"""
CREATE VIEW all_paid AS SELECT a.id AS attempt, {_ATTEMPT}, {_SERVES}, {_END}, {_named(_WHOLE)}, {_sums(_WHOLE)}
  FROM attempts a LEFT JOIN ends e ON e.attempt=a.id;
CREATE VIEW all_task_attempts AS SELECT p.*, COALESCE(k.row,0) AS row, COALESCE(k.node,'') AS node,
  COALESCE(k.label,'keep warm '||SUBSTR(p.prefix,1,12)) AS label, COALESCE(k.number,1) AS number
  FROM all_paid p LEFT JOIN asks k ON k.attempt=p.attempt AND k.place=0;
CREATE VIEW all_served AS SELECT k.attempt, k.place, k.key, k.row, k.node, k.label, k.number, k.sizes, {_ATTEMPT},
  {_END}, COALESCE(s.asks,1) AS asks, {_named(_SHARES)}, {_sums(_SHARES)}
  FROM asks k JOIN attempts a ON a.id=k.attempt LEFT JOIN ends e ON e.attempt=k.attempt
  LEFT JOIN several s ON s.attempt=k.attempt;
CREATE VIEW paid AS SELECT a.id AS attempt, {_ATTEMPT}, {_SERVES}, {_END}, {_named(_COUNTED)}, {_sums(_COUNTED)}
  FROM attempts a LEFT JOIN ends e ON e.attempt=a.id LEFT JOIN several s ON s.attempt=a.id
  WHERE {_ONE_SESSION} OR CASE WHEN serves THEN {_SERVES_NEEDED} ELSE {_KEEPS_NEEDED} END;
CREATE VIEW task_attempts AS SELECT p.*, COALESCE(k.row,0) AS row, COALESCE(k.node,'') AS node,
  COALESCE(k.label,'keep warm '||SUBSTR(p.prefix,1,12)) AS label, COALESCE(k.number,1) AS number
  FROM paid p LEFT JOIN asks k ON k.attempt=p.attempt AND k.place=CASE WHEN {_ONE_SESSION} THEN 0 ELSE (
    SELECT MIN(j.place) FROM asks j WHERE j.attempt=p.attempt AND {_needed("j.row", "p.arm", "j.key")}) END;
CREATE VIEW served AS SELECT v.* FROM all_served v WHERE {_needed("v.row", "v.arm", "v.key")};
CREATE VIEW of_other_rows AS SELECT v.* FROM all_served v WHERE NOT {_ONE_SESSION} AND NOT EXISTS(
  SELECT 1 FROM rows w WHERE w.number=v.row AND (
    w.since<2 OR EXISTS(SELECT 1 FROM reached h WHERE h.key=v.key AND h.session>=w.since)));
CREATE VIEW outcomes AS SELECT t.* FROM tasks t WHERE {_needed("t.row", "t.arm", "t.key")};
CREATE VIEW row_ends AS SELECT r.* FROM results r WHERE {_ONE_SESSION} OR EXISTS(
  SELECT 1 FROM rows w WHERE w.number=r.row AND ({_since("r.arm")}<2 OR r.session>={_since("r.arm")}));
"""
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

A query that joins `served` from the left makes the whole of it first: it comes first, or is asked for one row."""
