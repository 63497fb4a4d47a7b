"""What a node needs to be shown, and the order in which its requests show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from fanwise.blocks import Block
from fanwise.models import Intensity

from .sizes import DOCUMENTED, Sizes

MAX_ROW_MARKS = 2
"""Breakpoints for blocks of the row; the API takes 4 in all."""
ITEMS = 3
"""Items that a list is taken to have; its length is known only at run time."""


Way = Literal["strict", "envelope", "tail"]
"""How an agent's schema travels: its own, one for its family, or as text checked here."""


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
    tools: str = ""
    """Definitions of its tools, as canonical JSON: they stand in front of all else and key the cache."""
    apart: str = ""
    """Agents of another `apart` share no prefix with these: the two arms of a comparison."""
    sizes: Sizes = field(default=DOCUMENTED, compare=False)
    """How many tokens texts have."""
    chars_per_token: float | None = field(default=None, compare=False)
    """On average, by these sizes; None: the documented one of the model."""

    @property
    def media(self) -> tuple[Block, ...]:
        """Images and PDFs of the context: they cannot stand in `system`."""
        return tuple(block for block in self.context if block.media is not None)

    @property
    def family(self) -> tuple[object, ...]:
        """Agents of one family can share a prefix: all that splits a cache is equal, formats left out."""
        return (self.model, self.intensity.thinking, self.intensity.effort, self.apart, self.tools)

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
    media: tuple[Block, ...]
    """Images and PDFs of the context: first of the content, with a breakpoint behind."""
    way: Way
    schema_text: str
    """`format`, or the agent's own schema where that is in the tail, as canonical JSON."""
    format: Mapping[str, Any] | None
    """What travels as `output_config.format`, which keys the cache; None where the schema is in the tail."""

    @property
    def row_first(self) -> bool:
        """Whether images, PDFs or blocks of the row stand in front of the instructions."""
        return self.shared_row_blocks > 0 or bool(self.media)
