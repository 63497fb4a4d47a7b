"""The rows that both sides of a comparison have ended, with what each cost at the size of the job."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from fanwise.journal.meta import JOB_ROWS, SHOWN_BY
from fanwise.journal.reader import Book
from fanwise.journal.records import ArmName
from fanwise.quick import maker

from .account import baseline_arm, valid_rows
from .alike import alike, may_share
from .allotment import NOTHING, RowCost, allotted
from .documents import Documents

SIDES: tuple[ArmName, ArmName] = ("fanout", "baseline")
"""The two that are held against each other."""
STOPPED = """CASE WHEN b.status='failed' THEN CASE
    WHEN b.row IN (
      SELECT t.row FROM outcomes t WHERE t.arm=:baseline AND t.status='failed' AND t.kind='row_budget') THEN 2
    ELSE EXISTS(SELECT 1 FROM asks k JOIN outcomes t ON t.key=k.key
      WHERE k.row=b.row AND t.arm=:baseline AND t.status='failed' AND t.kind='truncated') END ELSE 0 END"""
"""What has stopped the answer of a row that ended as `b` on the baseline: 1 its cap, 2 the row's budget, 0 nothing.
A `CASE`, since both sides of an `AND` would be asked for every row, which takes two thirds of the time of all."""
_ENDED = f"""SELECT f.row, f.status, b.status, {STOPPED}
  FROM row_ends f JOIN row_ends b ON b.row=f.row AND b.arm=:baseline WHERE f.arm='fanout' ORDER BY f.row"""
_ASKED = "SELECT arm, COUNT(DISTINCT row) FROM served WHERE row>0 GROUP BY arm"
_DRAWN = "SELECT DISTINCT row FROM served WHERE arm='baseline' AND row>0"


class PairedCost(NamedTuple):
    """A row that both sides have ended, whatever the outcome."""

    row: int
    fanout: RowCost
    baseline: RowCost
    statuses: tuple[str, str]
    """How it has ended on either."""
    stopped: int
    """What has stopped the single agent's answer, as `STOPPED` has it."""

    @property
    def cut_off(self) -> bool:
        """Whether the single agent's answer was cut off."""
        return self.stopped == 1

    @property
    def over_budget(self) -> bool:
        """Whether the budget of the row has stopped the single agent: what it would have cost nobody knows."""
        return self.stopped == 2 and self.baseline is not self.fanout

    @property
    def unknown(self) -> int:
        """Attempts of either side whose cost is not known; where the sides are one, it is the same on both."""
        if self.baseline is self.fanout:
            return 0
        return self.fanout.unknown + self.baseline.unknown


new_pair = maker(PairedCost)


class JobSize:
    """Prices rows as in the whole job: what rows share is spread over all of its rows that share it, on each side."""

    def __init__(self, db: Book) -> None:
        self.rows = job_rows(db)
        """Rows of the job, one or more."""
        self._asked: dict[str, int] = {arm: min(asked, self.rows) for arm, asked in db.execute(_ASKED)}
        self._documents = Documents(db, SHOWN_BY.of(db), SIDES, self.rows)
        self._spared, self._tokens_spared = Counter[int](), Counter[int]()
        """By row what the single agent has taken beyond the row's part of calls that would serve rows like it, behind
        what it has for documents: picodollars and tokens, over `rows`."""
        if self._asked.get("baseline", 0) < self._asked.get("fanout", 0):
            self._spare_calls(db)

    def _spare_calls(self, db: Book) -> None:
        """Let a row that the single agent was asked for bear its part of calls that would serve rows not drawn too."""
        if not may_share(db, "baseline"):
            return
        drawn = {row for (row,) in db.execute(_DRAWN)}
        alike_rows = alike(db, drawn, drawn)
        for cost in allotted(db) if alike_rows else ():
            same = alike_rows.get(cost.row) if cost.arm == "baseline" else None
            if same is not None:
                own = cost.own * self.rows - self._documents.beyond(cost.arm, cost.row)
                tokens = cost.tokens * self.rows
                self._spared[cost.row] = own - own * same.drawn // same.rows
                self._tokens_spared[cost.row] = tokens - tokens * same.drawn // same.rows

    def cost(self, cost: RowCost) -> int:
        """Return what a row cost, in picodollars over `rows`: a whole number, so that sums are exact."""
        beyond = self._documents.beyond(cost.arm, cost.row)
        beyond += self._spared[cost.row] if cost.arm == "baseline" else 0
        return cost.own * self.rows + cost.shared * self._asked.get(cost.arm, 0) - beyond

    def spared(self, arm: ArmName) -> int:
        """Return what the rows of a sample have paid beyond their parts of what others show or are, over `rows`."""
        return self._documents.sum(arm) + (self._spared.total() if arm == "baseline" else 0)

    def tokens(self, cost: RowCost) -> int:
        """Return the tokens of a row, times `rows`: with its part of those that kept warm what rows share."""
        spared = self._tokens_spared[cost.row] if cost.arm == "baseline" else 0
        return cost.tokens * self.rows + cost.shared_tokens * self._asked.get(cost.arm, 0) - spared


