"""Laying out the nodes of one family that can share with each other, and what that costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fanwise.blocks import Block
from fanwise.canonical import dumps
from fanwise.models import facts

from .shape import MAX_ROW_MARKS, CachePrices, Need, Shape, Way, fenced
from .sharing import Node, Problem, Solution, exact_cost
from .sizes import Sizes
from .solver import solve

MAX_MARKS = 4
ROWS = 20
"""Rows that a written prefix is taken to serve before it is written again: small jobs, and gaps of
more than five minutes between waves. A constant, so that a resumed run comes to the same layout."""
ROW_BLOCK_TOKENS = 2_000
"""Length that a block of a row is taken to have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedLayout:
    """One way to lay out some nodes."""

    cost: float
    """Of all their requests, in input tokens at full price, values left out."""
    shapes: dict[str, Shape]
    mixed: bool
    """Whether nodes with different schemas share a prefix."""
    joined: frozenset[str] = frozenset()
    """Paths of the nodes without a schema that share one with a node that has one."""


def lay_out(
    members: Mapping[str, Need], cache: CachePrices, *, way: Way, schema: Mapping[str, Any] | None = None
) -> PricedLayout:
    """Lay out nodes that can share with each other.

    Args:
        members: The nodes, by path.
        cache: Prices of their model's cache.
        way: How their schemas travel; who has none answers in plain text, but for an envelope.
        schema: What all of them send as `output_config.format`, if anything.
    """
    uses = Counter(name for need in members.values() for name in need.row_blocks * need.tasks)
    together = _together(members, uses)
    first = next(iter(members.values()))
    table = _BlockTable(first.model, first.sizes)
    front = table.in_front(schema, first.tools)
    required = [front | table.needed(members, paths, uses) for paths in together]
    problem = Problem(
        sizes=tuple(table.sizes),
        required=required,
        counts=[ROWS * sum(members[path].tasks for path in paths) for paths in together],
        write=cache.write,
        read=cache.read,
        minimum=facts(table.model).cache_minimum,
        depth=MAX_MARKS - max(_content_marks(need, uses) for need in members.values()),
    )
    solution = solve(problem)
    shapes = {
        path: table.shape(members[path], solution.paths.get(number, ()), uses, way, schema)
        for number, paths in enumerate(together)
        for path in paths
    }
    rows = sum(_row_cost(members, name, uses, shapes, cache) for name in uses)
    cost = exact_cost(problem, solution) + _plain_rest(members, shapes, table) + rows
    groups = [{path: members[path] for path in paths} for paths in _sharers(members, together, uses, solution)]
    joined = frozenset[str]().union(*map(_joined, groups))
    return PricedLayout(cost=cost, shapes=shapes, mixed=any(map(_is_mixed, groups)), joined=joined)


def _content_marks(need: Need, uses: Counter[str]) -> int:
    """Return how many breakpoints a node needs behind files and blocks of the row."""
    marked = {*_shared(need, uses), *need.again}
    return min(len(marked), MAX_ROW_MARKS) + bool(need.media)


def _sharers(
    members: Mapping[str, Need], together: Sequence[Sequence[str]], uses: Iterable[str], solution: Solution
) -> Iterator[list[str]]:
    """Yield the nodes behind each prefix, and those that are shown each block of the row."""
    for node in solution.roots:
        yield [path for number in node.members for path in together[number]]
    for name in uses:
        yield [path for path, need in members.items() if name in need.row_blocks]


def _is_mixed(group: Mapping[str, Need]) -> bool:
    """Return whether nodes have different schemas."""
    return len({dumps(dict(need.schema)) for need in group.values() if need.schema is not None}) > 1


def _joined(group: Mapping[str, Need]) -> set[str]:
    """Return the nodes without a schema among such as have one."""
    texts = {path for path, need in group.items() if need.schema is None}
    return texts if len(texts) < len(group) else set()


def _shared(need: Need, uses: Counter[str]) -> list[str]:
    """Return the blocks of the row that other tasks are shown too."""
    return [name for name in need.row_blocks if uses[name] > 1]


