"""Tags around texts of a request: a block of the context, a block of the row, the label of a file, a long value.

A text stands between them as it is. A tag cannot be forged: where a text holds what a model may take for its closing
tag, the tag gets a number that the text does not hold, and only there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from fanwise.canonical import dumps
from fanwise.media import Media

from .lookalikes import may_close, numbers_of

NAME = r"""(?!\d)[^\s<>()\[\]{}"'.:/=,;-]+"""
"""An identifier of Python, as it is found in what was written with one."""
SEPARATORS = ("\n", " ", "\t")
"""What stands in front of a closing tag and behind a label: of each arm another, so that no prefix of an arm is one of
another, and requests of all arms are as long."""
FANOUT = (0,)
"""The arms that are known where there is one."""


def closed(name: str, text: str) -> str:
    """Return a value's text between tags of its name, a line each."""
    tag = marked(name, text)
    return f"<{tag}>\n{text}\n</{tag}>"


def marked(name: str, text: str, beside: str = "") -> str:
    """Return a tag's name, with the smallest number behind it that makes it the only one, if it needs one.

    Args:
        name: Of the tag.
        text: What stands between the tags: it may hold none that a model takes for the closing one, see `lookalikes`.
        beside: What may hold none that a model takes for the opening one.
    """
    taken = set(numbers_of(name, beside, is_closing=False)) if beside else set[str]()
    if may_close(text):
        taken.update(numbers_of(name, text))
    if not taken:
        return name
    number = 1
    while str(number) in taken:
        number += 1
    return f"{name}-{number}"


def fence(name: str, text: str, arm_index: int = 0) -> str:
    """Return a block of the context: its text between tags that say its name.

    Args:
        name: Of the block.
        text: Its content.
        arm_index: Place of the arm among those of its run: requests share no cache with those of another.
    """
    tag = marked("block", text)
    return f"<{tag} name={dumps(name)}>\n{text}{SEPARATORS[arm_index]}</{tag}>"


def label(name: str, arm_index: int = 0) -> str:
    """Return the line in front of an image or a PDF that is no block of the row; `arm_index` as for `fence`."""
    return f"<file name={dumps(name)}>{SEPARATORS[arm_index]}"


class RowBlock(NamedTuple):
    """A block of the row as it is sent."""

    opening: str
    """Its opening tag, by which the values point to it."""
    text: str
    """All of it, or the label of its file."""


def row_block(name: str, content: str | Media, arm_index: int = 0, *, clashes: bool = False) -> RowBlock:
    """Return a block of the row, between tags of its own name where one can have it.

    Args:
        name: Of the block.
        content: Its text, or its file.
        arm_index: As for `fence`.
        clashes: Whether its name is one of `clashing`.
    """
    text, separator = content if isinstance(content, str) else "", SEPARATORS[arm_index]
    has_own = is_plain(name) and not clashes
    tag = marked(name if has_own else "value", text)
    opening = f"<{tag}>" if has_own else f"<{tag} name={dumps(name)}>"
    if isinstance(content, Media):
        return RowBlock(opening, opening + separator)
    return RowBlock(opening, f"{opening}\n{text}{separator}</{tag}>")


@lru_cache(maxsize=1024)
def is_plain(name: str) -> bool:
    """Return whether a block's name can be a tag's: identifiers with dots and hyphens between them."""
    return all(map(str.isidentifier, re.split("[.-]", name)))


def says_param(name: str, param: str) -> bool:
    """Return whether a block of the row tells by its name alone which parameter it is: `ticket.body` is `body`."""
    return is_plain(name) and name.rpartition(".")[2] == param


def clashing(nodes: Iterable[tuple[Collection[str], Mapping[str, str]]]) -> frozenset[str]:
    """Return the names of blocks of the row that at some node are the tag of another value, or of a place inside of it.

    They have no tags of their own at any node: whoever shares a block is sent the same bytes, or the cache is lost.

    Args:
        nodes: Parameters of each node, and the names of those among them that are blocks of the row.
    """
    return frozenset(
        name
        for params, blocks in nodes
        for name in blocks.values()
        if (first := re.split("[.-]", name, maxsplit=1)[0]) in params and blocks.get(first) != name
    )


class Unfenced(NamedTuple):
    """A block that was read back."""

    name: str
    text: str
    opening: str
    is_row: bool
    """Whether it is a block of the row; else of the context."""


_HEAD = re.compile(rf'<(?P<tag>{NAME}(?:[.-]{NAME})*)(?P<mark>-\d+)?(?: name=(?P<name>"(?:[^"\\]|\\.)*"))?>')


def unfence(text: str, arms: Collection[int] = FANOUT) -> Unfenced | None:
    """Return a block of the context or of the row, or None where a text is none.

    Args:
        text: The text.
        arms: Places of the arms that it may be of.
    """
    head, newline, rest = text.partition("\n")
    found, closing = _head(head), ""
    if found is not None:
        closing = f"</{found['tag']}{found['mark'] or ''}>"
    if found is None or not newline or not rest.endswith(closing):
        return None
    content = rest.removesuffix(closing)
    if not content.endswith(tuple(SEPARATORS[arm] for arm in arms)):
        return None
    name = json.loads(found["name"]) if found["name"] else found["tag"]
    return Unfenced(name, content[:-1], head, is_row=found["name"] is None or found["tag"] == "value")


def row_label(text: str) -> Unfenced | None:
    """Return the name of the block of the row whose file follows a text, or None where it is not the label of one."""
    opening = text[:-1] if text.endswith(SEPARATORS) else text
    found = _head(opening)
    if found is None or (found["name"] is not None and found["tag"] != "value"):
        return None
    return Unfenced(json.loads(found["name"]) if found["name"] else found["tag"], "", opening, is_row=True)


def _head(text: str) -> re.Match[str] | None:
    found = _HEAD.fullmatch(text)
    is_known = found is not None and (found["name"] is None or found["tag"] in ("block", "value", "file"))
    return found if is_known else None
