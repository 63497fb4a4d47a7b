"""The hierarchies that are one move away from another: what the local search looks at."""

from __future__ import annotations

from collections.abc import Iterator

from .sharing import Forest, TypeGroup


def neighbours(forest: Forest) -> Iterator[Forest]:
    """Yield the hierarchies one move away: a subtree taken elsewhere, or a node given up for those inside."""
    for path in _paths(forest):
        group = _at(forest, path)
        if group.inner:
            yield _replace(forest, path, group.inner)
        without = _prune(_replace(forest, path, ()), group.members)
        for target in _paths(without):
            into = _at(without, target)
            if into.inner:
                yield _widen(_replace(without, target, (TypeGroup(into.members, (*into.inner, group)),)), target, group)
            pair = TypeGroup(into.members | group.members, (into, group))
            yield _widen(_replace(without, target, (pair,)), target, group)
        yield (*without, group)


def _paths(forest: Forest, above: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
    for index, group in enumerate(forest):
        yield (*above, index)
        yield from _paths(group.inner, (*above, index))


def _at(forest: Forest, path: tuple[int, ...]) -> TypeGroup:
    group = forest[path[0]]
    return group if len(path) == 1 else _at(group.inner, path[1:])


def _replace(forest: Forest, path: tuple[int, ...], by: tuple[TypeGroup, ...]) -> Forest:
    index, group = path[0], forest[path[0]]
    if len(path) > 1:
        by = (TypeGroup(group.members, _replace(group.inner, path[1:], by)),)
    return (*forest[:index], *by, *forest[index + 1 :])


def _prune(forest: Forest, gone: frozenset[int]) -> Forest:
    """Take members out of every group, and groups away that hold one other at most."""
    kept: list[TypeGroup] = []
    for group in forest:
        members, inner = group.members - gone, _prune(group.inner, gone)
        if group.inner and len(inner) == 1 and inner[0].members == members:
            kept.append(inner[0])
        elif members:
            kept.append(TypeGroup(members, inner))
    return tuple(kept)


def _widen(forest: Forest, path: tuple[int, ...], group: TypeGroup) -> Forest:
    """Make the groups around a place hold the members of what was put there."""
    index, here = path[0], forest[path[0]]
    inner = _widen(here.inner, path[1:], group) if len(path) > 1 else here.inner
    return (*forest[:index], TypeGroup(here.members | group.members, inner), *forest[index + 1 :])
