"""How many of a job's tasks are equal to others, which serve them: read off its rows, before anybody is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from fanwise.engine.arms import Arm
from fanwise.engine.rows import Row
from fanwise.graph.expr import gets
from fanwise.graph.nodes import EachNode, GivenNode, WhenNode, reads, walk
from fanwise.journal.records import ArmName

from .ahead import Answer, TaskAhead, tasks_ahead
from .different import Different

OfAgent = tuple[ArmName, str]
"""An arm, and an agent on it."""


@dataclass(frozen=True, slots=True)
class RowTasks:
    """The tasks of one agent for one row."""

    works: tuple[str, ...]
    """What equal ones have in common; empty of one that is asked by itself."""
    part: float
    """How many they are where each bears an equal part of the one that serves all that are equal to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentTasks:
    """The tasks of one agent in a job, by what its rows hold."""

    tasks: int
    """Of a list that nobody has yet one for all of its items."""
    different: float
    off: float = 0.0
    """How far that may be off, as a share of it."""
    at_best: float
    """How many are different if agents that are asked for each row say the same of the same."""
    rows: Mapping[int, RowTasks] = field(default_factory=dict[int, RowTasks])
    """Those of rows that were drawn, by number; none where that is not known."""

    @property
    def share(self) -> float:
        """What is asked, as a share of all tasks: exactly 1 where none is equal to another."""
        return min(self.different / self.tasks, 1.0) if self.tasks else 1.0

    @property
    def best_share(self) -> float:
        """What is asked at best, as a share of what is different."""
        return min(self.at_best / self.different, 1.0) if self.different else 1.0

    def different_among(self, numbers: Collection[int]) -> float:
        """Return which share of the tasks of some drawn rows is different, by what the rows hold."""
        works = [work for number in numbers if number in self.rows for work in self.rows[number].works]
        alone = works.count("")
        return (len({*works} - {""}) + alone) / len(works) if works else 1.0

    def parts(self) -> dict[int, float]:
        """Return by number of a drawn row what is left of a task of it, on average."""
        return {number: row.part / len(row.works) for number, row in self.rows.items()}

    def parts_among(self, numbers: Iterable[int]) -> dict[int, float]:
        """Return the same if there were no rows but these."""
        rows = {number: self.rows[number].works for number in numbers if number in self.rows}
        times = Counter(work for works in rows.values() for work in works)
        return {
            number: sum(1 / times[work] if work else 1.0 for work in works) / len(works)
            for number, works in rows.items()
        }


AlikeByAgent = Mapping[OfAgent, AgentTasks]


class AlikeTasks:
    """Counts the tasks of a job as its rows pass; memory does not grow with their number."""

    def __init__(self, arms: Mapping[ArmName, Arm]) -> None:
        """Begin with no row.

        Args:
            arms: Those of the job.
        """
        self._arms = {name: arm for name, arm in arms.items() if any(node.shared for node in arm.agents())}
        """Those on which equal tasks are served together."""
        self._hazy = frozenset(name for name, arm in self._arms.items() if _is_hazy(arm))
        self._sure: dict[OfAgent, Different] = {}
        self._best: dict[OfAgent, Different] = {}
        self._drawn: dict[OfAgent, dict[int, list[str]]] = {}
        self._times: Counter[str] = Counter()

    def __bool__(self) -> bool:
        """Return whether there is anything to count."""
        return bool(self._arms)

    def watch(self, row: Row, answer: Answer | None = None) -> None:
        """Take note of a row that was drawn: how often its tasks come is counted from now on.

        Args:
            row: The row.
            answer: As `take` has it.
        """
        for arm in self._arms:
            for task in tasks_ahead(self._arms[arm], row, answer):
                self._drawn.setdefault((arm, task.agent), {}).setdefault(row.number, []).append(task.work)
                self._times[task.work] = 0

    def take(self, row: Row, arms: Iterable[ArmName], answer: Answer | None = None) -> None:
        """Take a row of the job.

        Args:
            row: The row.
            arms: Those on which it runs.
            answer: Gives the outcome that a task has already, which is not counted; None: no task has any.
        """
        for name in arms:
            arm = self._arms.get(name)
            if arm is not None:
                sure = tasks_ahead(arm, row, answer)
                self._count(self._sure, name, sure)
                if name in self._hazy:
                    self._count(self._best, name, tasks_ahead(arm, row, answer, at_best=True))
                self._times.update(task.work for task in sure if task.work in self._times)

    def _count(self, tallies: dict[OfAgent, Different], arm: ArmName, tasks: Iterable[TaskAhead]) -> None:
        for task in tasks:
            if not task.is_answered:
                tally = tallies.get((arm, task.agent))
                if tally is None:
                    tally = tallies[arm, task.agent] = Different()
                tally.add(task.work)

    def by_agent(self) -> dict[OfAgent, AgentTasks]:
        """Return what was counted."""
        return {
            agent: AgentTasks(
                tasks=tally.tasks,
                different=tally.different,
                off=tally.off,
                at_best=self._at_best(agent),
                rows={number: self._row(works) for number, works in self._drawn.get(agent, {}).items()},
            )
            for agent, tally in self._sure.items()
        }

    def _at_best(self, agent: OfAgent) -> float:
        tallies = self._best if agent[0] in self._hazy else self._sure
        return tallies[agent].different if agent in tallies else 0.0

    def _row(self, works: list[str]) -> RowTasks:
        return RowTasks(tuple(works), sum(1 / max(self._times[work], 1) if work else 1.0 for work in works))


def _is_hazy(arm: Arm) -> bool:
    """Return whether more may be equal than rows say: an agent is asked by itself, or answers decide who is asked."""
    if not all(node.shared for node in arm.agents()):
        return True
    of_row = set(arm.graph.params.values())
    deciding = [node for node in walk(arm.graph.template) if isinstance(node, WhenNode | GivenNode | EachNode)]
    return any(get.slot not in of_row for node in deciding for expr in reads(node) for get in gets(expr))
