"""The blocks of a request: what a cache can hold of it, by content, so that the account sees what was sent again.

The API caches whole blocks: tools, the schema, each block of `system` and of the messages ("Prompt caching", read
2026-11-23). The last text of the first message holds the values, and is read again only where a conversation goes on.
Messages with a picture anywhere have entries of their own: a block of the row has another hash beside one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import NamedTuple

from fanwise.canonical import digest

from .frame import UTF8
from .parts import Part
from .request import Request

SizedBlock = tuple[str, int]
"""Hash of a block's content, and its characters."""


class SharedBlocks(NamedTuple):
    """The blocks that all requests of a node have in common."""

    key: str
    """Of their contents and places, and behind a point of where the breakpoints of the requests are."""
    blocks: tuple[SizedBlock, ...]
    behind: int
    """How many of them, from the end, stand behind the blocks of the row."""


def shared_blocks(parts: Sequence[Part], behind: Iterable[Part], of_row: int, per_token: float) -> SharedBlocks:
    """Return blocks with a key by their content and place, and by all breakpoints of the requests.

    Args:
        parts: What the requests of a node have in common, the last text of the first message left out.
        behind: Of these, what stands behind the blocks of the row.
        of_row: How many blocks of the row have a breakpoint behind them.
        per_token: Characters of a token, on average.
    """
    blocks = tuple(_block(part, per_token) for part in parts if part.is_sent)
    last = sum(part.is_sent for part in behind)
    marks = digest(repr(([part.marked for part in parts if part.is_sent], of_row)))
    return SharedBlocks(f"{digest(repr((blocks, last) if last else blocks))[:12]}.{marks[:4]}", blocks, last)


def blocks_text(request: Request) -> str:
    """Return the characters of a request, the key of its shared blocks, and its own as `hash:characters`."""
    if not request.row_parts and not request.frame.tools:  # by far the most
        return f"{request.chars()} {request.shared}"
    per_token = request.frame.per_token
    pictured = any(part.is_image for part in request.content)
    own = [_block(part, per_token, pictured=pictured) for part in request.row_parts]
    if request.frame.tools:  # its conversation may go on, and is then sent again from its first message on
        conversation = (*request.last, *map(Part, request.turns))
        own += [_block(part, per_token, pictured=pictured) for part in conversation]
    return " ".join([str(request.chars()), request.shared, *(f"{sha}:{chars}" for sha, chars in own)])


def _block(part: Part, per_token: float, *, pictured: bool = False) -> SizedBlock:
    of = b"with pictures" if pictured else b""
    return blake2b(part.content.encode(*UTF8), digest_size=7, person=of).hexdigest(), part.chars(per_token)
