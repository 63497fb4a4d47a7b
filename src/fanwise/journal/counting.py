"""Lets a connection show requests as they count in the account, where that is not what they were."""

from __future__ import annotations

import sqlite3

from .inherited import Inheritance
from .pilots import counted_pilots, usual_channels
from .views import AS_COUNTED, COUNTED_AS, SHARES, VIEW_NAMES, counts_otherwise


def show_as_counted(db: sqlite3.Connection) -> None:
    """Let the views of what counts show requests as they count, to this connection; the journal is not changed.

    Pilots count as calls in their agent's usual channel; what has taken over another's write counts as if it had
    written it itself. Tasks that one request serves share it, as far as they are needed.
    """
    if counts_otherwise(db):
        for view in VIEW_NAMES:
            db.execute(f"DROP VIEW IF EXISTS temp.{view}")
        db.execute("DROP TABLE temp.counted_as")
        db.execute("DROP TABLE temp.taken_over")
        db.execute("DROP TABLE temp.shares")
    pilots = list(counted_pilots(db))
    inheritance = Inheritance(db, {pilot.attempt for pilot in pilots}, usual_channels(db))
    counted = [(True, request) for request in pilots] + [(False, request) for request in inheritance.heirs]
    if not counted and db.execute("SELECT 1 FROM several LIMIT 1").fetchone() is None:
        return
    for statement in COUNTED_AS.split(";")[:-1]:
        db.execute(statement)
    rows = ((attempt, is_pilot, channel, cost, *usage[:4]) for is_pilot, (attempt, channel, cost, usage) in counted)
    db.executemany("INSERT INTO temp.counted_as VALUES(?,?,?,?,?,?,?,?)", rows)
    db.executemany("INSERT INTO temp.taken_over VALUES(?,?)", inheritance.taken_over)
    db.execute(SHARES)
    if db.in_transaction:
        db.commit()
    for statement in AS_COUNTED.split(";")[:-1]:
        db.execute(statement)
