"""The check of one task of a plan: its agent, what it is given, its loop and its condition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fanwise.errors import Mistake
from fanwise.graph import types as ty
from fanwise.graph.agent import Agent
from fanwise.graph.fits import fits

from .comparable import comparison_fault, needs_value
from .guards import Guards
from .offer import ITEM, ROW, Offer
from .references import BLOCK, Reference, ReferenceMistakeError, follow, meant, parse
from .shapes import Call, Read, Test
from .taskplan import Condition, Give, PlannedTask

CONTEXT = "context"
"""The parameter of blocks."""


class TaskCheck:
    """The check of one task; what is wrong with it is in `mistakes`."""

    def __init__(self, *, number: int, task: PlannedTask, offer: Offer, types: Mapping[str, Any]) -> None:
        """Begin.

        Args:
            number: Of the task in the plan.
            task: The task.
            offer: What a plan may name.
            types: Of the row, and of the tasks before it; those behind a mistake are unknown.
        """
        self._number, self._task, self._offer = number, task, offer
        self._types = dict(types)
        self._guards, self._item_guards = Guards(), Guards()
        self._values: dict[str, Reference] = {}
        self._blocks: list[str] = []
        self.mistakes: list[Mistake] = []
        self.output: Any = ty.Unknown
        """Type of what it answers."""
        self.call: Call | None = None
        """What it is, where its agent is there; of use where nothing is wrong."""

    def _add(self, part: str, problem: str, hint: str = "") -> None:
        self.mistakes.append(Mistake(f"tasks[{self._number}]{part}", problem, hint))

    def run(self) -> None:
        """Check all of it."""
        self._check_bounds()
        self._check_loop()
        self._check_condition()
        agent = self._offer.agent(self._task.agent)
        for index, give in enumerate(self._task.gives):
            self._check_give(index, give, agent)
        if agent is None:
            name = self._task.agent
            hint = meant(name, list(self._offer.agents)) or f"there are {', '.join(self._offer.agents)}"
            self._add(".agent", f"there is no agent {name[:60]!r}", hint)
            return
        missing = [name for name in self._offer.needs(agent) if not self._is_given(name)]
        if missing:
            self._add(".gives", f"{agent.name!r} is not given {', '.join(missing)}")
        self.output = self._output(agent.spec.output)
        self.call = self._call(agent)

    def _is_given(self, name: str) -> bool:
        return any(give.parameter == name and not give.reference.startswith(BLOCK) for give in self._task.gives)

    # The loop and the condition ----------------------------------------------------------------

    def _check_bounds(self) -> None:
        task = self._task
        for name, bound in (("need", task.need), ("most", task.most)):
            if bound is not None and task.over is None:
                self._add(f".{name}", f"{name} is of a task with over, and there is none")
            if bound is not None and bound < 1:
                self._add(f".{name}", f"{name} is {bound:,}, not a whole number of at least 1")
        if task.need is not None and task.most is not None and task.need > task.most:
            self._add(".need", f"need {task.need:,} is above most {task.most:,}")

    def _check_loop(self) -> None:
        task = self._task
        if task.over is None:
            return
        self._types[ITEM] = ty.Unknown
        reference = self._reference(task.over)
        if reference is None:
            return
        tp = self._follow(".over", reference)
        list_type = ty.without_none(tp) if ty.may_be_none(tp) else tp
        item = ty.Unknown if ty.unclear(list_type) else ty.item_type(list_type)
        if item is None:
            self._add(".over", f"{reference} ({ty.name(tp)}) is not a list")
            return
        if list_type is not tp:
            self._guards.add([reference])
        self._types[ITEM] = item

    def _check_condition(self) -> None:
        condition = self._task.when
        reference = None if condition is None else self._reference(condition.reference)
        if condition is None or reference is None:
            return
        tp = self._follow(".when.reference", reference)
        if fault := comparison_fault(tp, condition.compare, condition.value):
            self._add(".when", f"{reference} ({ty.name(tp)}) {fault}")
        elif needs_value(condition.compare) and ty.may_be_none(tp):
            self._guards.add([reference])

    # What is given -----------------------------------------------------------------------------

    def _check_give(self, index: int, give: Give, agent: Agent[..., Any] | None) -> None:
        part = f".gives[{index}]"
        if give.reference.startswith(BLOCK):
            self._check_block(part, give)
            return
        reference = self._reference(give.reference)
        tp = ty.Unknown if reference is None else self._follow(f"{part}.reference", reference)
        if agent is None:
            return
        params = agent.spec.params
        if give.parameter not in params:
            hint = meant(give.parameter, list(params)) or f"it takes {', '.join(params)}"
            self._add(f"{part}.parameter", f"{agent.name!r} takes no {give.parameter[:60]!r}", hint)
        elif any(give.parameter == other.parameter and not other.reference.startswith(BLOCK)
                 for other in self._task.gives[:index]):  # fmt: skip
            self._add(f"{part}.parameter", f"{give.parameter!r} is given twice")
        elif reference is not None:
            self._check_fit(part, reference, tp, (give.parameter, params[give.parameter]))
            self._values[give.parameter] = reference

    def _check_block(self, part: str, give: Give) -> None:
        name, blocks = give.reference.removeprefix(BLOCK), self._offer.blocks
        if give.parameter != CONTEXT:
            self._add(f"{part}.parameter", f"a block is no value of {give.parameter[:60]!r}", f"give it to {CONTEXT}")
        if name not in blocks:
            hint = meant(name, list(blocks)) or f"there are {', '.join(blocks) or 'none'}"
            self._add(f"{part}.reference", f"there is no block {name[:60]!r}", hint)
        elif name in self._blocks:
            self._add(f"{part}.reference", f"block {name!r} is given twice")
        else:
            self._blocks.append(name)

    def _check_fit(self, part: str, reference: Reference, tp: Any, param: tuple[str, Any]) -> None:
        """Check that a value fits; where only its absence does not, the task runs where it is there."""
        name, expected = param
        if fits(tp, expected):
            return
        if ty.may_be_none(tp) and not ty.is_none(tp) and fits(ty.without_none(tp), expected):
            (self._item_guards if reference.name == ITEM else self._guards).add([reference])
            return
        text = f"{reference} ({ty.name(tp)}) does not fit {self._task.agent}({name}: {ty.name(expected)})"
        self._add(part, text)

    def _reference(self, text: str) -> Reference | None:
        """Return a reference to something that is there; None where it is not, which was told before."""
        try:
            reference = parse(text)
        except ReferenceMistakeError:
            return None
        return reference if reference.name in self._types and reference.name != self._task.name else None

    def _follow(self, part: str, reference: Reference) -> Any:
        """Return the type of what a reference leads to, and note what may be missing on the way."""
        try:
            target = follow(reference, self._types[reference.name])
        except ReferenceMistakeError as error:
            self._add(part, error.problem, error.hint)
            return ty.Unknown
        (self._item_guards if reference.name == ITEM else self._guards).add(target.gaps)
        return target.tp

    # What it is --------------------------------------------------------------------------------

    def _output(self, tp: Any) -> Any:
        """Return the type of what the task answers, by that of its agent."""
        missing = type(None)
        tp = ty.union([tp, missing]) if self._item_guards.all() else tp
        if self._task.over is not None:
            tp = list[tp if self._task.need is None else ty.union([tp, missing])]
        may_be_missing = self._task.when is not None or self._guards.all()
        return ty.union([tp, missing]) if may_be_missing else tp

    def _call(self, agent: Agent[..., Any]) -> Call:
        task = self._task
        return Call(
            number=self._number,
            name=task.name,
            agent=agent,
            blocks={name: self._offer.blocks[name] for name in self._blocks},
            guards=self._guards.all(),
            test=None if task.when is None else self._test(task.when),
            over=None if task.over is None else self._read(task.over),
            need=task.need,
            most=task.most,
            item_guards=self._item_guards.all(),
            values={name: self._read_of(self._values[name]) for name in agent.spec.params if name in self._values},
        )

    def _test(self, condition: Condition) -> Test:
        return Test(left=self._read(condition.reference), compare=condition.compare, right=condition.value)

    def _read(self, text: str) -> Read:
        reference = self._reference(text)
        return Read(ROW) if reference is None else self._read_of(reference)

    def _read_of(self, reference: Reference) -> Read:
        guards = self._item_guards if reference.name == ITEM else self._guards
        return guards.read(reference)
