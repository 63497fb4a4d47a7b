"""Placing blocks in a given hierarchy: the best for each block, then mended to what the API allows.

For a fixed hierarchy the blocks decouple: each stands on the antichain of groups that saves most.
Minimum length and number of breakpoints are mended afterwards, top-most first, by whatever costs least.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from .sharing import Forest, Group, Node, Problem, Solution

THOROUGH = 4_000_000
"""Steps of work in which every way to mend a fault is tried; a few seconds of it."""


MOST_PAIRED = 16
"""Blocks of which all pairs are tried to fill a prefix up."""


@dataclass
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
    known: dict[frozenset[int], _Facts] = field(default_factory=dict[frozenset[int], _Facts])
    work: int = 0
    """Steps done so far: a count and no clock, so that the same problem has the same solution."""

    def facts(self, members: frozenset[int]) -> _Facts:
        """Return requests and useful blocks of a group."""
        found = self.known.get(members)
        if found is None:
            problem = self.problem
            ordered = sorted(members)
            may = frozenset[int].intersection(*(problem.may(one) for one in ordered))
            need = {
                block: sum(problem.counts[one] for one in ordered if block in problem.required[one]) for block in may
            }
            requests = sum(problem.counts[one] for one in ordered)
            wanted = {block: count for block, count in need.items() if count}
            later, first = problem.later * requests, problem.first(requests)
            gain = {block: problem.sizes[block] * (count - later - first) for block, count in need.items()}
            gains = {block: saved for block, saved in gain.items() if saved > 0}
            found = self.known[members] = _Facts(requests, need, wanted, gain, gains)
        return found

    def gains_of_two(self, one: frozenset[int], other: frozenset[int]) -> dict[int, float]:
        """Return `gains` of a union, from what is known of its two parts; the union is not remembered."""
        first, second, problem = self.facts(one), self.facts(other), self.problem
        requests = first.requests + second.requests
        floor = problem.later * requests + problem.first(requests)
        found: dict[int, float] = {}
        for block, count in first.wanted.items():
            if block in second.need and count + second.need[block] > floor:
                found[block] = problem.sizes[block] * (count + second.need[block] - floor)
        for block, count in second.wanted.items():
            if count > floor and block not in first.wanted and block in first.need:
                found[block] = problem.sizes[block] * (count - floor)
        return found

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
            one, made = self._tree(root)
            saved += one
            nodes += made
        return saved, Solution(tuple(nodes))

    def bound(self, forest: Forest) -> float:
        """Return what no placement in a hierarchy saves more than: minimum and depth left out."""
        return sum(self._solve(root, frozenset(), {})[0] for root in forest)

    def _tree(self, root: Group) -> tuple[float, list[Node]]:
        """Return the best valid placement in a tree, by two ways of mending it."""
        made = [self._mended(root, fill_first=False)]
        if self.problem.allowed is not None and self.problem.minimum:
            made.append(self._mended(root, fill_first=True))
        return max(made, key=lambda one: one[0])

    def _mended(self, root: Group, *, fill_first: bool) -> tuple[float, list[Node]]:
        off: frozenset[Group] = frozenset()
        forced: dict[Group, frozenset[int]] = {}
        for _ in range(4 * len(root.members) + 8):
            saved, placed, inside = self._solve(root, off, forced)
            all_wrong = self._wrong(root, placed)
            if not all_wrong:
                return saved, _nodes(root, placed)
            if self.work > THOROUGH:  # no time to try: what seems to lose least gives way, everywhere at once
                off = off | {min(wrong, key=lambda one: self._lost(one, placed, inside)) for wrong in all_wrong}
                continue
            wrong = all_wrong[0]
            ways = self._mends(wrong, placed, inside, off, forced)
            # What a way is worth is looked up one step ahead; a filled prefix is sure, a closed one may
            # leave others behind that are too short as well.
            off, forced = ways[-1] if fill_first else max(ways, key=lambda way: self._solve(root, *way)[0])
        return 0.0, []

    def _mends(
        self,
        wrong: tuple[Group, ...],
        placed: dict[Group, frozenset[int]],
        inside: dict[Group, dict[int, float]],
        off: frozenset[Group],
        forced: dict[Group, frozenset[int]],
    ) -> list[tuple[frozenset[Group], dict[Group, frozenset[int]]]]:
        """Return the ways out: close one of the groups, or fill up the last one to the minimum."""
        ways = [(off | {group}, {key: blocks for key, blocks in forced.items() if key is not group}) for group in wrong]
        last = wrong[-1]
        if len(wrong) == 1 and last not in forced:
            filled = self._filled(last, placed, inside[last])
            if filled is not None:
                ways.append((off, {**forced, last: filled}))
        return ways

    def _lost(self, group: Group, placed: dict[Group, frozenset[int]], inside: dict[Group, dict[int, float]]) -> float:
        """Return what closing a group would lose: its saving, less what the groups inside would save instead."""
        return sum(self.gain(group.members, block) - inside[group].get(block, 0.0) for block in placed[group])

    def _filled(
        self, group: Group, placed: dict[Group, frozenset[int]], inside: dict[int, float]
    ) -> frozenset[int] | None:
        """Return the blocks of a group with others added up to the minimum, losing as little as is found."""
        above = self._above(group, placed)
        held = placed[group].union(*(placed[one] for one in above))
        missing = self.problem.minimum - sum(self.problem.sizes[block] for block in held)
        others = {
            block: gain - inside.get(block, 0.0)
            for block, gain in self.facts(group.members).gain.items()
            if block not in held
        }
        chosen = cover(missing, others, self.problem.sizes)
        return None if chosen is None else placed[group] | chosen

    def _above(self, group: Group, placed: dict[Group, frozenset[int]]) -> list[Group]:
        return [one for one in placed if one is not group and group.members < one.members]

    def _solve(
        self, root: Group, off: frozenset[Group], forced: dict[Group, frozenset[int]]
    ) -> tuple[float, dict[Group, frozenset[int]], dict[Group, dict[int, float]]]:
        """Return the best placement that closes some groups and fixes the blocks of others.

        The last part is what the groups inside of each would save with each block.
        """
        own: dict[Group, dict[int, float]] = {}
        inside: dict[Group, dict[int, float]] = {}

        def up(group: Group) -> dict[int, float]:
            total: dict[int, float] = {}
            for inner in group.inner:
                for block, saved in up(inner).items():
                    total[block] = total.get(block, 0.0) + saved
            inside[group] = dict(total) if group.inner else total
            mine: dict[int, float] = {}
            if group in forced:
                mine = {block: self.gain(group.members, block) for block in forced[group]}
                total |= mine
            elif group not in off:
                mine = {
                    block: saved for block, saved in self.gains(group.members).items() if saved >= total.get(block, 0.0)
                }
                total |= mine
            own[group] = mine
            self.work += len(total) + 1
            return total

        placed: dict[Group, frozenset[int]] = {}

        def down(group: Group, held: frozenset[int]) -> None:
            chosen = frozenset(block for block in own[group] if block not in held)
            placed[group] = chosen
            for inner in group.inner:
                down(inner, held | chosen)

        up(root)
        down(root, frozenset())
        saved = sum(self.gain(group.members, block) for group, blocks in placed.items() for block in blocks)
        return saved, placed, inside

    def _wrong(self, root: Group, placed: dict[Group, frozenset[int]]) -> list[tuple[Group, ...]]:
        """Return groups of which one has to give way, top-most first: one too short, or a path too deep."""
        sizes, problem = self.problem.sizes, self.problem
        found: list[tuple[Group, ...]] = []
        waiting: list[tuple[Group, int, tuple[Group, ...]]] = [(root, 0, ())]
        for group, above, path in waiting:
            size = above + sum(sizes[block] for block in placed[group])
            used = (*path, group) if placed[group] else path
            if placed[group] and size < problem.minimum:
                found.append((group,))
            elif len(used) > problem.depth:
                found.append(used)
            else:
                waiting += [(inner, size, used) for inner in group.inner]
        return found


def _nodes(group: Group, placed: dict[Group, frozenset[int]]) -> list[Node]:
    inner = [node for one in group.inner for node in _nodes(one, placed)]
    blocks = tuple(sorted(placed[group]))
    return [Node(blocks, group.members, tuple(inner))] if blocks else inner


def cover(missing: int, gains: Mapping[int, float], sizes: Sequence[int]) -> frozenset[int] | None:
    """Return blocks of at least `missing` tokens that lose little, or None where there are not enough.

    A knapsack: tried are the best single block, the best pair, and the least loss per token with
    what turns out superfluous taken away again.
    """
    ordered = sorted(gains, key=lambda block: (-gains[block] / max(sizes[block], 1), block))
    chosen, size = set[int](), 0
    for block in ordered:
        if size >= missing:
            break
        chosen.add(block)
        size += sizes[block]
    if size < missing:
        return None
    for block in sorted(chosen, key=lambda one: (gains[one], one)):
        if gains[block] < 0 and size - sizes[block] >= missing:
            chosen.remove(block)
            size -= sizes[block]
    few = [one for count in (1, 2) for one in combinations(ordered[:MOST_PAIRED], count)]
    enough = [frozenset(one) for one in few if sum(sizes[block] for block in one) >= missing]
    return max([frozenset(chosen), *enough], key=lambda one: sum(gains[block] for block in one))
