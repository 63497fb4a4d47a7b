"""The request of one task: its slice in the order of its layout, byte for byte."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain, takewhile
from typing import Any, NamedTuple

from fanwise.canonical import dumps
from fanwise.media import Media
from fanwise.models import facts

from .cacheable import SharedBlocks, shared_blocks
from .enclosed import enclosed
from .frame import Frame
from .packing import packed
from .parts import Part, Prefix, prefixes_behind
from .repeats import Piece
from .request import Input, Request, new_request
from .shape import Need, Segment, Shape
from .tags import RowBlock, label, row_block, says_param
from .tail import NOTHING, opening, repair_line, tail
from .valuetexts import value_text


class Composer:
    """Makes the requests of one node; what rows have in common is made once."""

    def __init__(
        self, need: Need, shape: Shape, blocks: Mapping[str, str], clashing: Collection[str] = frozenset()
    ) -> None:
        """Prepare.

        Args:
            need: What the node needs.
            shape: Where each part stands.
            blocks: Parameters that travel as blocks of the row, with the block's name.
            clashing: Names of blocks that can have no tags of their own, see `tags.clashing`.
        """
        self._need, self._shape, self._blocks, self._clashing = need, shape, blocks, clashing
        self._per_token = need.chars_per_token or facts(need.model).chars_per_token
        says_name = need.named or shape.way == "envelope"  # an envelope has a field for each name
        self._opening = opening(
            need.agent if says_name else "",
            need.schema if shape.way == "tail" else None,
            need.text_form if shape.way == "text" else "",
        )
        segments = tuple(shape.segments(need))
        content = [segment for segment in segments if segment.place == "content"]
        before = list(takewhile(lambda segment: segment.kind != "row block", content))
        self._system = _parts((segment for segment in segments if segment.place == "system"), need.arm_index)
        self._before, self._behind = _parts(before, need.arm_index), _parts(content[len(before) :], need.arm_index)
        """What stands in front of the blocks of the row, and behind them."""
        self._common = tuple(self._piece(part) for part in _parts(segments, need.arm_index) if part.is_sent)
        standing = _parts((segment for segment in segments if segment.place != "tail"), need.arm_index)
        self.shared_blocks: SharedBlocks = shared_blocks(
            standing, self._behind, len(shape.marked_row_blocks), self._per_token
        )
        """The blocks that all of its requests have in common."""
        uses = Counter(blocks.values())
        self._telling = {
            param
            for param, name in blocks.items()
            if says_param(name, param) and name not in clashing and uses[name] == 1
        }
        """Parameters whose blocks tell by their names which they are."""
        self._frames: dict[int, Frame] = {}

    def request(
        self,
        values: Mapping[str, Any],
        max_tokens: int,
        repair: str = "",
        turns: tuple[str, ...] = (),
        *,
        keep: bool = False,
    ) -> Request:
        """Return the request of one task.

        Args:
            values: Arguments by parameter name.
            max_tokens: Cap of the reply, thinking included.
            repair: Why the answer before was refused, on the one repair attempt.
            turns: Messages that followed the first, as JSON.
            keep: Whether the conversation is expected to go on, so that its cache is worth a write.
        """
        in_blocks, blocks, uncounted = dict[str, str](), dict[str, _SentBlock](), dict[str, int]()
        if self._blocks:
            in_blocks = {param: name for param, name in self._blocks.items() if isinstance(values[param], str | Media)}
            blocks = self._row({name: values[param] for param, name in in_blocks.items()})
            uncounted = {name: self._chars(block.parts) for name, block in blocks.items()}
        lines, sizes, pieces = dict[str, str](), dict[str, int](), list[Piece]()
        for param, value in values.items():
            if param in in_blocks:
                block = blocks[in_blocks[param]]
                if param not in self._telling:
                    lines[param] = f"{param}: {block.opening}"
                sizes[param] = uncounted.pop(in_blocks[param], 0) + len(lines.get(param, ""))
            else:
                lines[param], own = value_text(param, value, values)
                sizes[param] = len(lines[param])
                pieces.append(_piece(own))
        in_lines = {param: value for param, value in values.items() if param not in in_blocks} if in_blocks else values
        files = self._files(in_lines, lines, sizes)
        parts = tuple(chain.from_iterable([block.parts for block in blocks.values()])) if blocks else ()
        text = tail(self._opening, lines.values(), "" if turns else repair)
        content = (*self._before, *parts, *self._behind, *files)
        last = (Part(text or NOTHING),) if text or not content else ()
        if turns or files or parts:  # of few requests
            pieces[:0] = [*map(_piece, turns), *map(self._piece, (*files, *parts))]
        return new_request(
            frame=self._frame(max_tokens),
            content=(*content, *last),
            common=self._common,
            own=tuple(pieces),
            turns=_repaired(turns, repair),
            keep=keep,
            shared=self.shared_blocks.key,
            row_parts=parts,
            last=last,
            sizes=tuple([sizes[param] for param in sorted(sizes)]),
        )

    def pack(self, inputs: Sequence[Mapping[str, Any]], max_tokens: int, repair: str = "") -> Request:
        """Return the request of several tasks of a node that answers packs.

        Args:
            inputs: Arguments by parameter name, of each task; none of them is a block of the row or holds a file.
            max_tokens: Cap of the reply, thinking included.
            repair: Why the answer before was refused, on the one repair attempt.
        """
        shown = [self._input(values) for values in inputs]
        text = tail(self._opening, [packed([one.text for one in shown])], repair)
        content = (*self._before, *self._behind)
        return new_request(
            frame=self._frame(max_tokens),
            content=(*content, last := Part(text)),
            common=self._common,
            own=shown[0].own,
            shared=self.shared_blocks.key,
            last=(last,),
            sizes=shown[0].sizes,
            others=tuple(shown[1:]),
        )

    def _input(self, values: Mapping[str, Any]) -> Input:
        """Return an input of a pack as it is shown."""
        texts = {param: value_text(param, value, values) for param, value in values.items()}
        return Input(
            text="\n".join([text.shown for text in texts.values()]) or NOTHING,
            own=tuple([_piece(text.own) for text in texts.values()]),
            sizes=tuple([len(texts[param].shown) for param in sorted(texts)]),
        )

    def shared(self) -> tuple[Prefix, ...]:
        """Return the marked prefixes that the requests of all rows begin with, shortest first, however short."""
        content = (*self._before, *self._behind)
        return tuple(prefix for prefix in prefixes_behind(self._frame(0).front, content, self._per_token) if prefix.job)

    def _frame(self, max_tokens: int) -> Frame:
        frame = self._frames.get(max_tokens)
        if frame is None:
            need, shape = self._need, self._shape
            frame = self._frames[max_tokens] = Frame(
                model=need.model,
                max_tokens=max_tokens,
                thinking=need.intensity.thinking,
                effort=need.intensity.effort,
                schema=shape.format,
                system=self._system,
                schema_text=shape.schema_text if shape.format is not None else "",
                tools=need.tools,
                chars_per_token=need.chars_per_token,
            )
        return frame

    def _row(self, values: Mapping[str, str | Media]) -> dict[str, _SentBlock]:
        """Return the blocks of the row in their order, those in front marked."""
        names = [name for name in self._shape.row_blocks if name in values]
        marked = set(names[: len(self._shape.marked_row_blocks)])
        arm_index = self._need.arm_index
        return {
            name: _sent(
                row_block(name, values[name], arm_index, clashes=name in self._clashing), values[name], name in marked
            )
            for name in names
        }

    def _files(self, values: Mapping[str, Any], lines: Mapping[str, str], sizes: dict[str, int]) -> tuple[Part, ...]:
        """Return the files inside of values, each behind its label; they count to the sizes of their values.

        Args:
            values: Those that are no blocks.
            lines: How they are shown.
            sizes: Characters of what is shown of each, counted on here.
        """
        files: list[Part] = []
        for param, held in enclosed(values, lines).items():
            labelled = [(Part(label(place, self._need.arm_index)), Part("", media=media)) for place, media in held]
            parts = [*chain.from_iterable(labelled)]
            sizes[param] += self._chars(parts)
            files += parts
        return tuple(files)

    def _chars(self, parts: Iterable[Part]) -> int:
        return sum(part.chars(self._per_token) for part in parts)

    def _piece(self, part: Part) -> Piece:
        return Piece(hash(part.content), part.chars(self._per_token))


def context_chars(need: Need, shape: Shape) -> int:
    """Return the characters of the context in a node's requests: the same in all of them."""
    per_token = need.chars_per_token or facts(need.model).chars_per_token
    shown = (segment for segment in shape.segments(need) if segment.block is not None)
    return sum(part.chars(per_token) for part in _parts(shown, need.arm_index))


