"""The request of one task: its slice in the order of its layout, byte for byte."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from fanwise.blocks import Block
from fanwise.canonical import dumps
from fanwise.media import Media
from fanwise.models import facts

from .frame import Frame
from .parts import Part
from .repeats import Piece
from .request import Request
from .shape import MAX_ROW_MARKS, Need, Shape
from .tail import fence, label, opening, refused, shown, tail


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
        self._opening = opening(need.agent, need.schema if shape.way == "tail" else None)
        own = (*_system(shape.own), Part(need.instructions))
        system = tuple(part for bundle in shape.bundles for part in _marked(_system(bundle)))
        media = _media(shape.media)
        if not shape.row_first:
            system += _marked(own) if shape.own_marked else own
        self._system = system
        self._media, self._own = (media, own) if shape.row_first else ((), ())
        """What stands in front of the blocks of the row, and behind them."""
        texts = (*(part.text for bundle in shape.bundles for part in _system(bundle)), *(part.text for part in own))
        self._common = (
            *(_piece(text) for text in (*texts, shape.schema_text, need.tools) if text),
            *map(self._piece, media),
        )
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
        present = {param: name for param, name in self._blocks.items() if isinstance(values[param], str | Media)}
        told = shown(values, present)
        last = Part(tail(self._opening, told, "" if turns else repair))
        content, own = (*self._media, *self._own, last), tuple(map(_piece, turns))
        sizes = {param: len(text) for param, text in told.items()}
        if present:
            row = self._row({name: values[param] for param, name in present.items()})
            parts = [part for some in row.values() for part in some]
            content = (*self._media, *parts, *self._own, last)
            own += tuple(map(self._piece, parts))
            for param, name in present.items():
                sizes[param] = sum(part.chars(self._per_token) for part in row.get(name, ()))
        own += tuple([_piece(text) for param, text in told.items() if param not in present])
        said = _repaired(turns, repair)
        return Request(self._frame(max_tokens), content, self._common, own, said, keep, tuple(sizes.values()))

    def _frame(self, max_tokens: int) -> Frame:
        known = self._frames.get(max_tokens)
        if known is None:
            need, shape = self._need, self._shape
            sent = shape.schema_text if shape.format is not None else ""
            known = self._frames[max_tokens] = Frame(
                need.model, max_tokens, need.intensity.thinking, need.intensity.effort, shape.format, self._system,
                sent, need.tools, need.chars_per_token,
            )  # fmt: skip
        return known

    def _row(self, found: Mapping[str, str | Media]) -> dict[str, tuple[Part, ...]]:
        """Return the blocks of the row in their order, those in front marked."""
        names = [name for name in self._shape.row_blocks if name in found]
        marked = set(names[: min(self._shape.shared_row_blocks, MAX_ROW_MARKS)])
        return {name: _row_part(name, found[name], marked=name in marked) for name in names}

    def _piece(self, part: Part) -> Piece:
        content = part.text if part.media is None else part.media.sha
        return Piece(hash(content), part.chars(self._per_token))


def context_chars(need: Need, shape: Shape) -> int:
    """Return the characters of the context in a node's requests: the same in all of them."""
    parts = (*(part for bundle in shape.bundles for part in _system(bundle)), *_system(shape.own))
    per_token = need.chars_per_token or facts(need.model).chars_per_token
    files = sum(part.chars(per_token) for part in _media(shape.media))
    return files + sum(len(part.text) for part in parts)


@lru_cache(maxsize=512)
def _system(blocks: tuple[Block, ...]) -> tuple[Part, ...]:
    return tuple(Part(fence(block.name, block.text)) for block in blocks)


def _row_part(name: str, value: str | Media, *, marked: bool) -> tuple[Part, ...]:
    if isinstance(value, str):
        return (Part(fence(name, value), marked),)
    return Part(label(name, value)), Part("", marked, value)


@lru_cache(maxsize=512)
def _media(blocks: tuple[Block, ...]) -> tuple[Part, ...]:
    """Return images and PDFs that rows have in common, with a breakpoint behind the last."""
    parts: list[Part] = []
    for block in blocks:
        if block.media is not None:
            parts += [Part(label(block.name, block.media), job=True), Part("", block is blocks[-1], block.media, True)]
    return tuple(parts)


def _piece(text: str) -> Piece:
    return Piece(hash(text), len(text))


def _repaired(turns: tuple[str, ...], why: str) -> tuple[str, ...]:
    """Return a conversation that ends with why its last answer was refused, if it was."""
    if not turns or not why:
        return turns
    last = json.loads(turns[-1])
    last["content"].append({"type": "text", "text": refused(why)})
    return (*turns[:-1], dumps(last))


def _marked(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    return (*parts[:-1], Part(parts[-1].text, True)) if parts else parts
