"""Candidates for who shares with whom: several ways to build a hierarchy.

Each is good on another kind of job; the best by exact cost is taken ("A5. LAMINAR").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from .placing import Placer
from .sharing import Forest, Problem, TypeGroup


def leaf(task_type: int) -> TypeGroup:
    """Return the group of one type."""
    return TypeGroup(frozenset({task_type}))


def join(*groups: TypeGroup, flat: bool = False) -> TypeGroup:
    """Return a group around others; flat ones give up their own node for those inside."""
    inner = [part for group in groups for part in (group.inner or (group,) if flat else (group,))]
    return TypeGroup(frozenset[int]().union(*(group.members for group in groups)), tuple(inner))


def single(problem: Problem) -> Forest:
    """All types under one root."""
    return (join(*map(leaf, problem.types)),) if len(problem.types) > 1 else tuple(map(leaf, problem.types))


def top_down(problem: Problem) -> Forest:
    """Split by the block that saves most, into those that need it and those that do not."""

    def value(block: int, members: frozenset[int]) -> float:
        requests = _requests(problem, members, block)
        return problem.sizes[block] * ((1 - problem.later) * requests - problem.first(requests)) if requests else 0.0

    def split(members: frozenset[int], left: frozenset[int]) -> list[TypeGroup]:
        if len(members) == 1:
            return [TypeGroup(members)]
        block = max(sorted(left), key=lambda block: value(block, members), default=None)
        if block is None or value(block, members) <= 0:
            return [leaf(member) for member in sorted(members)]
        having = frozenset(member for member in members if block in problem.required[member])
        rest = left - {block}
        if len(having) == len(members):
            return split(members, rest)
        return [*_around(having, split(having, rest)), *split(members - having, rest)]

    everyone = frozenset(problem.types)
    groups = split(everyone, frozenset(range(len(problem.sizes))))
    return (TypeGroup(everyone, tuple(groups)),) if len(groups) > 1 else tuple(groups)


def by_order(problem: Problem) -> Forest:
    """A trie over one order of all blocks, the most used tokens first."""
    used = [_requests(problem, problem.types, block) * size for block, size in enumerate(problem.sizes)]
    order = sorted(range(len(problem.sizes)), key=lambda block: (-used[block], block))

    def build(members: list[int], at: int) -> list[TypeGroup]:
        if len(members) == 1:
            return [leaf(members[0])]
        while at < len(order):
            having = [member for member in members if order[at] in problem.required[member]]
            if having and len(having) < len(members):
                rest = [member for member in members if member not in having]
                return [*_around(frozenset(having), build(having, at + 1)), *build(rest, at + 1)]
            at += 1
        return [leaf(member) for member in members]

    groups = build(list(problem.types), 0)
    return (TypeGroup(frozenset(problem.types), tuple(groups)),) if len(groups) > 1 else tuple(groups)


def _requests(problem: Problem, members: Iterable[int], block: int) -> int:
    """Return how many requests of some types need a block."""
    return sum(problem.counts[member] for member in members if block in problem.required[member])


def _around(members: frozenset[int], inner: list[TypeGroup]) -> list[TypeGroup]:
    """Return a group of types around the groups that they were split into; nothing around a single one."""
    return inner if len(inner) == 1 else [TypeGroup(members, tuple(inner))]


@dataclass(slots=True, eq=False)
class _Tree:
    """A tree while trees are joined."""

    group: TypeGroup
    best: dict[int, float]
    """What each block saves at its best in the tree."""
    inside: dict[int, float]
    """The same without the root's own node."""

    def parts(self, flat: bool) -> tuple[TypeGroup, ...]:
        """Return the groups that it brings into a new root: itself, or what is inside of it."""
        return self.group.inner if flat else (self.group,)

    def brings(self, flat: bool) -> dict[int, float]:
        """Return what its blocks save below a new root."""
        return self.inside if flat else self.best


@dataclass(frozen=True, slots=True)
class _Join:
    """A way to make one tree of two."""

    saved: float
    """More than the two apart."""
    flat: tuple[bool, bool]
    """Whose own node is given up."""


_FLAT = ((False, False), (True, False), (False, True), (True, True))


def agglomerated(placer: Placer) -> Iterator[Forest]:
    """Join the pair of trees that saves most, again and again; yields every forest on the way.

    Minimum and depth are left out of sight here; the placing of each forest keeps them.
    """
    trees = {index: _Tree(leaf(index), placer.gains(frozenset({index})), {}) for index in placer.problem.types}
    joins: dict[tuple[int, int], _Join] = {}
    number = len(trees)
    yield tuple(tree.group for tree in trees.values())
    for pair in combinations(range(number), 2):
        _consider(placer, joins, trees, pair)
    while joins:
        best = max(joins, key=lambda pair: (joins[pair].saved, (-pair[0], -pair[1])))
        trees[number] = _joined(placer, trees[best[0]], trees[best[1]], joins[best])
        joins = {pair: join for pair, join in joins.items() if not {*pair} & {*best}}
        for gone in best:
            del trees[gone]
        for tree in sorted(trees):
            if tree != number:
                _consider(placer, joins, trees, (tree, number))
        number += 1
        yield tuple(tree.group for tree in trees.values())


def _consider(
    placer: Placer, joins: dict[tuple[int, int], _Join], trees: dict[int, _Tree], pair: tuple[int, int]
) -> None:
    """Keep the best way to join two trees, where it saves anything."""
    first, second = trees[pair[0]], trees[pair[1]]
    gains = placer.gains_of_two(first.group.members, second.group.members)
    best = _Join(0.0, _FLAT[0])
    for flat in _ways(first, second) if gains else ():
        saved = _saved(gains, first, second, flat)
        if saved > best.saved + 1e-9:
            best = _Join(saved, flat)
    if best.saved > 0:
        joins[pair] = best


def _ways(first: _Tree, second: _Tree) -> list[tuple[bool, bool]]:
    """Return which of two trees may give up their own node: those with others inside."""
    return [flat for flat in _FLAT if (first.group.inner or not flat[0]) and (second.group.inner or not flat[1])]


def _saved(gains: Mapping[int, float], first: _Tree, second: _Tree, flat: tuple[bool, bool]) -> float:
    """Return what a join saves more than two trees apart.

    Args:
        gains: What each block saves at the new root.
        first: One tree.
        second: The other.
        flat: Which of them give up their own node.
    """
    from_first, from_second = first.brings(flat[0]), second.brings(flat[1])
    saved = 0.0
    for block, gain in gains.items():  # the innermost loop of large problems
        rest = gain - from_first.get(block, 0.0) - from_second.get(block, 0.0)
        if rest > 0:
            saved += rest
    for gives, tree in zip(flat, (first, second), strict=True):
        if gives:
            saved += sum(tree.inside.values()) - sum(tree.best.values())
    return saved


def _joined(placer: Placer, first: _Tree, second: _Tree, join: _Join) -> _Tree:
    inside = dict(first.brings(join.flat[0]))
    for block, saved in second.brings(join.flat[1]).items():
        inside[block] = inside.get(block, 0.0) + saved
    members = first.group.members | second.group.members
    own = {block: saved for block, saved in placer.gains(members).items() if saved >= inside.get(block, 0.0)}
    group = TypeGroup(members, (*first.parts(join.flat[0]), *second.parts(join.flat[1])))
    return _Tree(group, {**inside, **own}, inside)
