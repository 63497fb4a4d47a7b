"""The state of one row: which tasks are ready, and what an outcome means for the rest.

Pure: it knows no clock, network or journal. The engine asks `start()` for the first tasks, hands
each outcome to `finish()`, and gets the tasks that became ready; `outcome()` is the row's result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fanwise.canonical import canonical, digest
from fanwise.foreign import let_through, reason, shown

from .expr import AbsentError, Expr, UnsettledError, evaluate
from .nodes import EachNode, GivenNode, Node, OptionalNode, TaskNode, Template, WhenNode
from .outcomes import Done, Failed, Outcome, Skipped
from .scope import Item, Scope, Task, node_label


class RowState:
    """All tasks of one row."""

    __slots__ = ("failures", "root")

    def __init__(self, template: Template, arguments: Mapping[int, Any]) -> None:
        self.root = Scope(template, None, None, ())
        self.root.values = {slot: Done(value) for slot, value in arguments.items()}
        self.failures: tuple[Failed, ...] = ()

    def start(self) -> list[Task]:
        """Return the tasks that are ready at first."""
        ready: list[Task] = []
        self._advance(self.root, ready)
        return ready

    def finish(self, task: Task, outcome: Outcome) -> list[Task]:
        """Record the outcome of a task and return the tasks that became ready by it."""
        if isinstance(outcome, Failed):
            self.failures += (outcome,)
        task.scope.settle(task.node.slot, outcome)
        ready: list[Task] = []
        self._advance(task.scope, ready)
        return ready

    def finished(self) -> bool:
        """Return whether every task has an outcome."""
        return self.root.settled()

    def outcome(self) -> Outcome:
        """Return the result of the row; only when it is finished."""
        return _evaluate(self.root, self.root.template.output, None) or Failed("the result", "absent", "never settled")

    def _advance(self, scope: Scope, ready: list[Task]) -> None:
        """Start what can start in a scope, and go outward when the scope is complete."""
        self._advance_inner(scope, ready)
        if scope.parent is not None and scope.node is not None and scope.settled():
            outer = scope.parent
            if scope.node.slot not in outer.values and self._join(scope.node, outer):
                self._advance(outer, ready)

    def _try_node(self, node: Node, scope: Scope, ready: list[Task]) -> None:
        """Start or settle a node where all that it reads is there."""
        match node:
            case TaskNode():
                self._try_task(node, scope, ready)
            case OptionalNode():
                outcome = _evaluate(scope, node.value, node)
                if outcome is not None:
                    scope.settle(node.slot, outcome if isinstance(outcome, Done) else Done(None))
            case WhenNode():
                self._try_branch(node, scope, ready)
            case GivenNode():
                self._try_given(node, scope, ready)
            case EachNode():
                self._try_each(node, scope, ready)

    def _try_given(self, node: GivenNode, scope: Scope, ready: list[Task]) -> None:
        outcome = _evaluate(scope, node.value, node)
        if isinstance(outcome, Done) and outcome.value is not None:
            self._start_body(node, scope, node.body, {node.item: outcome.value}, ready)
        elif outcome is not None:
            scope.settle(node.slot, outcome)

    def _try_task(self, node: TaskNode, scope: Scope, ready: list[Task]) -> None:
        values: dict[str, Any] = {}
        for param, expr in node.args.items():
            outcome = _evaluate(scope, expr, node)
            if outcome is None:
                return
            if not isinstance(outcome, Done):
                cause = outcome.cause if isinstance(outcome, Skipped) else outcome
                if isinstance(outcome, Failed) and outcome.kind == "absent":
                    self.failures += (outcome,)
                    scope.settle(node.slot, outcome)
                else:
                    scope.settle(node.slot, Skipped(cause))
                return
            values[param] = outcome.value
        scope.start(node.slot)
        ready.append(Task(node, scope, values))

    def _try_branch(self, node: WhenNode, scope: Scope, ready: list[Task]) -> None:
        outcome = _evaluate(scope, node.condition, node)
        if outcome is None:
            return
        if not isinstance(outcome, Done):
            scope.settle(node.slot, outcome)
            return
        try:
            branch = node.then if outcome.value else node.otherwise
        except BaseException as error:  # of a `__bool__`, which is users' code
            let_through(error)
            scope.settle(node.slot, Failed(node_label(node, scope), "raised", reason(error)))
            return
        if branch is None:
            scope.settle(node.slot, Done(None))
        else:
            self._start_body(node, scope, branch, {}, ready)

    def _try_each(self, node: EachNode, scope: Scope, ready: list[Task]) -> None:
        outcome = _evaluate(scope, node.over, node)
        if outcome is None:
            return
        if not isinstance(outcome, Done):
            scope.settle(node.slot, outcome)
            return
        try:
            values = _listed(outcome.value, node.most)
        except TypeError:
            scope.settle(node.slot, Failed(node_label(node, scope), "absent", f"{shown(outcome.value)} is not a list"))
            return
        except BaseException as error:  # of an iterator or a serializer, which are users' code
            let_through(error)
            scope.settle(node.slot, Failed(node_label(node, scope), "raised", reason(error)))
            return
        equal_items: dict[str, int] = {}  # how many have had the same content so far, by its hash
        inner: list[Scope] = []
        for index, (value, content) in enumerate(values):
            ordinal = equal_items[content] = equal_items.get(content, 0) + 1
            child = Scope(node.body, scope, node, (*scope.items, Item(index, f"{content}:{ordinal}")))
            child.values[node.item] = Done(value)
            inner.append(child)
        scope.start(node.slot, inner)
        for child in inner:
            self._advance_inner(child, ready)
        self._join(node, scope)

    def _start_body(self, node: Node, scope: Scope, body: Template, values: dict[int, Any], ready: list[Task]) -> None:
        child = Scope(body, scope, node, scope.items)
        child.values.update({slot: Done(value) for slot, value in values.items()})
        scope.start(node.slot, [child])
        self._advance_inner(child, ready)
        self._join(node, scope)

    def _advance_inner(self, scope: Scope, ready: list[Task]) -> None:
        """Start what can start in a scope and in the scopes inside of it, which may read its slots."""
        for node in scope.template.nodes:
            if node.slot in scope.values:
                continue
            if not scope.started(node.slot):
                self._try_node(node, scope, ready)
                continue
            for child in scope.inner(node.slot) or ():
                self._advance_inner(child, ready)
            self._join(node, scope)

    def _join(self, node: Node, scope: Scope) -> bool:
        """Settle a node whose inner scopes are all complete; returns whether it did.

        What comes out of them may be a value from further out, which is waited for.
        """
        inner = scope.inner(node.slot)
        if inner is None or not all(child.settled() for child in inner):
            return False
        results: list[Outcome] = []
        for child in inner:
            result = _evaluate(child, child.template.output, node)
            if result is None:
                return False
            results.append(result)
        scope.settle(node.slot, _joined(results, node.need) if isinstance(node, EachNode) else results[0])
        return True


def _listed(value: Any, most: int | None) -> list[tuple[Any, str]]:
    """Return the items of a list that are taken, each with a hash of its content."""
    return [(item, digest(canonical(item))[:24]) for item in list(value)[:most]]


def _joined(results: list[Outcome], need: int | None) -> Outcome:
    """Return the list of what items came to, None for those that failed; or that the join is skipped.

    Args:
        results: One for each item.
        need: How many must have succeeded; None: all of them.
    """
    failed = [result for result in results if not isinstance(result, Done)]
    if failed and (need is None or len(results) - len(failed) < need):
        return failed[0] if isinstance(failed[0], Skipped) else Skipped(failed[0])
    return Done([result.value if isinstance(result, Done) else None for result in results])


def _evaluate(scope: Scope, expr: Expr, node: Node | None) -> Outcome | None:
    """Return what an expression comes to for a node, or for the row's result; None where it has to wait."""
    try:
        return Done(evaluate(expr, scope.lookup))
    except AbsentError as error:
        return Failed("the result" if node is None else node_label(node, scope), "absent", str(error))
    except UnsettledError as error:
        return scope.outcome_of(error.slot)
    except BaseException as error:  # of a property or a comparison, which are users' code
        let_through(error)
        return Failed("the result" if node is None else node_label(node, scope), "raised", reason(error))


def run_all(state: RowState, carry_out: Callable[[Task], Outcome]) -> Outcome:
    """Carry out every task of a row, one after another, and return the row's result."""
    ready = state.start()
    while ready:
        task = ready.pop(0)
        ready += state.finish(task, carry_out(task))
    return state.outcome()
