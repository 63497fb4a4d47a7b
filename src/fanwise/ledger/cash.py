"""What was paid in all, and how much of it is in no figure of the account, since what it paid for counts no more.

The account is of the rows as they are in their file, in the graphs as they are. What an edit has replaced, and what
rows have cost that left their file or were changed, is cash all the same: the bill has it. So is what calls have cost
that went ahead in another channel than the others, as far as that was more than the others cost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from fanwise.journal.meta import DRAWN, TAKEN_FROM, place_in_draw
from fanwise.journal.pilots import surpluses
from fanwise.journal.reader import Book
from fanwise.journal.records import ArmName
from fanwise.journal.views import counts_otherwise
from fanwise.units import usd_text

from .account import Totals, cash_totals
from .unpriced import usd_if_known

_IS_GONE = """NOT EXISTS(SELECT 1 FROM asks k JOIN rows w ON w.row_id=k.row_id
  WHERE k.attempt={of}.attempt AND k.place={of}.place)"""
"""Whether no row of the file has the id of the row that a task was asked for."""
_OF_OTHER_ROWS = f"""SELECT is_gone, COUNT(*), COALESCE(SUM(cost),0), COALESCE(SUM(unknown),0) FROM (
    SELECT MIN({_IS_GONE.format(of="o")}) AS is_gone, SUM(cost) AS cost, MAX(at IS NOT NULL AND cost IS NULL) AS unknown
    FROM of_other_rows o GROUP BY attempt) GROUP BY is_gone"""
_OF_ROWS_NOT_DRAWN = """SELECT w.row_id, v.attempt, v.cost, v.at IS NOT NULL AND v.cost IS NULL AS unknown
  FROM all_served v JOIN rows w ON w.number=v.row
  WHERE v.arm='baseline' AND NOT EXISTS(SELECT 1 FROM paid n WHERE n.attempt=v.attempt)
  AND NOT EXISTS(SELECT 1 FROM of_other_rows o WHERE o.attempt=v.attempt AND o.place=v.place)"""
"""What the single agent was asked for rows that are in the file as they were, and that does not count; by row."""
_TAKEN_OVER = "SELECT writer, SUM(cost) FROM temp.taken_over GROUP BY writer"
_WRITERS_OF_OTHER_ROWS = f"""SELECT attempt, MIN({_IS_GONE.format(of="o")}) FROM of_other_rows o
  WHERE attempt IN (SELECT writer FROM temp.taken_over) GROUP BY attempt"""
_TAKEN = """SELECT taken, SUM(shared), SUM(MAX(cache_read-ROUND(job_share*(cache_read+cache_write_5m)),0)),
  COUNT(*), COALESCE(SUM(cost),0), SUM(at IS NOT NULL AND cost IS NULL)
  FROM paid WHERE taken>0 GROUP BY taken"""
_UNKNOWN = "SELECT COALESCE(SUM(at IS NOT NULL AND cost IS NULL),0) FROM {attempts}"


class NotCounted(NamedTuple):
    """Attempts that are cash and no part of the account."""

    attempts: int = 0
    cost: int = 0
    """Picodollars as far as they are known."""
    unknown: int = 0
    """Of these attempts, those that have ended and whose cost is not known."""

    def data(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        usd = usd_if_known(self.cost, self.unknown)
        return {"attempts": self.attempts, "usd": usd, "attempts_of_unknown_cost": self.unknown}


def added_up(parts: Iterable[NotCounted]) -> NotCounted:
    """Return the sum of some attempts."""
    return NotCounted(*map(sum, zip(NotCounted(), *parts, strict=True)))


class Taken(NamedTuple):
    """What counts of the requests that were taken of another run."""

    directory: str
    """Where that was."""
    run_id: str
    requests: NotCounted
    """At what the account there has of them."""
    shared: int
    """Of it their part of what was written and kept warm there for all rows, in picodollars."""
    read_of_rows: int
    """Tokens that they have read there of what is not all rows'; who wrote these may not be among them."""

    def data(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        where = {"directory": self.directory, "run_id": self.run_id}
        read = {"row_cache_read_tokens": self.read_of_rows}
        return where | self.requests.data() | {"shared_usd": usd_text(self.shared)} | read


@dataclass(frozen=True, slots=True, kw_only=True)
class Cash:
    """All that a run has paid."""

    totals: Totals
    """Of every attempt."""
    replaced: NotCounted
    """What was paid for answers that no row needs any more, or that none has come to again since an edit."""
    left: NotCounted
    """What was paid for rows that have left the file, or were changed in it;"""
    removed: NotCounted
    """of it for those that have left it: no row has their id any more."""
    unsampled: NotCounted
    """What the single agent was paid for rows that are not in its sample any more."""
    pilots: NotCounted
    """What calls cost that went ahead to learn the channel, beyond what they count for; they count as attempts."""
    of_runs: tuple[Taken, ...] = ()
    """What was paid in other runs for answers that were taken of them: part of the account, and no cash here."""

    @property
    def changed(self) -> NotCounted:
        """What was paid for rows of the file as they were before they were changed."""
        left, removed = self.left, self.removed
        return NotCounted(
            left.attempts - removed.attempts, left.cost - removed.cost, left.unknown - removed.unknown
        )  # fmt: skip

    def data(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        totals = self.totals
        return {
            "paid_usd": usd_if_known(totals.cost, totals.unknown),
            "attempts": totals.sent,
            "lost": totals.lost,
            "lost_upper_bound_usd": usd_text(totals.lost_bound),
            "unpriced_attempts": totals.unpriced,
            "unpriced_upper_bound_usd": usd_text(totals.unpriced_bound),
            "replaced": self.replaced.data(),
            "left": self.left.data() | {"removed": self.removed.data(), "changed": self.changed.data()},
            "unsampled": self.unsampled.data(),
            "pilots": self.pilots.data(),
            "taken": added_up(run.requests for run in self.of_runs).data()
            | {"from": [run.data() for run in self.of_runs]},
        }


def paid_by_arm(db: Book) -> dict[ArmName, int]:
    """Return the picodollars of each arm for what counts, with all that was paid for pilots."""
    return dict(db.execute("SELECT arm, COALESCE(SUM(cost),0) FROM main.paid GROUP BY arm").fetchall())


def cash(db: Book, account: Totals) -> Cash:
    """Return what was paid in all.

    Args:
        db: The journal.
        account: Totals of the attempts that count.
    """
    (sessions,) = db.execute("SELECT COUNT(*) FROM sessions").fetchone()
    ahead = list(surpluses(db))
    pilots = NotCounted(len({surplus.attempt for surplus in ahead}), sum(surplus.cost for surplus in ahead))
    of_runs = _taken(db)
    if sessions < 2:
        totals = cash_totals(db) if ahead or of_runs else account
        none = NotCounted()
        return Cash(
            totals=totals, replaced=none, left=none, removed=none, unsampled=none, pilots=pilots, of_runs=of_runs
        )
    totals, taken, elsewhere = cash_totals(db), _taken_over(db), added_up(run.requests for run in of_runs)
    (removed, changed), unsampled = _left(db, taken), _unsampled(db, taken)
    left = NotCounted(*map(sum, zip(removed, changed, strict=True)))
    unknown, counted = (db.execute(_UNKNOWN.format(attempts=name)).fetchone()[0] for name in ("all_paid", "paid"))
    replaced = NotCounted(
        totals.sent - account.sent + elsewhere.attempts - left.attempts - unsampled.attempts,
        totals.cost - account.cost + elsewhere.cost - left.cost - unsampled.cost - pilots.cost,
        unknown - counted + elsewhere.unknown - left.unknown - unsampled.unknown,
    )
    return Cash(
        totals=totals, replaced=replaced, left=left, removed=removed, unsampled=unsampled, pilots=pilots,
        of_runs=of_runs,
    )  # fmt: skip


def taken_from(db: Book, source: int) -> str:
    """Return the directory of the run from which a request was taken; empty where this one has sent it.

    Args:
        db: The journal.
        source: The request's `taken`.
    """
    runs = TAKEN_FROM.of(db)
    return runs[source - 1]["directory"] if 0 < source <= len(runs) else ""


def _taken(db: Book) -> tuple[Taken, ...]:
    """Return what counts of the requests of other runs, by the run."""
    runs = TAKEN_FROM.of(db)
    counted: dict[int, tuple[NotCounted, int, int]] = {}
    for source, shared, read, *rest in db.execute(_TAKEN) if runs else ():
        counted[source] = NotCounted(*rest), shared, int(read)
    nothing = NotCounted(), 0, 0
    return tuple(
        Taken(run["directory"], run["run_id"], *counted.get(number, nothing)) for number, run in enumerate(runs, 1)
    )


def _taken_over(db: Book) -> dict[int, int]:
    """Return by attempt the picodollars of its writes that others have taken over, and count for."""
    return dict(db.execute(_TAKEN_OVER).fetchall()) if counts_otherwise(db) else {}


def _left(db: Book, taken: Mapping[int, int]) -> tuple[NotCounted, NotCounted]:
    """Return what was paid for rows that left the file, and for those that were changed in it.

    Without what others have taken over.
    """
    paid = {bool(gone): NotCounted(*rest) for gone, *rest in db.execute(_OF_OTHER_ROWS)}
    for writer, gone in db.execute(_WRITERS_OF_OTHER_ROWS) if taken else ():
        paid[bool(gone)] = paid[bool(gone)]._replace(cost=paid[bool(gone)].cost - taken[writer])
    return paid.get(True, NotCounted()), paid.get(False, NotCounted())


def _unsampled(db: Book, taken: Mapping[int, int]) -> NotCounted:
    """Return what the single agent was paid for rows that are in the file and not in its sample any more, likewise."""
    drawn, cost, is_unknown = DRAWN.of(db), 0, dict[int, bool]()
    for row_id, attempt, share, unknown in db.execute(_OF_ROWS_NOT_DRAWN) if drawn else ():
        if place_in_draw(drawn["word"], row_id) > drawn["last"]:
            cost, is_unknown[attempt] = cost + (share or 0), bool(unknown)
    cost -= sum(taken.get(attempt, 0) for attempt in is_unknown)
    return NotCounted(len(is_unknown), cost, sum(is_unknown.values()))
