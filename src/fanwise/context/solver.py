"""The cheapest sharing that is found: a portfolio of hierarchies and a local search, by exact cost.

Never dearer than no cache, and never dearer than one prefix of what all tasks share: both are
among the candidates, and all are scored by the same cost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

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
    placer, best, best_saved = Placer(merged), Solution(), 0.0
    shared, starts = _intersection(merged), list[tuple[float, Forest]]()
    if shared is not None:
        best, best_saved = shared, _saved(merged, shared)
    for bound, forest in _candidates(merged, placer)[: LARGE if len(merged.types) > LOCAL_TYPES else None]:
        if bound <= best_saved + 1e-9:
            break
        saved, solution = placer.place(forest)
        starts.append((saved, forest))
        if saved > best_saved + 1e-9:
            best, best_saved = solution, saved
    if len(merged.types) <= LOCAL_TYPES and len(merged.types) > 1:
        for _, forest in sorted(starts, key=lambda one: -one[0])[:STARTS]:
            saved, solution = _local(placer, forest, trials)
            if saved > best_saved + 1e-9:
                best, best_saved = solution, saved
    best = Solution(_unified(best.roots))
    assert not faults(merged, best), faults(merged, best)
    return _unmerge(best, origin)


def _unified(nodes: Sequence[Node]) -> tuple[Node, ...]:
    """Make one node of siblings with the same blocks: the cache cannot tell them apart either."""
    found: dict[tuple[int, ...], Node] = {}
    for node in nodes:
        same = found.get(node.blocks)
        if same is not None:
            node = Node(node.blocks, node.members | same.members, (*same.inner, *node.inner))
        found[node.blocks] = node
    return tuple(Node(node.blocks, node.members, _unified(node.inner)) for node in found.values())


def _candidates(problem: Problem, placer: Placer) -> list[tuple[float, Forest]]:
    """Return hierarchies with a bound of what they can save, the most promising first."""
    joined = list(agglomerated(placer))
    # All that were met on the way are candidates; of a long way the last ones, where most is shared.
    forests = [single(problem), top_down(problem), by_order(problem), *joined[-LARGE:]]
    bounds = [(placer.bound(forest), forest) for forest in forests]
    return sorted(bounds, key=lambda one: -one[0])


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
    here_saved, here = placer.place(forest)
    looked, improved = 0, True
    while improved and looked < trials:
        improved = False
        chosen: tuple[float, Forest, Solution] | None = None
        for candidate in neighbours(forest):
            looked += 1
            saved, solution = placer.place(candidate)
            if saved > here_saved + 1e-9 and (chosen is None or saved > chosen[0] + 1e-9):
                chosen = saved, candidate, solution
            if looked >= trials:
                break
        if chosen is not None:
            here_saved, forest, here = chosen
            improved = True
    return here_saved, here


def _merge(problem: Problem) -> tuple[Problem, Sequence[frozenset[int]]]:
    """Take types that need and may carry the same together; returns the types behind each."""
    groups: dict[tuple[frozenset[int], frozenset[int]], list[int]] = {}
    for one in problem.types:
        groups.setdefault((problem.required[one], problem.may(one)), []).append(one)
    keys = list(groups)
    merged = replace(
        problem,
        required=tuple(required for required, _ in keys),
        allowed=None if problem.allowed is None else tuple(may for _, may in keys),
        counts=tuple(sum(problem.counts[one] for one in groups[key]) for key in keys),
    )
    return merged, [frozenset(groups[key]) for key in keys]


def _unmerge(solution: Solution, origin: Sequence[frozenset[int]]) -> Solution:
    def back(node: Node) -> Node:
        members = frozenset[int]().union(*(origin[one] for one in node.members))
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
