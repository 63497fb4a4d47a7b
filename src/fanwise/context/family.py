"""Laying out the nodes of one family that can share with each other, and what that costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fanwise.blocks import Block
from fanwise.canonical import dumps
from fanwise.models import facts

from .shape import MAX_ROW_MARKS, CachePrices, Need, Shape, Way
from .sharing import Node, Problem, exact_cost
from .sizes import Sizes
from .solver import solve
from .tail import fence

MAX_MARKS = 4
ROWS = 20
"""Rows that a written prefix is taken to serve before it is written again: small jobs, and gaps of
more than five minutes between waves. A constant, so that a resumed run comes to the same layout."""
ROW_BLOCK_TOKENS = 2_000
"""Length that a block of a row is taken to have."""


@dataclass(frozen=True, slots=True)
class Laid:
    """One way to lay out some nodes."""

    cost: float
    """Of all their requests, in input tokens at full price, values left out."""
    shapes: dict[str, Shape]
    mixed: bool
    """Whether nodes with different schemas share a prefix."""


def lay(members: Mapping[str, Need], cache: CachePrices, *, way: Way, schema: Mapping[str, Any] | None = None) -> Laid:
    """Lay out nodes that can share with each other.

    Args:
        members: The nodes, by path.
        cache: Prices of their model's cache.
        way: How their schemas travel.
        schema: What all of them send as `output_config.format`, if anything.
    """
    uses = Counter(name for need in members.values() for name in need.row_blocks * need.tasks)
    together = _together(members, uses)
    first = next(iter(members.values()))
    table = _Table(first.model, first.sizes)
    if schema is not None:
        table.number("schema", dumps(dict(schema)))  # first of all blocks: the API puts it in front of `system`
    if first.tools:
        table.number("tools", first.tools)  # the same for the whole family
    front = frozenset(range(len(table.sizes)))
    required = [front | table.needed(members, paths, uses) for paths in together]
    marks = max((min(_shared(one, uses), MAX_ROW_MARKS) + bool(one.media) for one in members.values()), default=0)
    problem = Problem(
        sizes=tuple(table.sizes),
        required=required,
        counts=[ROWS * sum(members[path].tasks for path in paths) for paths in together],
        write=cache.write,
        read=cache.read,
        minimum=facts(table.model).cache_minimum,
        depth=MAX_MARKS - marks,
    )
    solution = solve(problem)
    shapes = {
        path: table.shape(members[path], solution.paths.get(number, ()), uses, way, schema)
        for number, paths in enumerate(together)
        for path in paths
    }
    rows = sum(_row_cost(members, name, uses, shapes, cache) for name in uses)
    groups = [[path for one in node.members for path in together[one]] for node in solution.roots]
    groups += [[path for path, need in members.items() if name in need.row_blocks] for name in uses]
    mixed = any(len({dumps(dict(members[path].schema)) for path in group}) > 1 for group in groups)
    return Laid(exact_cost(problem, solution) + _plain_rest(members, shapes, table) + rows, shapes, mixed)


def _shared(need: Need, uses: Counter[str]) -> int:
    return sum(uses[name] > 1 for name in need.row_blocks)


def _together(members: Mapping[str, Need], uses: Counter[str]) -> list[list[str]]:
    """Return the nodes that must have one prefix, since a block of the row behind it is shared; others alone."""
    groups: list[tuple[set[str], list[str]]] = []
    for path, need in members.items():
        names = {name for name in need.row_blocks if uses[name] > 1} | {block.sha for block in need.media}
        touched = [group for group in groups if group[0] & names]
        for group in touched:
            groups.remove(group)
        merged = names.union(*(group[0] for group in touched)), [*(one for group in touched for one in group[1]), path]
        groups.append(merged)
    return [paths for _, paths in groups]


def _row_cost(
    members: Mapping[str, Need], name: str, uses: Counter[str], shapes: Mapping[str, Shape], cache: CachePrices
) -> float:
    """Return what a block of the row costs in all rows: written once and read, or sent each time."""
    readers = [path for path, need in members.items() if name in need.row_blocks]
    marked = all(name in shapes[path].marked_row_blocks for path in readers)
    once = cache.write + cache.read * (uses[name] - 1) if marked else uses[name]
    return ROWS * ROW_BLOCK_TOKENS * once


def _plain_rest(members: Mapping[str, Need], shapes: Mapping[str, Shape], table: _Table) -> float:
    """Return the cost of what stands behind blocks of the row, which is never cached."""
    total = 0.0
    for path, shape in shapes.items():
        need = members[path]
        behind = [segment.text for segment in shape.segments(need) if segment.place == "content" and segment.text]
        total += ROWS * need.tasks * sum(table.tokens(text, table.model) for text in behind)
    return total


class _Table:
    """The blocks of a family by number: documents in the order of their first use, instructions last."""

    def __init__(self, model: str, sizes: Sizes) -> None:
        self.model, self.tokens = model, sizes.tokens
        self.sizes: list[int] = []
        self.blocks: dict[int, Block] = {}
        self.instructions: set[int] = set()
        self._numbers: dict[object, int] = {}

    def number(self, key: object, text: str) -> int:
        """Return the number of a block, a new one where it is not known."""
        if key not in self._numbers:
            self._numbers[key] = len(self.sizes)
            self.sizes.append(self.tokens(text, self.model))
        return self._numbers[key]

    def needed(self, members: Mapping[str, Need], paths: Sequence[str], uses: Counter[str]) -> frozenset[int]:
        """Return the blocks that nodes with one prefix need in `system`."""
        contexts = [members[path].context for path in paths]
        found = set[int]()
        for block in contexts[0]:
            if block.media is None and all(block in context for context in contexts):
                number = self.number(block, fence(block.name, block.text))
                self.blocks[number] = block
                found.add(number)
        first = members[paths[0]]
        if len(paths) == 1 and not _shared(first, uses) and not first.media:
            number = self.number(("instructions", paths[0]), first.instructions)
            self.instructions.add(number)
            found.add(number)
        return frozenset(found)

    def shape(
        self, need: Need, nodes: Sequence[Node], uses: Counter[str], way: Way, schema: Mapping[str, Any] | None
    ) -> Shape:
        """Return the shape of a node from the prefixes that its type shares."""
        own_marked = any(one in self.instructions for node in nodes[-1:] for one in node.blocks)
        shared = nodes[:-1] if own_marked else nodes
        bundles = [tuple(self.blocks[one] for one in node.blocks if one in self.blocks) for node in shared]
        held = {block for bundle in bundles for block in bundle}
        ordered = tuple(sorted(need.row_blocks, key=lambda name: (-uses[name], name)))
        return Shape(
            bundles=tuple(bundle for bundle in bundles if bundle),
            own=tuple(block for block in need.context if block not in held and block.media is None),
            own_marked=own_marked,
            row_blocks=ordered,
            shared_row_blocks=_shared(need, uses),
            media=tuple(sorted(need.media, key=lambda block: block.sha)),
            way=way,
            schema_text=dumps(dict(need.schema if schema is None else schema)),
            format=schema,
        )
