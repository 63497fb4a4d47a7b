"""Candidates for who shares with whom: several ways to build a hierarchy.

Each is good on another kind of job; the best by exact cost is taken ("A5. LAMINAR").
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .placing import Placer
from .sharing import Forest, Group, Problem


def leaf(one: int) -> Group:
    """Return the group of one type."""
    return Group(frozenset({one}))


def join(*groups: Group, flat: bool = False) -> Group:
    """Return a group around others; flat ones give up their own node for those inside."""
    inner = [part for group in groups for part in (group.inner or (group,) if flat else (group,))]
    return Group(frozenset[int]().union(*(group.members for group in groups)), tuple(inner))


def single(problem: Problem) -> Forest:
    """All types under one root."""
    return (join(*map(leaf, problem.types)),) if len(problem.types) > 1 else tuple(map(leaf, problem.types))


def top_down(problem: Problem) -> Forest:
    """Split by the block that saves most, into those that need it and those that do not."""

    def value(block: int, members: frozenset[int]) -> float:
        requests = sum(problem.counts[one] for one in members if block in problem.required[one])
        return problem.sizes[block] * ((1 - problem.later) * requests - problem.first(requests)) if requests else 0.0

    def split(members: frozenset[int], left: frozenset[int]) -> list[Group]:
        if len(members) == 1:
            return [Group(members)]
        block = max(sorted(left), key=lambda one: value(one, members), default=None)
        if block is None or value(block, members) <= 0:
            return [leaf(one) for one in sorted(members)]
        having = frozenset(one for one in members if block in problem.required[one])
        rest = left - {block}
        if len(having) == len(members):
            return split(members, rest)
        inside = split(having, rest)
        group = inside if len(inside) == 1 else [Group(having, tuple(inside))]
        return [*group, *split(members - having, rest)]

    everyone = frozenset(problem.types)
    groups = split(everyone, frozenset(range(len(problem.sizes))))
    return (Group(everyone, tuple(groups)),) if len(groups) > 1 else tuple(groups)


def by_order(problem: Problem) -> Forest:
    """A trie over one order of all blocks, the most used tokens first."""
    used = [
        sum(problem.counts[one] for one in problem.types if block in problem.required[one]) * size
        for block, size in enumerate(problem.sizes)
    ]
    order = sorted(range(len(problem.sizes)), key=lambda block: (-used[block], block))

    def build(members: list[int], at: int) -> list[Group]:
        if len(members) == 1:
            return [leaf(members[0])]
        while at < len(order):
            having = [one for one in members if order[at] in problem.required[one]]
            if having and len(having) < len(members):
                rest = [one for one in members if one not in having]
                inside = build(having, at + 1)
                group = inside if len(inside) == 1 else [Group(frozenset(having), tuple(inside))]
                return [*group, *build(rest, at + 1)]
            at += 1
        return [leaf(one) for one in members]

    groups = build(list(problem.types), 0)
    return (Group(frozenset(problem.types), tuple(groups)),) if len(groups) > 1 else tuple(groups)


@dataclass(slots=True, eq=False)
class _Tree:
    """A tree while trees are joined."""

    group: Group
    best: dict[int, float]
    """What each block saves at its best in the tree."""
    inside: dict[int, float]
    """The same without the root's own node."""

    def parts(self, flat: bool) -> tuple[Group, ...]:
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
    trees = {one: _Tree(leaf(one), placer.gains(frozenset({one})), {}) for one in placer.problem.types}
    joins: dict[tuple[int, int], _Join] = {}
    number = len(trees)
    yield tuple(tree.group for tree in trees.values())
    for one in range(number):
        for other in range(one + 1, number):
            _consider(placer, joins, trees, one, other)
    while joins:
        pair = max(joins, key=lambda key: (joins[key].saved, (-key[0], -key[1])))
        trees[number] = _joined(placer, trees[pair[0]], trees[pair[1]], joins[pair])
        joins = {key: join for key, join in joins.items() if not {*key} & {*pair}}
        for gone in pair:
            del trees[gone]
        for other in sorted(trees):
            if other != number:
                _consider(placer, joins, trees, other, number)
        number += 1
        yield tuple(tree.group for tree in trees.values())


def _consider(
    placer: Placer, joins: dict[tuple[int, int], _Join], trees: dict[int, _Tree], one: int, other: int
) -> None:
    """Keep the best way to join two trees, where it saves anything."""
    first, second = trees[one], trees[other]
    gains = placer.gains_of_two(first.group.members, second.group.members)
    best = _Join(0.0, _FLAT[0])
    for flat in _FLAT if gains else ():
        if any(gives and not tree.group.inner for gives, tree in zip(flat, (first, second), strict=True)):
            continue
        mine, yours = first.brings(flat[0]), second.brings(flat[1])
        saved = 0.0
        for block, gain in gains.items():  # the innermost loop of large problems
            rest = gain - mine.get(block, 0.0) - yours.get(block, 0.0)
            if rest > 0:
                saved += rest
        for gives, tree in zip(flat, (first, second), strict=True):
            saved += sum(tree.inside.values()) - sum(tree.best.values()) if gives else 0.0
        if saved > best.saved + 1e-9:
            best = _Join(saved, flat)
    if best.saved > 0:
        joins[one, other] = best


def _joined(placer: Placer, first: _Tree, second: _Tree, join: _Join) -> _Tree:
    inside = dict(first.brings(join.flat[0]))
    for block, saved in second.brings(join.flat[1]).items():
        inside[block] = inside.get(block, 0.0) + saved
    members = first.group.members | second.group.members
    own = {block: saved for block, saved in placer.gains(members).items() if saved >= inside.get(block, 0.0)}
    group = Group(members, (*first.parts(join.flat[0]), *second.parts(join.flat[1])))
    return _Tree(group, {**inside, **own}, inside)
