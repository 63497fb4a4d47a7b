"""The checks of a task plan: all at once, each mistake with its place; nothing is dropped with a warning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fanwise.errors import DefinitionError, Mistake
from fanwise.graph import types as ty
from fanwise.graph.fits import fits
from fanwise.graph.roundtrip import roundtrip_mistakes

from .limits import LimitedTask, limit_mistakes
from .offer import ITEM, ROW, Offer
from .order import depths, in_order, needed_for
from .references import BLOCK, ReferenceMistakeError, follow, meant, parse
from .shapes import Call, Read
from .taskchecks import TaskCheck
from .taskplan import PlannedTask, TaskPlan

MOST_SHOWN = 10
"""Tasks of a circle in a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedPlan:
    """A plan without a mistake."""

    plan: TaskPlan
    offer: Offer
    calls: tuple[Call, ...]
    """In the order in which they are traced."""
    result: Read
    output: Any
    """Type of a row's output."""


def check_plan(plan: TaskPlan, offer: Offer, place: str = "task plan") -> CheckedPlan:
    """Check a task plan.

    Args:
        plan: The plan.
        offer: What it may name.
        place: What it is called in messages, such as its file.

    Raises:
        DefinitionError: It has mistakes; all of them, each with its place in the plan.
    """
    check = _PlanCheck(plan, offer)
    check.run()
    if check.mistakes:
        subject = place if place == "task plan" else f"task plan {place}"
        raise DefinitionError(subject, tuple(check.mistakes))
    is_open = offer.output is ty.Unknown
    output = check.output if is_open else offer.output
    result = parse(plan.returns)
    return CheckedPlan(
        plan=plan, offer=offer, calls=tuple(check.calls), result=Read(result.name, result.path), output=output
    )


