"""The request of one task: its slice in the order of its layout, byte for byte."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import chain, takewhile
from typing import Any

from fanwise.canonical import dumps
from fanwise.media import Media
from fanwise.models import facts

from .cacheable import SharedBlocks, shared_blocks
from .enclosed import enclosed
from .frame import Frame
from .parts import Part, Prefix, prefixes_behind
from .repeats import Piece
from .request import Request
from .shape import Need, Segment, Shape
from .tail import fence, label, opening, repair_line, tail, value_texts


class Composer:
    """Makes the requests of one node; what rows have in common is made once."""

    def __init__(self, need: Need, shape: Shape, blocks: Mapping[str, str]) -> None:
        """Prepare.

        Args:
            need: What the node needs.
            shape: Where each part stands.
            blocks: Parameters that travel as blocks of the row, with the block's name.
        """
        self._need, self._shape, self._blocks = need, shape, blocks
        self._per_token = need.chars_per_token or facts(need.model).chars_per_token
        says_name = need.named or shape.way == "envelope"  # an envelope has a field for each name
        self._opening = opening(need.agent if says_name else "", need.schema if shape.way == "tail" else None)
        segments = tuple(shape.segments(need))
        content = [segment for segment in segments if segment.place == "content"]
        before = list(takewhile(lambda segment: segment.kind != "row block", content))
        self._system = _parts((segment for segment in segments if segment.place == "system"), need.apart)
        self._before, self._behind = _parts(before, need.apart), _parts(content[len(before) :], need.apart)
        """What stands in front of the blocks of the row, and behind them."""
        self._common = tuple(self._piece(part) for part in _parts(segments, need.apart) if part.is_sent)
        standing = _parts((segment for segment in segments if segment.place != "tail"), need.apart)
        self.shared_blocks: SharedBlocks = shared_blocks(standing, self._behind, self._per_token)
        """The blocks that all of its requests have in common."""
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
        in_blocks = {param: name for param, name in self._blocks.items() if isinstance(values[param], str | Media)}
        texts = value_texts(values, in_blocks)
        last = Part(tail(self._opening, texts, "" if turns else repair))
        files = enclosed({param: value for param, value in values.items() if param not in in_blocks}, texts)
        own, parts = tuple(map(_piece, turns)), ()
        sizes = {param: len(text) for param, text in texts.items()}
        behind = self._behind
        for param, held in files.items():
            more = tuple(chain.from_iterable(self._file(place, media) for place, media in held))
            behind, own = (*behind, *more), own + tuple(map(self._piece, more))
            sizes[param] += self._chars(more)
        content = (*self._before, *behind, last)
        if in_blocks:
            blocks = self._row({name: values[param] for param, name in in_blocks.items()})
            parts = tuple(chain.from_iterable(blocks.values()))
            content = (*self._before, *parts, *behind, last)
            own += tuple(map(self._piece, parts))
            for param, name in in_blocks.items():
                sizes[param] = self._chars(blocks.get(name, ()))
        own += tuple([_piece(text) for param, text in texts.items() if param not in in_blocks])
        return Request(
            frame=self._frame(max_tokens),
            content=content,
            common=self._common,
            own=own,
            turns=_repaired(turns, repair),
            keep=keep,
            shared=self.shared_blocks.key,
            row_parts=parts,
            sizes=tuple(sizes.values()),
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

    def _row(self, values: Mapping[str, str | Media]) -> dict[str, tuple[Part, ...]]:
        """Return the blocks of the row in their order, those in front marked."""
        names = [name for name in self._shape.row_blocks if name in values]
        marked = set(names[: len(self._shape.marked_row_blocks)])
        apart = self._need.apart
        return {name: _row_part(name, values[name], apart, marked=name in marked) for name in names}

    def _file(self, place: str, media: Media) -> tuple[Part, Part]:
        return Part(label(place, media, self._need.apart)), Part("", media=media)

    def _chars(self, parts: Iterable[Part]) -> int:
        return sum(part.chars(self._per_token) for part in parts)

    def _piece(self, part: Part) -> Piece:
        return Piece(hash(part.content), part.chars(self._per_token))


def context_chars(need: Need, shape: Shape) -> int:
    """Return the characters of the context in a node's requests: the same in all of them."""
    per_token = need.chars_per_token or facts(need.model).chars_per_token
    shown = (segment for segment in shape.segments(need) if segment.block is not None)
    return sum(part.chars(per_token) for part in _parts(shown, need.apart))


def _row_part(name: str, value: str | Media, apart: str, *, marked: bool) -> tuple[Part, ...]:
    if isinstance(value, str):
        return (Part(fence(name, value, apart), marked),)
    return Part(label(name, value, apart)), Part("", marked, media=value)


def _parts(segments: Iterable[Segment], apart: str) -> tuple[Part, ...]:
    """Return what rows have in common as parts of a request; blocks of the row are left out."""
    parts: list[Part] = []
    for segment in segments:
        media = segment.block.media if segment.block is not None else None
        if media is not None:
            parts += [
                Part(label(segment.name, media, apart), job=True),
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
