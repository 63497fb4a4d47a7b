"""Placing blocks in a given hierarchy: the best for each block, then mended to what the API allows.

For a fixed hierarchy the blocks decouple: each stands on the antichain of groups that saves most.
Minimum length and number of breakpoints are mended afterwards, top-most first, by whatever costs least.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from .sharing import Forest, Node, Problem, Solution, TypeGroup

THOROUGH = 4_000_000
"""Steps of work in which every way to mend a fault is tried; a few seconds of it."""


MOST_PAIRED = 16
"""Blocks of which all pairs are tried to fill a prefix up."""


@dataclass(kw_only=True)
class _Facts:
    """What is the same for a group in every placement."""

    requests: int
    need: dict[int, int]
    """Requests that need a block, for the blocks that all members may carry."""
    wanted: dict[int, int]
    """The same without the blocks that nobody needs."""
    gain: dict[int, float]
    """What each of these blocks saves, placed at the group; below zero where it costs."""
    gains: dict[int, float]
    """Those that save something."""


@dataclass
class Placer:
    """Places blocks; remembers what it knows of each group of types."""

    problem: Problem
    remembered: dict[frozenset[int], _Facts] = field(default_factory=dict[frozenset[int], _Facts])
    work: int = 0
    """Steps done so far: a count and no clock, so that the same problem has the same solution."""

    def facts(self, members: frozenset[int]) -> _Facts:
        """Return requests and useful blocks of a group."""
        facts = self.remembered.get(members)
        if facts is None:
            facts = self.remembered[members] = self._work_out(sorted(members))
        return facts

    def _work_out(self, members: Sequence[int]) -> _Facts:
        problem = self.problem
        may = frozenset[int].intersection(*map(problem.may, members))
        need = {block: self._requests(members, block) for block in may}
        requests = sum(problem.counts[member] for member in members)
        later, first = problem.later * requests, problem.first(requests)
        gain = {block: problem.sizes[block] * (count - later - first) for block, count in need.items()}
        return _Facts(
            requests=requests,
            need=need,
            wanted={block: count for block, count in need.items() if count},
            gain=gain,
            gains={block: saved for block, saved in gain.items() if saved > 0},
        )

    def _requests(self, members: Sequence[int], block: int) -> int:
        """Return how many requests of some types need a block."""
        return sum(self.problem.counts[member] for member in members if block in self.problem.required[member])

    def gains_of_two(self, left: frozenset[int], right: frozenset[int]) -> dict[int, float]:
        """Return `gains` of a union, from what is remembered of its two parts; the union is not remembered."""
        first, second, problem = self.facts(left), self.facts(right), self.problem
        requests = first.requests + second.requests
        floor = problem.later * requests + problem.first(requests)
        gains: dict[int, float] = {}
        for block, count in first.wanted.items():
            if block in second.need and count + second.need[block] > floor:
                gains[block] = problem.sizes[block] * (count + second.need[block] - floor)
        for block, count in second.wanted.items():
            if count > floor and block not in first.wanted and block in first.need:
                gains[block] = problem.sizes[block] * (count - floor)
        return gains

    def gain(self, members: frozenset[int], block: int) -> float:
        """Return what a block saves, placed at a group that may carry it."""
        return self.facts(members).gain[block]

    def gains(self, members: frozenset[int]) -> dict[int, float]:
        """Return the blocks that save something at a group, and how much."""
        return self.facts(members).gains

    def place(self, forest: Forest) -> tuple[float, Solution]:
        """Return the best valid placement in a hierarchy, with what it saves over no cache."""
        saved, nodes = 0.0, list[Node]()
        for root in forest:
            saved_here, placed = self._tree(root)
            saved += saved_here
            nodes += placed
        return saved, Solution(tuple(nodes))

    def bound(self, forest: Forest) -> float:
        """Return what no placement in a hierarchy saves more than: minimum and depth left out."""
        return sum(self._solve(root, frozenset(), {})[0] for root in forest)

    def _tree(self, root: TypeGroup) -> tuple[float, list[Node]]:
        """Return the best valid placement in a tree, by two ways of mending it."""
        placements = [self._mended(root, fill_first=False)]
        if self.problem.allowed is not None and self.problem.minimum:
            placements.append(self._mended(root, fill_first=True))
        return max(placements, key=lambda placement: placement[0])

    def _mended(self, root: TypeGroup, *, fill_first: bool) -> tuple[float, list[Node]]:
        off: frozenset[TypeGroup] = frozenset()
        forced: dict[TypeGroup, frozenset[int]] = {}
        for _ in range(4 * len(root.members) + 8):
            saved, placed, inside = self._solve(root, off, forced)
            all_wrong = self._wrong(root, placed)
            if not all_wrong:
                return saved, _nodes(root, placed)
            if self.work > THOROUGH:  # no time to try: what seems to lose least gives way, everywhere at once
                off = off | {min(wrong, key=lambda group: self._lost(group, placed, inside)) for wrong in all_wrong}
                continue
            wrong = all_wrong[0]
            ways = self._mends(wrong, placed, inside, off, forced)
            # What a way is worth is looked up one step ahead; a filled prefix is sure, a closed one may
            # leave others behind that are too short as well.
            off, forced = ways[-1] if fill_first else max(ways, key=lambda way: self._solve(root, *way)[0])
        return 0.0, []

    def _mends(
        self,
        wrong: tuple[TypeGroup, ...],
        placed: dict[TypeGroup, frozenset[int]],
        inside: dict[TypeGroup, dict[int, float]],
        off: frozenset[TypeGroup],
        forced: dict[TypeGroup, frozenset[int]],
    ) -> list[tuple[frozenset[TypeGroup], dict[TypeGroup, frozenset[int]]]]:
        """Return the ways out: close one of the groups, or fill up the last one to the minimum."""
        ways = [(off | {group}, {key: blocks for key, blocks in forced.items() if key is not group}) for group in wrong]
        last = wrong[-1]
        if len(wrong) == 1 and last not in forced:
            filled = self._filled(last, placed, inside[last])
            if filled is not None:
                ways.append((off, {**forced, last: filled}))
        return ways

    def _lost(
        self, group: TypeGroup, placed: dict[TypeGroup, frozenset[int]], inside: dict[TypeGroup, dict[int, float]]
    ) -> float:
        """Return what closing a group would lose: its saving, less what the groups inside would save instead."""
        return sum(self.gain(group.members, block) - inside[group].get(block, 0.0) for block in placed[group])

    def _filled(
        self, group: TypeGroup, placed: dict[TypeGroup, frozenset[int]], inside: dict[int, float]
    ) -> frozenset[int] | None:
        """Return the blocks of a group with others added up to the minimum, losing as little as is found."""
        above = self._above(group, placed)
        held = placed[group].union(*(placed[outer] for outer in above))
        missing = self.problem.minimum - sum(self.problem.sizes[block] for block in held)
        others = {
            block: gain - inside.get(block, 0.0)
            for block, gain in self.facts(group.members).gain.items()
            if block not in held
        }
        chosen = cover(missing, others, self.problem.sizes)
        return None if chosen is None else placed[group] | chosen

    def _above(self, group: TypeGroup, placed: dict[TypeGroup, frozenset[int]]) -> list[TypeGroup]:
        return [outer for outer in placed if outer is not group and group.members < outer.members]

    def _solve(
        self, root: TypeGroup, off: frozenset[TypeGroup], forced: dict[TypeGroup, frozenset[int]]
    ) -> tuple[float, dict[TypeGroup, frozenset[int]], dict[TypeGroup, dict[int, float]]]:
        """Return the best placement that closes some groups and fixes the blocks of others.

        The last part is what the groups inside of each would save with each block.
        """
        own: dict[TypeGroup, dict[int, float]] = {}
        inside: dict[TypeGroup, dict[int, float]] = {}

        def up(group: TypeGroup) -> dict[int, float]:
            total: dict[int, float] = {}
            for inner in group.inner:
                for block, saved in up(inner).items():
                    total[block] = total.get(block, 0.0) + saved
            inside[group] = dict(total) if group.inner else total
            placed_here = self._placed(group, group in off, forced.get(group), total)
            total |= placed_here
            own[group] = placed_here
            self.work += len(total) + 1
            return total

        placed: dict[TypeGroup, frozenset[int]] = {}

        def down(group: TypeGroup, held: frozenset[int]) -> None:
            chosen = frozenset(block for block in own[group] if block not in held)
            placed[group] = chosen
            for inner in group.inner:
                down(inner, held | chosen)

        up(root)
        down(root, frozenset())
        saved = sum(self.gain(group.members, block) for group, blocks in placed.items() for block in blocks)
        return saved, placed, inside

    def _placed(
        self, group: TypeGroup, closed: bool, forced: frozenset[int] | None, inside: Mapping[int, float]
    ) -> dict[int, float]:
        """Return the blocks that stand at a group and what each saves: those fixed, or those that save most there."""
        if forced is not None:
            return {block: self.gain(group.members, block) for block in forced}
        if closed:
            return {}
        gains = self.gains(group.members)
        return {block: saved for block, saved in gains.items() if saved >= inside.get(block, 0.0)}

    def _wrong(self, root: TypeGroup, placed: dict[TypeGroup, frozenset[int]]) -> list[tuple[TypeGroup, ...]]:
        """Return groups of which one has to give way, top-most first: one too short, or a path too deep."""
        sizes, problem = self.problem.sizes, self.problem
        wrong: list[tuple[TypeGroup, ...]] = []
        waiting: list[tuple[TypeGroup, int, tuple[TypeGroup, ...]]] = [(root, 0, ())]
        for group, above, path in waiting:
            size = above + sum(sizes[block] for block in placed[group])
            used = (*path, group) if placed[group] else path
            if placed[group] and size < problem.minimum:
                wrong.append((group,))
            elif len(used) > problem.depth:
                wrong.append(used)
            else:
                waiting += [(inner, size, used) for inner in group.inner]
        return wrong


def _nodes(group: TypeGroup, placed: dict[TypeGroup, frozenset[int]]) -> list[Node]:
    inner = [node for part in group.inner for node in _nodes(part, placed)]
    blocks = tuple(sorted(placed[group]))
    return [Node(blocks, group.members, tuple(inner))] if blocks else inner


def cover(missing: int, gains: Mapping[int, float], sizes: Sequence[int]) -> frozenset[int] | None:
    """Return blocks of at least `missing` tokens that lose little, or None where there are not enough.

    A knapsack: tried are the best single block, the best pair, and the least loss per token with
    what turns out superfluous taken away again.
    """
    ordered = sorted(gains, key=lambda block: (-gains[block] / max(sizes[block], 1), block))
    chosen = _in_order(missing, ordered, sizes)
    if chosen is None:
        return None
    pairs = [frozenset(few) for count in (1, 2) for few in combinations(ordered[:MOST_PAIRED], count)]
    enough = [pair for pair in pairs if sum(sizes[block] for block in pair) >= missing]
    candidates = [_without_superfluous(missing, chosen, gains, sizes), *enough]
    return max(candidates, key=lambda blocks: sum(gains[block] for block in blocks))


def _in_order(missing: int, ordered: Sequence[int], sizes: Sequence[int]) -> frozenset[int] | None:
    """Return the first blocks of an order that have `missing` tokens together, or None where all have fewer."""
    chosen, size = set[int](), 0
    for block in ordered:
        if size >= missing:
            break
        chosen.add(block)
        size += sizes[block]
    return frozenset(chosen) if size >= missing else None


def _without_superfluous(
    missing: int, chosen: frozenset[int], gains: Mapping[int, float], sizes: Sequence[int]
) -> frozenset[int]:
    """Return blocks without those that lose something and are not needed for `missing` tokens, the dearest first."""
    kept, size = set(chosen), sum(sizes[block] for block in chosen)
    for block in sorted(chosen, key=lambda block: (gains[block], block)):
        if gains[block] < 0 and size - sizes[block] >= missing:
            kept.remove(block)
            size -= sizes[block]
    return frozenset(kept)