@dataclass(slots=True, kw_only=True)
class LeftOut:
    """Rows of the run that a comparison leaves out, by why."""

    unfinished: int = 0
    """The fan-out has not ended them."""
    without_baseline: int = 0
    """The single agent has not ended them, or was not asked."""
    unknown_cost: int = 0
    """Both have ended them, and what it cost is not known."""
    over_budget: int = 0
    """The budget of the row has stopped the single agent."""

    @property
    def rows(self) -> int:
        """How many they are in all."""
        return self.unfinished + self.without_baseline + self.unknown_cost + self.over_budget


@dataclass(slots=True)
class Tally:
    """Counts the rows that both sides have ended, and those among them that are not compared."""

    _ended: int = 0
    _unknown: int = 0
    _over_budget: int = 0

    def takes(self, pair: PairedCost) -> bool:
        """Count a row that both sides have ended; returns whether it is compared."""
        self._ended += 1
        if pair.over_budget:
            self._over_budget += 1
            return False
        self._unknown += pair.unknown > 0
        return not pair.unknown

    @property
    def compared(self) -> int:
        """Rows that are compared."""
        return self._ended - self._unknown - self._over_budget

    def left_out(self, db: Book) -> LeftOut:
        """Return which rows of a run are not compared, once all that both sides have ended were counted."""
        (fanout_ended,) = db.execute("SELECT COUNT(*) FROM row_ends WHERE arm='fanout'").fetchone()
        return LeftOut(
            unfinished=max(valid_rows(db) - fanout_ended, 0),
            without_baseline=fanout_ended - self._ended,
            unknown_cost=self._unknown,
            over_budget=self._over_budget,
        )


@dataclass(slots=True)
class PairedRows:
    """Goes once over the rows that are compared, which both sides have ended at a known cost; counts the others."""

    db: Book
    left_out: LeftOut = field(default_factory=LeftOut)

    def __iter__(self) -> Iterator[PairedCost]:
        """Yield the rows by number."""
        tally = Tally()
        yield from filter(tally.takes, both_ended(self.db))
        self.left_out = tally.left_out(self.db)


def both_ended(db: Book) -> Iterator[PairedCost]:
    """Yield the rows that both sides have ended, by number, those that are not compared among them."""
    costs, arms = CostsInOrder(db), {"baseline": baseline_arm(db)}
    for row, fanout_status, baseline_status, stopped in db.execute(_ENDED, arms):
        fanout, baseline = costs.of(row)
        statuses = fanout_status, baseline_status
        yield new_pair(row=row, fanout=fanout, baseline=baseline, statuses=statuses, stopped=stopped)


class CostsInOrder:
    """What rows cost on both sides, asked for in their order."""

    def __init__(self, db: Book) -> None:
        self._is_own = baseline_arm(db) == "fanout"
        self._costs = allotted(db)
        self._next = next(self._costs, None)

    def of(self, row: int) -> tuple[RowCost, RowCost]:
        """Return what a row cost on both sides; nothing where nothing was sent for it.

        The sides of a graph of one agent are the same.
        """
        fanout = baseline = NOTHING
        while (cost := self._next) is not None and cost.row <= row:
            if cost.row == row and cost.arm == "fanout":
                fanout = cost
            elif cost.row == row and cost.arm == "baseline":
                baseline = cost
            self._next = next(self._costs, None)
        return fanout, fanout if self._is_own else baseline


def job_rows(db: Book) -> int:
    """Return how many rows the job has, one or more: those of a run, or of the file that it is a sample of."""
    return max(valid_rows(db), JOB_ROWS.of(db), 1)
