"""What has become of the nodes of one template, for one row or one item of it; and the tasks that are ready there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .expr import UnsettledError
from .nodes import Node, TaskNode, Template
from .outcomes import Done, Outcome


@dataclass(frozen=True, slots=True)
class Item:
    """Which item of a list an inner task belongs to."""

    index: int
    key: str
    """Hash of the content and its ordinal among equal ones: stays when the list is reordered."""


@dataclass(eq=False, slots=True)
class Task:
    """A task that is ready: its node, its item and the values it is shown."""

    node: TaskNode
    scope: Scope
    values: dict[str, Any]

    @property
    def label(self) -> str:
        """The task with its items, for people: `research[2]`."""
        return node_label(self.node, self.scope)

    @property
    def items(self) -> tuple[Item, ...]:
        """The items that the task belongs to, outermost first."""
        return self.scope.items


class Scope:
    """The state of one template for one row, or for one item of it."""

    __slots__ = ("_inner", "_started", "_unsettled", "items", "node", "parent", "template", "values")

    def __init__(self, template: Template, parent: Scope | None, node: Node | None, items: tuple[Item, ...]) -> None:
        self.template, self.parent, self.node, self.items = template, parent, node, items
        self.values: dict[int, Outcome] = {}
        self._unsettled = len(template.nodes)
        """Nodes that have no outcome yet."""
        # Small, since there may be very many: which nodes have started as bits, inner scopes where there are any.
        self._started = 0
        self._inner: dict[int, list[Scope]] | None = None

    def started(self, slot: int) -> bool:
        """Return whether a node has started."""
        return bool(self._started >> slot & 1)

    def start(self, slot: int, inner: list[Scope] | None = None) -> None:
        """Note that a node has started, with the scopes inside of it; None for a task."""
        self._started |= 1 << slot
        if inner is not None:
            self._inner = self._inner or {}
            self._inner[slot] = inner

    def inner(self, slot: int) -> list[Scope] | None:
        """Return the scopes inside of a node that runs; None for a task."""
        return None if self._inner is None else self._inner.get(slot)

    def settle(self, slot: int, outcome: Outcome) -> None:
        """Note the outcome of a node; what was inside of it is forgotten."""
        self._unsettled -= slot not in self.values
        self.values[slot] = outcome
        if self._inner is not None:
            self._inner.pop(slot, None)

    def lookup(self, slot: int) -> Any:
        """Return the value of a slot, here or further out.

        Raises:
            UnsettledError: It has no value yet, or its task has failed.
        """
        scope: Scope | None = self
        while scope is not None:
            if slot in scope.values:
                outcome = scope.values[slot]
                if isinstance(outcome, Done):
                    return outcome.value
                raise UnsettledError(slot)
            scope = scope.parent
        raise UnsettledError(slot)

    def outcome_of(self, slot: int) -> Outcome | None:
        """Return the outcome in a slot, or None while there is none."""
        scope: Scope | None = self
        while scope is not None:
            if slot in scope.values:
                return scope.values[slot]
            scope = scope.parent
        return None

    def settled(self) -> bool:
        """Return whether every node has an outcome."""
        return not self._unsettled


def node_label(node: Node, scope: Scope) -> str:
    """Return a node with its items, for people: `research[2]`."""
    return node.path + "".join([f"[{item.index}]" for item in scope.items]) if scope.items else node.path
