"""The layout problem: which tasks share which cached prefix, and what a solution costs.

Types of tasks need blocks. A solution is a forest: a node holds blocks that all tasks below it
are sent in front, behind a cache breakpoint, in the order of the path from its root. Prices are
in units of the model's input price per token: a write costs `write`, a read `read`, the rest 1.

The method and its proofs: "A. Prefix-sharing layout" of the algorithms reference, 2026-11-23.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Types of tasks, the blocks they need, and the prices of a cache."""

    sizes: Sequence[int]
    """Tokens of each block."""
    required: Sequence[frozenset[int]]
    """Blocks that each type needs, by index."""
    counts: Sequence[int]
    """Requests of each type; at least 1."""
    write: float = 1.25
    read: float = 0.1
    minimum: int = 0
    """Shortest prefix that is cached, in tokens; a shorter one cannot end at a breakpoint."""
    depth: int = 4
    """Most breakpoints of a request."""
    allowed: Sequence[frozenset[int]] | None = None
    """Blocks that each type may carry, needed or not; None: only those that it needs."""
    hit_rate: float = 1.0
    """Share of the reads that find the entry: below 1 where the cache is best effort."""
    starts: int = 1
    """Requests that start at once on a cold prefix and all write it; 1 behind a gate."""

    @property
    def types(self) -> range:
        """The types, by index."""
        return range(len(self.required))

    @cached_property
    def later(self) -> float:
        """What a token costs in every request after those that write it."""
        return self.hit_rate * self.read + (1 - self.hit_rate) * self.write

    def may(self, task_type: int) -> frozenset[int]:
        """Return the blocks that a type may carry."""
        required = self.required[task_type]
        return required if self.allowed is None else self.allowed[task_type] | required

    def first(self, requests: int) -> float:
        """Return what the writers of a prefix pay beyond what later requests pay, per token."""
        return (self.write - self.later) * min(self.starts, requests)


@dataclass(frozen=True, eq=False)
class TypeGroup:
    """Types that may share a prefix: a node of a hierarchy, with the groups inside of it."""

    members: frozenset[int]
    inner: tuple[TypeGroup, ...] = ()
    """Disjoint groups within; together they need not cover the members."""


Forest = tuple[TypeGroup, ...]


@dataclass(frozen=True)
class Node:
    """A cached prefix: blocks behind those of the node above, with a breakpoint at its end."""

    blocks: tuple[int, ...]
    members: frozenset[int]
    inner: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Solution:
    """Which blocks stand where."""

    roots: tuple[Node, ...] = ()
    paths: dict[int, tuple[Node, ...]] = field(init=False, compare=False, repr=False)
    """For each type that shares a prefix, its nodes from the front."""

    def __post_init__(self) -> None:
        paths: dict[int, tuple[Node, ...]] = {}

        def walk(node: Node, above: tuple[Node, ...]) -> None:
            here = (*above, node)
            for member in node.members:
                paths[member] = here
            for inner in node.inner:
                walk(inner, here)

        for root in self.roots:
            walk(root, ())
        object.__setattr__(self, "paths", paths)


def plain_cost(problem: Problem) -> float:
    """Return the input cost of all tasks without a cache, tails left out."""
    needed = ((problem.counts[index], problem.required[index]) for index in problem.types)
    return float(sum(count * sum(problem.sizes[block] for block in required) for count, required in needed))


def exact_cost(problem: Problem, solution: Solution) -> float:
    """Return the input cost of all tasks with a solution, tails left out.

    The first requests on a node write its blocks, every later one reads them; what a task needs
    and no node of its path holds is sent plain behind the last breakpoint.
    """
    total = 0.0

    def walk(node: Node) -> float:
        requests = sum(problem.counts[member] for member in node.members)
        size = sum(problem.sizes[block] for block in node.blocks)
        own = size * (problem.later * requests + problem.first(requests))
        return own + sum(walk(inner) for inner in node.inner)

    for root in solution.roots:
        total += walk(root)
    for index in problem.types:
        held = {block for node in solution.paths.get(index, ()) for block in node.blocks}
        rest = sum(problem.sizes[block] for block in problem.required[index] - held)
        total += problem.counts[index] * rest
    return total


def faults(problem: Problem, solution: Solution) -> list[str]:
    """Return what makes a solution impossible; empty for a good one."""
    return [text for root in solution.roots for text in _faults_below(problem, root, 0, 1, frozenset())]


def _faults_below(problem: Problem, node: Node, above: int, depth: int, held: frozenset[int]) -> Iterator[str]:
    """Yield the faults of a node and of those inside of it.

    Args:
        problem: What is solved.
        node: The node.
        above: Tokens of the prefix in front of it.
        depth: Its breakpoint's number, from the front.
        held: The blocks in front of it.
    """
    size = above + sum(problem.sizes[block] for block in node.blocks)
    yield from _faults_of(problem, node, size, depth, held)
    seen: set[int] = set()
    for inner in node.inner:
        if not inner.members <= node.members or inner.members & seen:
            yield "a node inside another is no part of it"
        seen |= inner.members
        yield from _faults_below(problem, inner, size, depth + 1, held | set(node.blocks))


def _faults_of(problem: Problem, node: Node, size: int, depth: int, held: frozenset[int]) -> Iterator[str]:
    """Yield the faults of one node, whose prefix has so many tokens."""
    if depth > problem.depth:
        yield f"{depth} breakpoints, {problem.depth} are allowed"
    if size < problem.minimum:
        yield f"a prefix of {size} tokens, the minimum is {problem.minimum}"
    if held & set(node.blocks):
        yield "a block twice on one path"
    for member in sorted(node.members):
        if set(node.blocks) - problem.may(member):
            yield f"type {member} carries a block that it may not"
