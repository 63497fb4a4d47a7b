"""Which tasks of a graph have ended before another can be ready: by the graph alone, whoever answers when."""

from __future__ import annotations

from .expr import gets
from .nodes import EachNode, GivenNode, GraphSpec, TaskNode, Template, parts, reads
from .scope import Scope, Task


def tasks_awaited(spec: GraphSpec) -> dict[str, frozenset[str]]:
    """Return by path of a task the paths of all that it waits for, directly or not.

    That is more than what it is shown: a task in an `each` waits for the list, and in a branch for the condition.
    """
    awaited: dict[str, frozenset[str]] = {}
    _add_template(spec.template, frozenset(), {}, awaited)
    return awaited


def _add_template(
    template: Template, outside: frozenset[str], behind: dict[int, frozenset[str]], awaited: dict[str, frozenset[str]]
) -> frozenset[str]:
    """Add the tasks of a template; returns all that its end waits for.

    Args:
        template: Nodes in topological order.
        outside: What it waits for that the template begins.
        behind: What the value in each slot waits for; is added to.
        awaited: By path of a task; is added to.
    """
    all_of_it = outside
    for node in template.nodes:
        slots = (get.slot for expr in reads(node) for get in gets(expr))
        before = outside.union(*(behind.get(slot, frozenset()) for slot in slots))
        after = before
        if isinstance(node, TaskNode):
            awaited[node.path] = before
            after = before | {node.path}
        if isinstance(node, EachNode | GivenNode):
            behind[node.item] = before
        for part in parts(node):
            after |= _add_template(part, before, behind, awaited)
        behind[node.slot] = after
        all_of_it |= after
    return all_of_it


def of_other_items(task: Task, earlier: Task) -> bool:
    """Return whether two tasks of a row belong to different items of one list: neither waits for the other."""
    items = {id(scope.node): scope for scope in _around(task.scope)}
    return any(items.get(id(scope.node), scope) is not scope for scope in _around(earlier.scope))


def _around(scope: Scope | None) -> list[Scope]:
    """Return a scope and those around it, but the outermost, which is the row's."""
    scopes: list[Scope] = []
    while scope is not None and scope.parent is not None:
        scopes.append(scope)
        scope = scope.parent
    return scopes
