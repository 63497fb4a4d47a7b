"""Which block stands where in a request, and behind which of them the cache is asked to write.

This layout is simple and never carries a block that a task does not need: per family of agents
(equal model, thinking and effort) the blocks that all of them share come first. Agents that
share a block of the row keep their instructions behind it; the others keep them in `system`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fanwise.blocks import Block
from fanwise.models import Intensity


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
        """Agents of one family can share a prefix: all that splits a cache is equal."""
        return (self.model, self.intensity.thinking, self.intensity.effort, self.apart)


@dataclass(frozen=True, slots=True)
class Shape:
    """The order of one node's requests."""

    common: tuple[Block, ...]
    """In `system`, shared by the whole family; a breakpoint follows where others continue."""
    own: tuple[Block, ...]
    """The agent's other blocks: in `system` after `common`, or behind the blocks of the row."""
    row_blocks: tuple[str, ...]
    """In the order in which they are sent."""
    shared_row_blocks: int
    """How many of them, from the front, other tasks of the row read too; marked."""
    strict: bool
    """Whether the schema travels as `output_config.format`, which splits the cache."""
    alone: bool
    """Whether no other agent is in the family."""

    @property
    def row_first(self) -> bool:
        """Whether blocks of the row stand in front of the instructions."""
        return self.shared_row_blocks > 0


MAX_ROW_MARKS = 2
"""Breakpoints for blocks of the row; the API takes 4 in all, `system` uses at most 2."""


def layout(needs: Mapping[str, Need]) -> dict[str, Shape]:
    """Return a shape for every node, by path.

    The schema travels in the tail wherever an agent shares a prefix with another, since
    `output_config.format` would give each agent a cache of its own; an agent that shares with
    nobody keeps the stricter form.
    """
    families: dict[tuple[object, ...], dict[str, Need]] = {}
    for path, need in needs.items():
        families.setdefault(need.family, {})[path] = need
    return {path: shape for family in families.values() for path, shape in _family(family).items()}


def _family(members: Mapping[str, Need]) -> dict[str, Shape]:
    alone = len({need.agent for need in members.values()}) == 1
    contexts = [need.context for need in members.values()]
    common = tuple(block for block in contexts[0] if all(block in context for context in contexts))
    uses = Counter(name for need in members.values() for name in need.row_blocks)
    for need in members.values():
        if need.repeated:
            uses.update(need.row_blocks)
    shapes: dict[str, Shape] = {}
    for path, need in members.items():
        ordered = tuple(sorted(need.row_blocks, key=lambda name: (-uses[name], name)))
        shared = min(sum(uses[name] > 1 for name in ordered), len(ordered))
        own = tuple(block for block in need.context if block not in common)
        strict = alone or (not common and not shared)
        shapes[path] = Shape(common, own, ordered, shared, strict, alone)
    return shapes
