"""The tasks that a row will have, before anybody is asked: each with what equal tasks have in common.

What the row itself holds is known, and with it conditions, lists and values that are made of it. What agents and steps
will say is not: it is known to be equal where they are shown equal values. So tasks that are told to be equal here are
equal, and others may turn out to be: answers to different questions may be the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from fanwise.canonical import canonical, digest
from fanwise.engine.arms import Arm, row_state
from fanwise.engine.nodes import AgentNode, values_text, work_key
from fanwise.engine.rows import Row
from fanwise.foreign import let_through
from fanwise.graph.expr import AbsentError, Expr, UnsettledError
from fanwise.graph.nodes import EachNode, GivenNode, Node, OptionalNode, TaskNode, Template, WhenNode
from fanwise.graph.outcomes import Done, Failed, Outcome
from fanwise.graph.scope import Item, Scope, Task

from .unasked import Unasked, follows_from, holds_unasked, spelt, value_of

Answer = Callable[[Task], Outcome | None]
"""Gives the outcome that a task has already; None where it would be asked."""
_NEVER = Failed("", "absent", "it is not asked")
"""Stands for all that will have no value."""


class TaskAhead(NamedTuple):
    """A task of an agent that a row will have; of a list that nobody has yet, one for all items."""

    agent: str
    work: str
    """What equal tasks have in common; empty where it is asked by itself."""
    is_answered: bool = False


def tasks_ahead(arm: Arm, row: Row, answer: Answer | None = None, *, at_best: bool = False) -> list[TaskAhead]:
    """Return the tasks that a row will have on an arm.

    Args:
        arm: The arm.
        row: The row.
        answer: Gives the outcome that a task has already; None: no task has any.
        at_best: Whether agents whose equal tasks are asked each by itself are taken to say the same all the same, and
            branches that depend on answers to be taken alike.
    """
    walk = _GoneThrough(arm=arm, own=f"{row.number} {row.row_id}", answer=answer, at_best=at_best)
    walk.through(row_state(arm, row).root, "")
    return walk.tasks


@dataclass(slots=True, kw_only=True)
class _GoneThrough:
    """Goes through the graph of an arm for one row."""

    arm: Arm
    own: str
    """What no other row has in common with it."""
    answer: Answer | None
    at_best: bool
    tasks: list[TaskAhead] = field(default_factory=list[TaskAhead])

    def through(self, scope: Scope, guard: str) -> Outcome:
        """Go through a template; returns what comes out of it.

        Args:
            scope: Of the row, or of an item.
            guard: What it depends on whether it is gone through at all; empty: nothing that is not known.
        """
        for node in scope.template.nodes:
            try:
                scope.settle(node.slot, self._node(node, scope, guard))
            except (AbsentError, UnsettledError):
                scope.settle(node.slot, Done(None) if isinstance(node, OptionalNode) else _NEVER)
            except BaseException as error:  # of a property, a comparison or a serializer, which are users' code
                let_through(error)
                scope.settle(node.slot, _NEVER)
        return _value(scope, scope.template.output)

    def _node(self, node: Node, scope: Scope, guard: str) -> Outcome:
        match node:
            case TaskNode():
                return self._task(node, scope, guard)
            case OptionalNode():
                return Done(value_of(node.value, scope.lookup))
            case WhenNode():
                return self._branch(node, scope, guard)
            case GivenNode():
                value = value_of(node.value, scope.lookup)
                if value is None:
                    return Done(None)
                return self.through(_inside(node, node.body, scope, value), _guarded(guard, value))
            case EachNode():
                return self._each(node, scope, guard)

    def _task(self, node: TaskNode, scope: Scope, guard: str) -> Outcome:
        values = {param: value_of(expr, scope.lookup) for param, expr in node.args.items()}
        here = self.arm.nodes[node.path]
        text = values_text(values, spelt)
        outcome = None
        if self.answer is not None and not holds_unasked(values):
            outcome = self.answer(Task(node, scope, values))
        if not isinstance(here, AgentNode):
            return outcome or Done(follows_from("step", here.static, text))
        if guard and not self.at_best:
            text = f"{text},{guard}"
        work = work_key(self.arm.name, here, text) if here.shared else ""
        self.tasks.append(TaskAhead(here.spec.name, work, outcome is not None))
        if outcome is not None:
            return outcome
        own = "" if work or self.at_best else f"{self.own} {[item.key for item in scope.items]}"
        return Done(Unasked(work) if work else follows_from(own, here.static, text))

    def _branch(self, node: WhenNode, scope: Scope, guard: str) -> Outcome:
        condition = value_of(node.condition, scope.lookup)
        branches = [node.then, node.otherwise]
        if not isinstance(condition, Unasked):
            branches = [node.then if condition else node.otherwise]
        within = _guarded(guard, condition)
        outcomes = [
            Done(None) if branch is None else self.through(Scope(branch, scope, node, scope.items), within)
            for branch in branches
        ]
        if len(outcomes) == 1:
            return outcomes[0]
        return Done(follows_from(within, *map(_outcome_text, outcomes)))

    def _each(self, node: EachNode, scope: Scope, guard: str) -> Outcome:
        over = value_of(node.over, scope.lookup)
        if isinstance(over, Unasked):
            within = _guarded(guard, over)
            inner = _inside(node, node.body, scope, over["item"], Item(0, within))
            return Done(follows_from(within, _outcome_text(self.through(inner, within))))
        outcomes = [
            self.through(_inside(node, node.body, scope, value, item), guard) for value, item in _items(over, node.most)
        ]
        results = [outcome.value if isinstance(outcome, Done) else None for outcome in outcomes]
        missing = sum(not isinstance(outcome, Done) for outcome in outcomes)
        if missing and (node.need is None or len(outcomes) - missing < node.need):
            return _NEVER
        return Done(results)


def _inside(node: EachNode | GivenNode, body: Template, scope: Scope, value: Any, item: Item | None = None) -> Scope:
    """Return the scope of a body with its item."""
    inner = Scope(body, scope, node, scope.items if item is None else (*scope.items, item))
    inner.values[node.item] = Done(value)
    return inner


def _items(over: Any, most: int | None) -> Iterator[tuple[Any, Item]]:
    """Yield the items of a list that are taken, named as a session names them."""
    equal: dict[str, int] = {}
    for index, value in enumerate(list(over)[:most]):
        content = digest(spelt(value) if holds_unasked(value) else canonical(value))[:24]
        ordinal = equal[content] = equal.get(content, 0) + 1
        yield value, Item(index, f"{content}:{ordinal}")


def _guarded(guard: str, value: Any) -> str:
    """Return a guard with one more value that it depends on, where that is not known."""
    return digest(f"{guard}\0{spelt(value)}") if holds_unasked(value) else guard


def _value(scope: Scope, output: Expr) -> Outcome:
    try:
        return Done(value_of(output, scope.lookup))
    except (AbsentError, UnsettledError):
        return _NEVER
    except BaseException as error:  # of a property or a comparison, which are users' code
        let_through(error)
        return _NEVER


def _outcome_text(outcome: Outcome) -> str:
    return spelt(outcome.value) if isinstance(outcome, Done) else "never"
