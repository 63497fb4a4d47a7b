"""How a sample stands for a job: for how many rows, for which of their tasks, and what of these is owed. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fanwise.engine.repeated import ShownBy
from fanwise.journal.records import ArmName

from .alike import AlikeByAgent, OfAgent
from .different import kinds
from .drawn import Drawn
from .estimate import RowUse
from .levelled import Shown
from .once import PrefixLevels
from .rehearsed import Rehearsed
from .sums import EqualParts, Population


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """What is still to be done of a job."""

    rows: Mapping[ArmName, int] = field(default_factory=dict[ArmName, int])
    """Rows that an arm is asked for; all of them where it is not in there."""
    kept: Mapping[tuple[ArmName, str], int] = field(default_factory=dict[tuple[ArmName, str], int])
    """Answers of these rows that a run directory holds, by arm and agent."""
    perhaps: Mapping[tuple[ArmName, str], int] = field(default_factory=dict[tuple[ArmName, str], int])
    """Answers beside these that are kept too if those before them come out as they were, by arm and agent."""
    alive: frozenset[str] = frozenset()
    """Keys of the prefixes that the cache still has, from what was sent before."""
    alive_blocks: frozenset[str] = frozenset()
    """Keys of the blocks of rows that it still has, as `ledger.rowblocks` has them."""
    alike: AlikeByAgent | None = None
    """How many of the tasks without an answer are equal to others; None: that is counted over all rows."""
    is_answered: Callable[[str], bool] = lambda _: False
    """Says of what equal tasks have in common whether a run directory holds the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How a sample stands for a job."""

    drawn: Drawn
    rehearsed: Rehearsed
    alike: AlikeByAgent
    """The tasks of the job by agent, where equal ones are asked once."""
    owed: Owed
    levels: PrefixLevels

    def population(self, arm: ArmName) -> Population:
        """Return the rows of an arm."""
        drawn = self.drawn
        more = len(self.rehearsed.rows) - len(drawn.rows)
        return Population(
            rows=self.owed.rows.get(arm, drawn.valid),
            all_rows=max(drawn.valid, self.owed.rows.get(arm, 0)),
            units=drawn.units,
            sampled=drawn.sampled_units,
            rehearsed=drawn.sampled_units + more,
        )

    def equal_parts(self, arm: ArmName, agent: str, uses: Mapping[int, RowUse]) -> EqualParts | None:
        """Return how the rows of the sample bear an agent's tasks that are equal to others; None where none is.

        Args:
            arm: The agent's.
            agent: Its name.
            uses: What it took, by the number of the row.
        """
        tasks = self.alike.get((arm, agent))
        if tasks is None or tasks.share >= 1:
            return None
        if tasks.rows:
            counts = {number: float(len(row.works)) for number, row in tasks.rows.items()}
            parts, different = tasks.parts(), tasks.different
        else:  # of equal rows it is known that their tasks are
            counts = {number: float(use.asks) for number, use in uses.items()}
            rows = (*self.drawn.rows, *self.drawn.more)
            parts, different = {row.number: 1 / max(row.weight, 1.0) for row in rows}, None
        return EqualParts(
            tasks=counts,
            parts=parts,
            sizes=self.rehearsed.yardstick(arm, agent, parts),
            share=tasks.share,
            different=different,
            off=tasks.off,
        )

    def shown(self, rows: Mapping[int, ShownBy]) -> Shown:
        """Return where in the job the blocks of the rows of the sample are shown: for equal tasks once.

        Args:
            rows: By place of a row in the sample, from 1, how many rows of the job show the same.
        """
        numbers = {place: row.number for place, row in enumerate(self.drawn.rows, 1)}
        parts: dict[OfAgent, Mapping[int, float]] = {}
        for agent, tasks in self.alike.items():
            if tasks.share < 1:
                of_rows = tasks.parts()
                parts[agent] = {place: of_rows.get(numbers[place], tasks.share) for place in rows}
        return Shown(rows=rows, parts=parts)

    def parts_of_sample(self, arm: ArmName, agent: str) -> dict[int, float]:
        """Return by number of a row of the sample what is left of a task of an agent, if there were no other rows."""
        tasks = self.alike.get((arm, agent))
        return {} if tasks is None else tasks.parts_among(row.number for row in self.drawn.rows)

    def fewest(self, arm: ArmName, agent: str, asked: int) -> float:
        """Return what is asked of an agent at least, as a share, if answers come out equal as those of stand-ins do.

        Args:
            arm: Its arm.
            agent: Its name.
            asked: Tasks that are asked if none does.
        """
        tasks, works = self.alike.get((arm, agent)), self.rehearsed.works.get((arm, agent), ())
        if tasks is None or not works or not asked:
            return 1.0
        by_rows = len(works) * tasks.different_among(self.rehearsed.rows)
        to_ask = [work for work in works if not self.owed.is_answered(work)]
        is_all = self.drawn.sampled_units + len(self.rehearsed.rows) - len(self.drawn.rows) >= self.drawn.units
        most = kinds(to_ask, is_all=is_all)
        if len(set(works)) > by_rows - 0.5 and len(to_ask) == len(works):
            return tasks.best_share
        return tasks.best_share * min(most / asked, 1.0)
