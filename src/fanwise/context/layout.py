"""Which block stands where in a request, and behind which of them the cache is asked to write.

Agents that can share a cache (equal model, thinking and effort) form a family. Who shares which
prefix with whom is the problem of `sharing`, solved by price. Where nodes with different schemas
share one, the schemas travel in the tail, unless strict ones, which split the cache, are much
cheaper. Agents that read a block of the row together stand behind one and the same prefix.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fanwise.blocks import Block
from fanwise.canonical import dumps
from fanwise.models import Intensity, facts

from .sharing import Node, Problem, exact_cost
from .solver import solve
from .tail import fence

MAX_ROW_MARKS = 2
"""Breakpoints for blocks of the row; the API takes 4 in all."""
MAX_MARKS = 4
ROWS = 20
"""Rows that a written prefix is taken to serve before it is written again: small jobs, and gaps of
more than five minutes between waves. A constant, so that a resumed run comes to the same layout."""
SPLIT = 1.25
"""How much cheaper whole requests must be with strict schemas for a shared prefix to be split by them."""
REST_TOKENS = 500
"""What a request is taken to cost beside its blocks and its schema: values and answer, in input tokens."""
ITEMS = 3
"""Items that a list is taken to have; its length is known only at run time."""
ROW_BLOCK_TOKENS = 2_000
"""Length that a block of a row is taken to have."""
TAIL_FRAME_TOKENS = 30
"""What stands around a schema in the tail."""
REPAIRS = 1.01
"""Price of a schema that is not enforced: one answer in a hundred is asked again. Ours, not measured."""


@dataclass(frozen=True, slots=True)
class CachePrices:
    """What the cache of a model costs, in units of its input price."""

    write: float = 1.25
    """Writing a prefix for 5 minutes ("Prompt caching", read 2026-11-23)."""
    read: float = 0.1


@dataclass(frozen=True, slots=True)
class Need:
    """What the tasks of one node need to be shown, apart from their values."""

    agent: str
    model: str
    intensity: Intensity
    instructions: str
    context: tuple[Block, ...]
    schema: Mapping[str, Any]
    row_blocks: tuple[str, ...]
    """Names of the blocks of the row, in the order of the signature."""
    repeated: bool
    """True where one row has several such tasks (inside `each`)."""
    apart: str = ""
    """Agents of another `apart` share no prefix with these: the two sides of a comparison."""

    @property
    def family(self) -> tuple[object, ...]:
        """Agents of one family can share a prefix: all that splits a cache is equal, formats left out."""
        return (self.model, self.intensity.thinking, self.intensity.effort, self.apart)

    @property
    def tasks(self) -> int:
        """Tasks of a row, as far as that is known beforehand."""
        return ITEMS if self.repeated else 1


@dataclass(frozen=True, slots=True)
class Shape:
    """The order of one node's requests."""

    bundles: tuple[tuple[Block, ...], ...]
    """In `system`, each shared with others and with a breakpoint behind it."""
    own: tuple[Block, ...]
    """The agent's other blocks: in `system` behind the bundles, or behind the blocks of the row."""
    own_marked: bool
    """Whether a breakpoint follows its own blocks and its instructions, in `system`."""
    row_blocks: tuple[str, ...]
    """In the order in which they are sent."""
    shared_row_blocks: int
    """How many of them, from the front, other tasks of the row read too; marked."""
    strict: bool
    """Whether the schema travels as `output_config.format`, which splits the cache."""

    @property
    def row_first(self) -> bool:
        """Whether blocks of the row stand in front of the instructions."""
        return self.shared_row_blocks > 0


Prices = Callable[[str], CachePrices]
"""Gives the prices of a model's cache."""


def layout(needs: Mapping[str, Need], prices: Prices = lambda model: CachePrices()) -> dict[str, Shape]:
    """Return a shape for every node, by path; the same for the same needs and prices."""
    families: dict[tuple[object, ...], dict[str, Need]] = {}
    for path, need in needs.items():
        families.setdefault(need.family, {})[path] = need
    shapes: dict[str, Shape] = {}
    for family in families.values():
        cache = prices(next(iter(family.values())).model)
        strict, tail = _strict(family, cache), _tail(family, cache)
        rest = ROWS * REST_TOKENS * sum(need.tasks for need in family.values())
        split = not tail.mixed or (strict.cost + rest) * SPLIT < tail.cost + rest
        shapes |= strict.shapes if split else tail.shapes
    return shapes


@dataclass(frozen=True, slots=True)
class _Laid:
    """One way to lay out some nodes."""

    cost: float
    """Of all their requests, in input tokens at full price, values left out."""
    shapes: dict[str, Shape]
    mixed: bool
    """Whether nodes with different schemas share a prefix."""


def _strict(members: Mapping[str, Need], cache: CachePrices) -> _Laid:
    """Every schema as `output_config.format`: only nodes with equal ones share."""
    groups: dict[str, dict[str, Need]] = {}
    for path, need in members.items():
        groups.setdefault(dumps(dict(need.schema)), {})[path] = need
    laid = [_lay(group, cache, schema=schema) for schema, group in groups.items()]
    shapes = {path: shape for one in laid for path, shape in one.shapes.items()}
    return _Laid(sum(one.cost for one in laid), shapes, mixed=False)