class _PlanCheck:
    """The check of one plan."""

    def __init__(self, plan: TaskPlan, offer: Offer) -> None:
        self._plan, self._offer = plan, offer
        self._numbers: dict[str, int] = {}
        """Of each task by its name, of the first where several have it."""
        self._types: dict[str, Any] = {ROW: offer.row}
        """Of the row, and of the answers of the tasks."""
        self.mistakes: list[Mistake] = []
        self.calls: list[Call] = []
        self.output: Any = ty.Unknown

    def add(self, place: str, problem: str, hint: str = "") -> None:
        """Note a mistake."""
        self.mistakes.append(Mistake(place, problem, hint))

    def run(self) -> None:
        """Check all of it."""
        self.mistakes += roundtrip_mistakes("a row is", self._offer.row, "row", is_written=False)
        self._check_names()
        reads = self._reads()
        order, circle = in_order(reads)
        if circle:
            place = f"tasks[{self._numbers[circle[0]]}]"
            names = circle if len(circle) <= MOST_SHOWN else [*circle[: MOST_SHOWN - 1], "...", circle[-1]]
            hint = "a plan has no circles"
            self.add(place, f"{circle[0]!r} waits for itself: {' -> '.join(names)}", hint)
        self._types.update(dict.fromkeys(self._numbers, ty.Unknown))
        for name in order:
            self._check_task(self._numbers[name])
        for number, task in enumerate(self._plan.tasks):
            if self._numbers.get(task.name) != number:  # of a name that is there already
                self._check_task(number)
        self._check_result(reads)
        if not circle:
            self._check_limits(depths(order, reads))
        self.mistakes.sort(key=lambda mistake: _place_key(mistake.place))

    def _check_names(self) -> None:
        if not self._plan.tasks:
            self.add("tasks", "is empty", "name a task, or use one agent alone")
        for number, task in enumerate(self._plan.tasks):
            if fault := self._offer.fault_of_name(task.name):
                self.add(f"tasks[{number}].name", f"{task.name[:60]!r} {fault}")
            first = self._numbers.setdefault(task.name, number)
            if first != number:
                self.add(f"tasks[{number}].name", f"{task.name[:60]!r} is the name of tasks[{first}] already")

    # What reads what ---------------------------------------------------------------------------

    def _reads(self) -> dict[str, list[str]]:
        """Return for each task the tasks that it reads; references that lead to none are mistakes."""
        reads: dict[str, list[str]] = {}
        is_row_read = False
        for number, task in enumerate(self._plan.tasks):
            others = reads.setdefault(task.name, [])
            for place, text in _references(number, task):
                name = self._name_in(place, text, task)
                is_row_read = is_row_read or name == ROW
                if name == task.name:
                    self.add(place, f"{task.name[:60]!r} reads itself")
                elif name in self._numbers and name not in others:
                    others.append(name)
        if self._plan.tasks and not is_row_read:
            self.add("tasks", "no task is shown any part of the row", "give a parameter row, or a field of it")
        return reads

    def _name_in(self, place: str, text: str, task: PlannedTask) -> str:
        """Return what a reference begins with; empty where that is nothing."""
        try:
            name = parse(text).name
        except ReferenceMistakeError as error:
            self.add(place, error.problem, error.hint)
            return ""
        if name == ITEM:
            if task.over is None or ".gives[" not in place:
                self.add(place, "there is no item here", "an item is there in gives of a task with over")
            return ""
        if name != ROW and name not in self._numbers:
            names = [ROW, *self._numbers, *([ITEM] if task.over is not None else [])]
            self.add(place, f"there is no task {name[:60]!r}", meant(name, names) or f"{ROW}, or a task of the plan")
            return ""
        return name

    # Tasks -------------------------------------------------------------------------------------

    def _check_task(self, number: int) -> None:
        """Check one task, and keep the type of what it answers and the call that it is."""
        task = self._plan.tasks[number]
        check = TaskCheck(number=number, task=task, offer=self._offer, types=self._types)
        check.run()
        self.mistakes += check.mistakes
        if self._numbers[task.name] == number:
            self._types[task.name] = check.output
        if check.call is not None:
            self.calls.append(check.call)

    def _check_result(self, reads: dict[str, list[str]]) -> None:
        """Check what is returned, and that all tasks are of use for it."""
        text = self._plan.returns
        try:
            reference = parse(text)
            if reference.name not in self._numbers:
                hint = meant(reference.name, list(self._numbers))
                raise ReferenceMistakeError(f"{text[:80]!r} names no task", hint)
            target = follow(reference, self._types[reference.name])
            if target.gaps:
                gap = target.gaps[0]
                raise ReferenceMistakeError(
                    f"{gap} may be missing, so that {text[:80]} cannot be read", "return it whole"
                )
        except ReferenceMistakeError as error:
            self.add("returns", error.problem, error.hint)
            return
        self.output = target.tp
        if not fits(target.tp, self._offer.output):
            self.add("returns", f"{text} is {ty.name(target.tp)}, not {ty.name(self._offer.output)}")
        needed = needed_for(reference.name, reads)
        for name, number in self._numbers.items():
            if name not in needed:
                self.add(f"tasks[{number}]", f"{name[:60]!r} is of no use: what is returned does not read it")

    def _check_limits(self, depth: dict[str, int]) -> None:
        limited: dict[int, LimitedTask] = {}
        for number, task in enumerate(self._plan.tasks):
            agent = self._offer.agent(task.agent)
            if agent is not None:
                limited[number] = LimitedTask(task, agent, depth[task.name])
        self.mistakes += limit_mistakes(self._offer.limits, limited, len(self._plan.tasks))


def _references(number: int, task: PlannedTask) -> list[tuple[str, str]]:
    """Return the references of a task that are no blocks, each with its place."""
    place = f"tasks[{number}]"
    given = [(f"{place}.gives[{index}].reference", give.reference) for index, give in enumerate(task.gives)]
    references = [pair for pair in given if not pair[1].startswith(BLOCK)]
    if task.over is not None:
        references.append((f"{place}.over", task.over))
    if task.when is not None:
        references.append((f"{place}.when.reference", task.when.reference))
    return references


def _place_key(place: str) -> tuple[int, int, str]:
    """Return by what mistakes are put in the order of the plan: tasks by their number, what is returned behind them."""
    front, _, rest = place.removeprefix("tasks[").partition("]")
    if place.startswith("tasks[") and front.isdecimal():
        return (1, int(front), rest)
    return (2, 0, place) if place == "returns" else (0, 0, place)
