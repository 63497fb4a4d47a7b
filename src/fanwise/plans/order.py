"""The order of a plan's tasks: each behind those that it reads, as near to the order written as that allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def in_order(reads: Mapping[str, Sequence[str]]) -> tuple[list[str], list[str]]:
    """Return tasks each behind those that it reads, and one circle of them, which is empty where there is none.

    Args:
        reads: For each task, in the order written, the tasks that it reads.
    """
    done: dict[str, None] = {}
    for name in reads:
        circle = _visit(name, reads, done)
        if circle:
            return list(reads), circle
    return list(done), []


def _visit(first: str, reads: Mapping[str, Sequence[str]], done: dict[str, None]) -> list[str]:
    """Add a task behind those that it reads; return the circle on the way, if any. Chains may be long: no recursion."""
    way, left = [first], [iter(reads[first])]
    if first in done:
        return []
    while way:
        name = next((name for name in left[-1] if name not in done), None)
        if name is None:
            done[way.pop()] = None
            left.pop()
        elif name in way:
            return [*way[way.index(name) :], name]
        else:
            way.append(name)
            left.append(iter(reads[name]))
    return []


def needed_for(name: str, reads: Mapping[str, Sequence[str]]) -> set[str]:
    """Return a task and all that it reads, directly or not."""
    needed, left = {name}, [name]
    while left:
        more = [other for other in reads[left.pop()] if other not in needed]
        needed.update(more)
        left += more
    return needed


def depths(order: Sequence[str], reads: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Return for each task how long the longest chain of tasks is that ends with it."""
    depth: dict[str, int] = {}
    for name in order:
        depth[name] = 1 + max((depth[other] for other in reads[name]), default=0)
    return depth