def _tail(members: Mapping[str, Need], cache: CachePrices) -> _Laid:
    """Every schema in the tail of its own requests: all nodes can share."""
    laid = _lay(members, cache, schema=None)
    schemas = sum(
        ROWS * need.tasks * (_tokens(dumps(dict(need.schema)), need.model) + TAIL_FRAME_TOKENS)
        for need in members.values()
    )
    return _Laid((laid.cost + schemas) * REPAIRS, laid.shapes, laid.mixed)


def _tokens(text: str, model: str) -> int:
    return math.ceil(len(text) / facts(model).chars_per_token)


def _lay(members: Mapping[str, Need], cache: CachePrices, *, schema: str | None) -> _Laid:
    """Lay out nodes that can share with each other."""
    uses = Counter(name for need in members.values() for name in need.row_blocks * need.tasks)
    together = _together(members, uses)
    table = _Table(next(iter(members.values())).model)
    if schema is not None:
        table.number(schema, schema)  # first of all blocks: the API puts it in front of `system`
    front = frozenset({0}) if schema is not None else frozenset[int]()
    required = [front | table.needed(members, paths, uses) for paths in together]
    marks = max((min(_shared(members[path], uses), MAX_ROW_MARKS) for path in members), default=0)
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
        path: table.shape(members[path], solution.paths.get(number, ()), uses, strict=schema is not None)
        for number, paths in enumerate(together)
        for path in paths
    }
    rows = sum(_row_cost(members, name, uses, shapes, cache) for name in uses)
    groups = [[path for one in node.members for path in together[one]] for node in solution.roots]
    groups += [[path for path, need in members.items() if name in need.row_blocks] for name in uses]
    mixed = any(len({dumps(dict(members[path].schema)) for path in group}) > 1 for group in groups)
    return _Laid(exact_cost(problem, solution) + _plain_rest(members, shapes, table) + rows, shapes, mixed)


def _shared(need: Need, uses: Counter[str]) -> int:
    return sum(uses[name] > 1 for name in need.row_blocks)


def _together(members: Mapping[str, Need], uses: Counter[str]) -> list[list[str]]:
    """Return the nodes that must have one prefix, since a block of the row behind it is shared; others alone."""
    groups: list[tuple[set[str], list[str]]] = []
    for path, need in members.items():
        names = {name for name in need.row_blocks if uses[name] > 1}
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
    marked = all(
        name in shapes[path].row_blocks[: min(shapes[path].shared_row_blocks, MAX_ROW_MARKS)] for path in readers
    )
    once = cache.write + cache.read * (uses[name] - 1) if marked else uses[name]
    return ROWS * ROW_BLOCK_TOKENS * once


def _plain_rest(members: Mapping[str, Need], shapes: Mapping[str, Shape], table: _Table) -> float:
    """Return the cost of what stands behind blocks of the row, which is never cached."""
    total = 0.0
    for path, shape in shapes.items():
        if shape.row_first:
            texts: Iterable[str] = (*(fence(block.name, block.text) for block in shape.own), members[path].instructions)
            total += ROWS * members[path].tasks * sum(_tokens(text, table.model) for text in texts)
    return total


class _Table:
    """The blocks of a family by number: documents in the order of their first use, instructions last."""

    def __init__(self, model: str) -> None:
        self.model = model
        self.sizes: list[int] = []
        self.blocks: dict[int, Block] = {}
        self.instructions: set[int] = set()
        self._numbers: dict[object, int] = {}

    def number(self, key: object, text: str) -> int:
        """Return the number of a block, a new one where it is not known."""
        if key not in self._numbers:
            self._numbers[key] = len(self.sizes)
            self.sizes.append(_tokens(text, self.model))
        return self._numbers[key]

    def needed(self, members: Mapping[str, Need], paths: Sequence[str], uses: Counter[str]) -> frozenset[int]:
        """Return the blocks that nodes with one prefix need in `system`."""
        contexts = [members[path].context for path in paths]
        found = set[int]()
        for block in contexts[0]:
            if all(block in context for context in contexts):
                number = self.number(block, fence(block.name, block.text))
                self.blocks[number] = block
                found.add(number)
        first = members[paths[0]]
        if len(paths) == 1 and not _shared(first, uses):
            number = self.number(("instructions", paths[0]), first.instructions)
            self.instructions.add(number)
            found.add(number)
        return frozenset(found)

    def shape(self, need: Need, nodes: Sequence[Node], uses: Counter[str], *, strict: bool) -> Shape:
        """Return the shape of a node from the prefixes that its type shares."""
        own_marked = any(one in self.instructions for node in nodes[-1:] for one in node.blocks)
        shared = nodes[:-1] if own_marked else nodes
        bundles = [tuple(self.blocks[one] for one in node.blocks if one in self.blocks) for node in shared]
        held = {block for bundle in bundles for block in bundle}
        ordered = tuple(sorted(need.row_blocks, key=lambda name: (-uses[name], name)))
        return Shape(
            tuple(bundle for bundle in bundles if bundle),
            tuple(block for block in need.context if block not in held),
            own_marked,
            ordered,
            min(_shared(need, uses), len(ordered)),
            strict,
        )
