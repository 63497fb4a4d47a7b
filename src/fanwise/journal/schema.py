"""The tables of a journal in SQLite.

Tables are in the order in which they grow, so that an insert goes to their last page; only an index is in the
order of keys. A record's field and its column have one name.
"""

from __future__ import annotations

FIRST_VERSION, VERSION = 5, 12
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
CREATE TABLE rejects(number INTEGER PRIMARY KEY, reason TEXT, raw TEXT, session INT, line INT);
CREATE TABLE texts(sha TEXT PRIMARY KEY, text TEXT);
CREATE TABLE blocks(sha TEXT PRIMARY KEY, name TEXT, text TEXT) WITHOUT ROWID;
CREATE TABLE tasks(
  key TEXT PRIMARY KEY, row INT, arm TEXT, node TEXT, label TEXT, agent TEXT, status TEXT, output TEXT,
  kind TEXT, message TEXT);
CREATE TABLE attempts(
  id INTEGER PRIMARY KEY, arm TEXT, agent TEXT, model TEXT, channel TEXT, why TEXT, request_hash TEXT, reserved INT,
  sent REAL, intent INT, job_share REAL, prefix TEXT, chars INT, repeated INT, blocks TEXT DEFAULT '',
  bound INT, taken INT DEFAULT 0, shared INT DEFAULT 0);
CREATE TABLE asks(
  attempt INT, place INT, key TEXT, row INT, node TEXT, label TEXT, number INT, sizes TEXT,
  row_id TEXT DEFAULT '', work TEXT DEFAULT '',
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
INDEXES = (
    "CREATE INDEX IF NOT EXISTS asks_key ON asks(key)",
    "CREATE INDEX IF NOT EXISTS asks_row_id ON asks(row_id)",
)
"""Made when a run is resumed, which alone looks for attempts by key and by the row's id: keys are hashes and hit a page
each, so that keeping their index while a run goes on took two thirds of the time of writing an attempt (100,000
rows)."""
MOVES = ("UPDATE asks SET row=?1 WHERE key=?2 AND row<>?1", "UPDATE tasks SET row=?1 WHERE key=?2 AND row<>?1")
"""What makes a task another row's: rows have other numbers when some before them have left their file."""
ROW_BEFORE = "DELETE FROM rows WHERE row_id=? AND number<>? AND session<?"
"""What drops a row where it stood in earlier sessions."""
RECOUNT = "UPDATE attempts SET repeated=?2 WHERE id=?1"
"""What corrects how much of a request its row had sent before."""
SEVERAL = "INSERT OR REPLACE INTO several SELECT ?1, COUNT(*) FROM asks WHERE attempt=?1"