def _together(members: Mapping[str, Need], uses: Counter[str]) -> list[list[str]]:
    """Return the nodes that must have one prefix, since a block of the row behind it is shared; others alone."""
    groups: list[tuple[set[str], list[str]]] = []
    for path, need in members.items():
        names = {*_shared(need, uses), *(block.sha for block in need.media)}
        touched = [group for group in groups if group[0] & names]
        for group in touched:
            groups.remove(group)
        joined = [member for group in touched for member in group[1]]
        groups.append((names.union(*(group[0] for group in touched)), [*joined, path]))
    return [paths for _, paths in groups]


def _row_cost(
    members: Mapping[str, Need], name: str, uses: Counter[str], shapes: Mapping[str, Shape], cache: CachePrices
) -> float:
    """Return what a block of the row costs in all rows: written once and read, or sent each time."""
    marked = all(name in shape.marked_row_blocks for path, shape in shapes.items() if name in members[path].row_blocks)
    price = cache.write + cache.read * (uses[name] - 1) if marked else uses[name]
    return ROWS * ROW_BLOCK_TOKENS * price


def _plain_rest(members: Mapping[str, Need], shapes: Mapping[str, Shape], table: _BlockTable) -> float:
    """Return the cost of what stands behind blocks of the row, which is never cached."""
    total = 0.0
    for path, shape in shapes.items():
        need = members[path]
        behind = [segment.text for segment in shape.segments(need) if segment.place == "content" and segment.text]
        total += ROWS * need.tasks * sum(table.tokens(text, table.model) for text in behind)
    return total


class _BlockTable:
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

    def in_front(self, schema: Mapping[str, Any] | None, tools: str) -> frozenset[int]:
        """Return the blocks that all nodes of a family need: number them before any other.

        Args:
            schema: What is sent as `output_config.format`; the API puts it in front of `system`.
            tools: Definitions of tools, as JSON.
        """
        if schema is not None:
            self.number("schema", dumps(dict(schema)))
        if tools:
            self.number("tools", tools)
        return frozenset(range(len(self.sizes)))

    def needed(self, members: Mapping[str, Need], paths: Sequence[str], uses: Counter[str]) -> frozenset[int]:
        """Return the blocks that nodes with one prefix need in `system`."""
        numbers = {self._block(block) for block in _common([members[path].context for path in paths])}
        first = members[paths[0]]
        if len(paths) == 1 and not _shared(first, uses) and not first.media:
            number = self.number(("instructions", paths[0]), first.instructions)
            self.instructions.add(number)
            numbers.add(number)
        return frozenset(numbers)

    def _block(self, block: Block) -> int:
        number = self.number(block, fenced(block))
        self.blocks[number] = block
        return number

    def shape(
        self, need: Need, nodes: Sequence[Node], uses: Counter[str], way: Way, schema: Mapping[str, Any] | None
    ) -> Shape:
        """Return the shape of a node from the prefixes that its type shares."""
        own_marked = bool(nodes) and not self.instructions.isdisjoint(nodes[-1].blocks)
        bundles = self._bundles(nodes[:-1] if own_marked else nodes)
        own_schema = need.schema if schema is None else schema
        ordered = tuple(sorted(need.row_blocks, key=lambda name: (-uses[name], name not in need.again, name)))
        shared = len(_shared(need, uses))
        return Shape(
            bundles=bundles,
            own=_texts_but(need, {block for bundle in bundles for block in bundle}),
            own_marked=own_marked,
            row_blocks=ordered,
            shared_row_blocks=shared,
            again=0 if shared else len(need.again),
            media=tuple(sorted(need.media, key=lambda block: block.sha)),
            way="text" if own_schema is None else way,
            schema_text="" if own_schema is None else dumps(dict(own_schema)),
            format=schema,
        )

    def _bundles(self, nodes: Iterable[Node]) -> tuple[tuple[Block, ...], ...]:
        """Return the blocks of prefixes; one that holds none of the context is left out."""
        bundles = (tuple(self.blocks[number] for number in node.blocks if number in self.blocks) for node in nodes)
        return tuple(bundle for bundle in bundles if bundle)


def _common(contexts: Sequence[Sequence[Block]]) -> list[Block]:
    """Return the blocks of text that all of some contexts hold, in the order of the first."""
    return [block for block in contexts[0] if block.media is None and all(block in context for context in contexts)]


def _texts_but(need: Need, held: Collection[Block]) -> tuple[Block, ...]:
    """Return the blocks of text that a node needs and that are not held already."""
    return tuple(block for block in need.context if block not in held and block.media is None)