class _SentBlock(NamedTuple):
    """A block of the row in a request."""

    opening: str
    """Its opening tag."""
    parts: tuple[Part, ...]


def _sent(block: RowBlock, value: str | Media, marked: bool) -> _SentBlock:
    if isinstance(value, str):
        return _SentBlock(block.opening, (Part(block.text, marked),))
    return _SentBlock(block.opening, (Part(block.text), Part("", marked, media=value)))


def _parts(segments: Iterable[Segment], arm_index: int) -> tuple[Part, ...]:
    """Return what rows have in common as parts of a request; blocks of the row are left out."""
    parts: list[Part] = []
    for segment in segments:
        media = segment.block.media if segment.block is not None else None
        if media is not None:
            parts += [
                Part(label(segment.name, arm_index), job=True),
                Part("", segment.marked, media=media, job=True),
            ]
        elif segment.kind not in ("row block", "values"):
            parts.append(Part(segment.text, segment.marked))
    return tuple(parts)


def _piece(text: str) -> Piece:
    return Piece(hash(text), len(text))


def _repaired(turns: tuple[str, ...], why: str) -> tuple[str, ...]:
    """Return a conversation that ends with why its last answer was refused, if it was."""
    if not turns or not why:
        return turns
    last = json.loads(turns[-1])
    last["content"].append({"type": "text", "text": repair_line(why)})
    return (*turns[:-1], dumps(last))
