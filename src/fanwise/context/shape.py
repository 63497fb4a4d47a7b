"""What a node needs to be shown, and the order in which its requests show it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from fanwise.blocks import Block
from fanwise.models import Intensity, effort_of

from .sizes import DOCUMENTED, Sizes
from .tags import fence

MAX_ROW_MARKS = 2
"""Breakpoints for blocks of the row; the API takes 4 in all."""
ITEMS = 3
"""Items that a list is taken to have; its length is known only at run time."""


Way = Literal["strict", "envelope", "tail", "text"]
"""How an agent is told the form of its answer: its own schema, one for its family, or its own as text, checked here;
`text`: not at all, since the answer is a text as it is."""
Kind = Literal["schema", "tools", "block", "instructions", "file", "row block", "values"]
Place = Literal["front", "system", "content", "tail"]
"""`front`: what the API puts before `system`. `tail`: the last text of the content."""


@dataclass(frozen=True, slots=True)
class CachePrices:
    """What the cache of a model costs, in units of its input price."""

    write: float = 1.25
    """Writing a prefix for 5 minutes ("Prompt caching", read 2026-11-23)."""
    read: float = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """What stands at one place of a node's requests."""

    kind: Kind
    name: str
    """For people."""
    place: Place
    text: str = ""
    """As it is sent; empty for a file, and for what only a row knows."""
    block: Block | None = None
    """The block or file of the context that it shows."""
    marked: bool = False
    """Whether a breakpoint follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What the tasks of one node need to be shown, apart from their values."""

    agent: str
    model: str
    intensity: Intensity
    instructions: str
    """With the examples behind them."""
    context: tuple[Block, ...]
    schema: Mapping[str, Any] | None
    """Of its answer as an object by itself; None where the answer is a text."""
    row_blocks: tuple[str, ...]
    """Names of the blocks of the row, in the order of the signature."""
    repeated: bool
    """True where one row has several such tasks (inside `each`)."""
    value_schema: Mapping[str, Any] | None = None
    """Schema of its answer's value where that is no object by itself: what stands for it in an envelope."""
    defined_schema: Mapping[str, Any] | None = None
    """Schema of its answer's value in which each type is a definition: an envelope has it once for several agents."""
    tools: str = ""
    """Definitions of its tools, as canonical JSON: they stand in front of all else and key the cache."""
    arm_index: int = 0
    """Place of their arm among those of the run: agents of another share no prefix with these."""
    again: frozenset[str] = frozenset()
    """Names of blocks of the row that many rows show."""
    enclosed_instructions: str = ""
    """Those with which it answers in an envelope, where examples show answers in that form; empty: the same."""
    named: bool = False
    """Whether the request says the agent's name, since nothing else tells it from another agent."""
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
        effort = effort_of(self.model, self.intensity.effort)
        return (self.model, self.intensity.thinking, effort, self.arm_index, self.tools)

    @property
    def enclosed_schema(self) -> Mapping[str, Any]:
        """Schema of what it answers under its name in an envelope."""
        return self.defined_schema or self.value_schema or self.schema or {"type": "string"}

    @property
    def text_form(self) -> str:
        """What the type of a text asks for, in words; empty where it asks for nothing, or the answer is no text."""
        return str((self.value_schema or {}).get("description") or "") if self.schema is None else ""

    def instructions_in(self, way: Way) -> str:
        """Return the instructions with which it answers in a way."""
        return (self.enclosed_instructions if way == "envelope" else "") or self.instructions

    @property
    def tasks(self) -> int:
        """Tasks of a row, as far as that is known beforehand."""
        return ITEMS if self.repeated else 1


@dataclass(frozen=True, slots=True, kw_only=True)
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
    """`format`, or the agent's own schema where that is in the tail, as canonical JSON; empty where there is none."""
    format: Mapping[str, Any] | None
    """What travels as `output_config.format`, which keys the cache; None where the schema is in the tail, or none."""
    again: int = 0
    """How many of the blocks of the row, from the front, are marked since many rows show them."""

    @property
    def row_first(self) -> bool:
        """Whether images, PDFs or blocks of the row stand in front of the instructions."""
        return self.shared_row_blocks > 0 or bool(self.media)

    @property
    def marked_row_blocks(self) -> tuple[str, ...]:
        """Blocks of the row with a breakpoint behind them."""
        return self.row_blocks[: min(max(self.shared_row_blocks, self.again), MAX_ROW_MARKS)]

    def segments(self, need: Need) -> Iterator[Segment]:
        """Yield what a node's requests show, from the front to the end: the only place that knows this order.

        Args:
            need: What this was laid out for.
        """
        schema = "envelope of schemas" if self.way == "envelope" else "schema"
        if self.format is not None:  # the API puts both in front of `system`
            yield Segment(kind="schema", name=schema, place="front", text=self.schema_text)
        if need.tools:
            yield Segment(kind="tools", name="tools", place="front", text=need.tools)
        for bundle in self.bundles:
            yield from _blocks(bundle, need.arm_index, "system", marked=True)
        if not self.row_first:
            yield from self._own(need, "system")
        for block in self.media:
            yield Segment(kind="file", name=block.name, place="content", block=block, marked=block is self.media[-1])
        for name in self.row_blocks:
            yield Segment(kind="row block", name=name, place="content", marked=name in self.marked_row_blocks)
        if self.row_first:
            yield from self._own(need, "content")
        if self.way == "tail":
            yield Segment(kind="schema", name=schema, place="tail", text=self.schema_text)
        yield Segment(kind="values", name="values", place="tail")

    def _own(self, need: Need, place: Place) -> Iterator[Segment]:
        """Yield the agent's other blocks and its instructions, which are never apart."""
        yield from _blocks(self.own, need.arm_index, place, marked=False)
        yield Segment(
            kind="instructions", name=f"instructions of {need.agent}", place=place,
            text=need.instructions_in(self.way), marked=self.own_marked,
        )  # fmt: skip


def _blocks(blocks: Sequence[Block], arm_index: int, place: Place, *, marked: bool) -> Iterator[Segment]:
    """Yield blocks of the context, the last of them marked if any is."""
    for block in blocks:
        yield Segment(
            kind="block", name=block.name, place=place, text=fenced(block, arm_index), block=block,
            marked=marked and block is blocks[-1],
        )  # fmt: skip


@lru_cache(maxsize=1024)  # nodes of one graph show the same blocks, and for a fence all of its text is looked at
def fenced(block: Block, arm_index: int = 0) -> str:
    """Return a block of text as it is sent."""
    return fence(block.name, block.text, arm_index)
