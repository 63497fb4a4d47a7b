"""What a request of a run has in its account, to be passed on to a run that takes its answer.

By the rule of `allotment`: its own price, without what it has written for all rows, and its part of what all rows
share there. So all requests of a run have what its account has, which is the bill where nothing was replaced and no
call went ahead; and a run that takes a few of them has their part of the writes that they have read.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import groupby
from operator import itemgetter

from fanwise.journal.reader import Book
from fanwise.journal.taken import PassedOn
from fanwise.journal.views import counts_otherwise

from .allotment import parts_of, pools_of
from .shared import shared_writes

_ASKS = """SELECT row, arm, agent, prefix, attempt FROM served WHERE NOT taken AND prefix<>''
  ORDER BY row, arm, agent, prefix, attempt, place"""
_BEYOND = "SELECT c.attempt, e.cost-c.cost FROM temp.counted_as c JOIN ends e ON e.attempt=c.attempt"
"""What requests were paid beyond what they count for."""


def passed_on(db: Book) -> Mapping[int, PassedOn] | None:
    """Return by attempt what its account has otherwise than it was billed; None where no account can be made.

    The journal is from somebody else, and may hold what is no number of a request. Requests that were taken by that
    run themselves are not among them: what these have is noted with them.
    """
    try:
        shared, less = Counter(dict(_parts(db))), Counter[int]()
        for write in shared_writes(db):
            if write.row:
                less[write.attempt] += write.extra
        if counts_otherwise(db):
            less.update(dict(db.execute(_BEYOND).fetchall()))
    except (sqlite3.Error, TypeError, ValueError, ArithmeticError):
        return None
    return {attempt: PassedOn(less[attempt], shared[attempt]) for attempt in shared.keys() | less.keys()}


def _parts(db: Book) -> Iterator[tuple[int, int]]:
    """Yield attempts with their part of what rows share, in picodollars: those of a row have its part in equal ones."""
    parts = parts_of(db, pools_of(db))
    sums = Counter[int]()
    for (row, *names), asks in groupby(db.execute(_ASKS) if parts else (), key=itemgetter(0, 1, 2, 3)):
        part = parts.get((names[0], names[1], names[2]))
        if part is None:
            continue
        attempts = [attempt for *_, attempt in asks]
        each, more = divmod(part.next(row).cost, len(attempts))
        for place, attempt in enumerate(attempts):
            sums[attempt] += each + (place < more)
    yield from sums.items()
