"""The cheapest sharing that is found: a portfolio of hierarchies and a local search, by exact cost.

Never dearer than no cache, and never dearer than one prefix of what all tasks share: both are
among the candidates, and all are scored by the same cost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from .hierarchies import agglomerated, by_order, single, top_down
from .moves import neighbours
from .placing import Placer
from .sharing import Forest, Node, Problem, Solution, exact_cost, faults

LOCAL_TYPES = 12
"""Most types for which the local search is worth its time."""
LOCAL_TRIALS = 4_000
"""Most hierarchies that it looks at, from each start."""
STARTS = 4
"""Hierarchies that it starts from."""
LARGE = 8
"""Most hierarchies that are placed for more than `LOCAL_TYPES` types, and of those that joining leaves behind."""


def solve(problem: Problem, *, trials: int = LOCAL_TRIALS) -> Solution:
    """Return a sharing of prefixes that costs as little as was found; the same for the same problem."""
    merged, origin = _merge(problem)
    best, best_saved = Solution(), 0.0
    shared = _intersection(merged)
    if shared is not None:
        best, best_saved = shared, _saved(merged, shared)
    for saved, solution in _placements(merged, best_saved, trials):
        if saved > best_saved + 1e-9:
            best, best_saved = solution, saved
    best = Solution(_unified(best.roots))
    assert not faults(merged, best), faults(merged, best)
    return _unmerge(best, origin)


def _placements(problem: Problem, least: float, trials: int) -> Iterator[tuple[float, Solution]]:
    """Yield solutions that may save more than all before them, with what each saves.

    Args:
        problem: Types that need and may carry the same are one.
        least: What is saved already.
        trials: Most hierarchies that each local search looks at.
    """
    placer, starts = Placer(problem), list[tuple[float, Forest]]()
    few = len(problem.types) <= LOCAL_TYPES
    for bound, forest in _candidates(problem, placer)[: None if few else LARGE]:
        if bound <= least + 1e-9:
            break
        saved, solution = placer.place(forest)
        starts.append((saved, forest))
        if saved > least + 1e-9:
            least = saved
        yield saved, solution
    if few and len(problem.types) > 1:
        for _, forest in sorted(starts, key=lambda start: -start[0])[:STARTS]:
            yield _local(placer, forest, trials)


def _unified(nodes: Sequence[Node]) -> tuple[Node, ...]:
    """Make one node of siblings with the same blocks: the cache cannot tell them apart either."""
    unified: dict[tuple[int, ...], Node] = {}
    for node in nodes:
        twin = unified.get(node.blocks)
        if twin is not None:
            node = Node(node.blocks, node.members | twin.members, (*twin.inner, *node.inner))
        unified[node.blocks] = node
    return tuple(Node(node.blocks, node.members, _unified(node.inner)) for node in unified.values())


def _candidates(problem: Problem, placer: Placer) -> list[tuple[float, Forest]]:
    """Return hierarchies with a bound of what they can save, the most promising first."""
    joined = list(agglomerated(placer))
    # All that were met on the way are candidates; of a long way the last ones, where most is shared.
    forests = [single(problem), top_down(problem), by_order(problem), *joined[-LARGE:]]
    bounds = [(placer.bound(forest), forest) for forest in forests]
    return sorted(bounds, key=lambda bound: -bound[0])


def _saved(problem: Problem, solution: Solution) -> float:
    return exact_cost(problem, Solution()) - exact_cost(problem, solution)


def _intersection(problem: Problem) -> Solution | None:
    """Return one prefix of what all tasks need, where that can be cached and saves anything."""
    shared = frozenset[int].intersection(*problem.required) if problem.required else frozenset[int]()
    size = sum(problem.sizes[block] for block in shared)
    if not shared or size < problem.minimum:
        return None
    solution = Solution((Node(tuple(sorted(shared)), frozenset(problem.types)),))
    return solution if _saved(problem, solution) > 0 else None


def _local(placer: Placer, forest: Forest, trials: int) -> tuple[float, Solution]:
    """Move one subtree at a time for as long as that saves."""
    best_saved, best = placer.place(forest)
    left = trials
    while left > 0:
        looked, move = _best_move(placer, forest, best_saved, left)
        left -= looked
        if move is None:
            break
        best_saved, forest, best = move
    return best_saved, best


def _best_move(
    placer: Placer, forest: Forest, least: float, trials: int
) -> tuple[int, tuple[float, Forest, Solution] | None]:
    """Return how many hierarchies were looked at, and the one that saves most if that is more than `least`."""
    looked, best = 0, None
    for candidate in islice(neighbours(forest), trials):
        looked += 1
        saved, solution = placer.place(candidate)
        if saved > least + 1e-9:
            least, best = saved, (saved, candidate, solution)
    return looked, best


def _merge(problem: Problem) -> tuple[Problem, Sequence[frozenset[int]]]:
    """Take types that need and may carry the same together; returns the types behind each."""
    groups: dict[tuple[frozenset[int], frozenset[int]], list[int]] = {}
    for index in problem.types:
        groups.setdefault((problem.required[index], problem.may(index)), []).append(index)
    keys = list(groups)
    merged = replace(
        problem,
        required=tuple(required for required, _ in keys),
        allowed=None if problem.allowed is None else tuple(may for _, may in keys),
        counts=tuple(sum(problem.counts[index] for index in groups[key]) for key in keys),
    )
    return merged, [frozenset(groups[key]) for key in keys]


def _unmerge(solution: Solution, origin: Sequence[frozenset[int]]) -> Solution:
    def back(node: Node) -> Node:
        members = frozenset[int]().union(*(origin[member] for member in node.members))
        return Node(node.blocks, members, tuple(map(back, node.inner)))

    return Solution(tuple(map(back, solution.roots)))


def savings(problem: Problem, solution: Solution) -> Mapping[str, float]:
    """Return what a solution costs beside no cache and beside one common prefix, tails left out."""
    shared = _intersection(problem)
    return {
        "none": exact_cost(problem, Solution()),
        "intersection": exact_cost(problem, shared or Solution()),
        "chosen": exact_cost(problem, solution),
    }
