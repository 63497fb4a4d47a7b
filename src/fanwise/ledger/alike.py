"""Rows that are alike: all that the fan-out asks for one of them serves the other too.

One agent that does the whole row would be asked once for all of them. Where it is asked for a sample of the rows, or
not at all, a row bears of its call as many parts as there are rows like it in the sample, of those in the job.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from typing import NamedTuple

from fanwise.journal.reader import Book

_ANY = "SELECT 1 FROM several LIMIT 1"
_OF_ROW = "SELECT DISTINCT attempt, work FROM served WHERE row=? AND arm='fanout' ORDER BY attempt, work"
_SHARE_ALL = """SELECT s.row FROM json_each(?) j JOIN served s ON s.attempt=json_extract(j.value,'$[0]')
    AND s.work=json_extract(j.value,'$[1]')
  GROUP BY s.row HAVING COUNT(DISTINCT j.key)=?"""
_MAY_SHARE = "SELECT EXISTS(SELECT 1 FROM asks k JOIN attempts a ON a.id=k.attempt WHERE a.arm=? AND k.work<>'')"


class Alike(NamedTuple):
    """How many rows are alike."""

    rows: int = 1
    """Of the job, the row itself among them."""
    drawn: int = 1
    """Of the sample."""


ALONE = Alike()
_Input = tuple[int, str]
"""One that a request has shown: the attempt's number, and what equal tasks have in common; a pack shows several."""


def may_share(db: Book, arm: str) -> bool:
    """Return whether requests of an arm may serve equal tasks."""
    return bool(db.execute(_MAY_SHARE, (arm,)).fetchone()[0])


def alike(db: Book, rows: Iterable[int], drawn: Collection[int]) -> dict[int, Alike]:
    """Return how many rows are alike, by the numbers of those that are not alone.

    Args:
        db: The journal.
        rows: Rows of the sample.
        drawn: All rows of it.
    """
    if db.execute(_ANY).fetchone() is None:
        return {}
    found, known = dict[int, Alike](), dict[tuple[_Input, ...], Alike]()
    for row in rows:
        shown: tuple[_Input, ...] = tuple(db.execute(_OF_ROW, (row,)))
        if shown not in known:
            known[shown] = _counted(db, shown, drawn)
        if known[shown].rows > 1:
            found[row] = known[shown]
    return found


def _counted(db: Book, shown: tuple[_Input, ...], drawn: Collection[int]) -> Alike:
    """Return how many rows all of these inputs serve; one that serves no equal task is its row's alone."""
    if not shown or not all(work for _, work in shown):
        return ALONE
    same = [row for (row,) in db.execute(_SHARE_ALL, (json.dumps(shown), len(shown)))]
    return Alike(len(same), sum(row in drawn for row in same))
