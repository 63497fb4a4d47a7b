"""The request of one task: its slice in the order of its layout, byte for byte."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from fanwise.blocks import Block
from fanwise.canonical import digest, dumps
from fanwise.media import Media
from fanwise.models import facts

from .parts import Part
from .repeats import Piece
from .request import Request
from .shape import MAX_ROW_MARKS, Need, Shape
from .tail import fence, label, refused, shown, tail


def compose(
    need: Need,
    shape: Shape,
    values: Mapping[str, Any],
    blocks: Mapping[str, str],
    max_tokens: int,
    repair: str = "",
    turns: tuple[str, ...] = (),
    *,
    keep: bool = False,
) -> Request:
    """Return the request of one task.

    Args:
        need: What the node needs.
        shape: Where each part stands.
        values: Arguments by parameter name.
        blocks: Parameters that travel as blocks of the row, with the block's name.
        max_tokens: Cap of the reply, thinking included.
        repair: Why the answer before was refused, on the one repair attempt.
        turns: Messages that followed the first, as JSON.
        keep: Whether the conversation is expected to go on, so that its cache is worth a write.
    """
    found = {name: values[param] for param, name in blocks.items() if isinstance(values[param], str | Media)}
    present = {param: name for param, name in blocks.items() if name in found}
    names = [name for name in shape.row_blocks if name in found]
    marked = set(names[: min(shape.shared_row_blocks, MAX_ROW_MARKS)])
    blocks_of_row = {name: _row_part(name, found[name], marked=name in marked) for name in names}
    row = [part for some in blocks_of_row.values() for part in some]
    told = shown(values, present)
    last = tail(need.agent, told, need.schema if shape.way == "tail" else None, "" if turns else repair)
    system = tuple(part for bundle in shape.bundles for part in _marked(_system(bundle)))
    own = (*_system(shape.own), Part(need.instructions))
    if shape.row_first:
        content = (*_media(shape.media), *row, *own, Part(last))
    else:
        system += _marked(own) if shape.own_marked else own
        content = (*row, Part(last))
    per_token = need.chars_per_token or facts(need.model).chars_per_token
    alone = [text for param, text in told.items() if param not in present]
    common = (*(part for bundle in shape.bundles for part in _system(bundle)), *own)
    pieces = (
        *_pieces(common, shape.schema_text, need.tools),
        *(_piece(part, per_token, job=True) for part in _media(shape.media)),
        *(_piece(part, per_token, job=False) for part in row),
        *(Piece(digest(text), len(text), job=False) for text in (*alone, *turns)),
    )
    sizes = [
        sum(part.chars(per_token) for part in blocks_of_row.get(present[param], ())) if param in present else len(text)
        for param, text in sorted(told.items())
    ]
    level, sent = need.intensity, shape.schema_text if shape.format is not None else ""
    return Request(
        need.model, max_tokens, level.thinking, level.effort, shape.format, system, content, pieces,
        need.chars_per_token, sent, need.tools, _repaired(turns, repair), keep, tuple(sizes),
    )  # fmt: skip


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


def _piece(part: Part, per_token: float, *, job: bool) -> Piece:
    return Piece(digest(part.text) if part.media is None else part.media.sha, part.chars(per_token), job)


@lru_cache(maxsize=512)
def _pieces(parts: tuple[Part, ...], schema: str, tools: str) -> tuple[Piece, ...]:
    """Return what every request of a node has in common, as pieces."""
    texts = (*(part.text for part in parts), schema, tools)
    return tuple(Piece(digest(text), len(text), job=True) for text in texts if text)


def _repaired(turns: tuple[str, ...], why: str) -> tuple[str, ...]:
    """Return a conversation that ends with why its last answer was refused, if it was."""
    if not turns or not why:
        return turns
    last = json.loads(turns[-1])
    last["content"].append({"type": "text", "text": refused(why)})
    return (*turns[:-1], dumps(last))


def _marked(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    return (*parts[:-1], Part(parts[-1].text, True)) if parts else parts
