"""A request read back: who is asked, and the values, exactly as they were. The stand-in side answers by it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from fanwise.jsonable import as_object

from .enclosed import files_by_hash, with_files
from .lifting import PLACE, put_back
from .packing import packed_input
from .tags import FANOUT, NAME, row_label, unfence
from .tail import AGENT, AGENT_END, NOTHING, REPAIR, SCHEMA, TEXT
from .valuetexts import value_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBack:
    """A request read back: what it says of who is asked, and the values (JSON-ready)."""

    agent: str
    """Its name; empty where the request does not say it."""
    texts: tuple[str, ...]
    """All texts but that of the values: blocks and instructions, as they were sent."""
    values: dict[str, Any]
    """Of its first input, where it is a pack."""
    inputs: tuple[dict[str, Any], ...] = ()
    """The values of each input of a pack, in the order of their numbers; none where the request is no pack."""


def read_back(
    body: Mapping[str, Any], arms: Collection[int] = FANOUT, instructions: Collection[str] = ()
) -> ReadBack | None:
    """Return what a Messages request that fanwise made holds, or None for another one.

    Args:
        body: The request.
        arms: Places of the arms that it may be of.
        instructions: Of the agents that it may ask: a text that is one of these holds no values.
    """
    content = _first_turn(body)
    if not content:
        return None
    blocks = {block.opening: block for block in _row_blocks(content, arms, instructions)}
    last = _text_of(content[-1])
    said = None if last in instructions else _said(last)
    if said is None and last and last not in instructions and not _is_row_block(last, arms):
        return None
    said, rest = said or _Said(), content if said is None else content[:-1]
    if said.inputs:
        said.values = said.inputs[0]
    pointed = set(said.pointers.values())
    values = {block.param: block.content for block in blocks.values() if block.opening not in pointed}
    values |= {param: _content(blocks.get(opening)) for param, opening in said.pointers.items()} | said.values
    files = [as_object(part["source"]) for part in content if part.get("source")]
    by_hash = cache(lambda: files_by_hash(files))
    system = (str(as_object(block).get("text")) for block in body.get("system") or ())
    return ReadBack(
        agent=said.agent,
        texts=(*system, *(text for part in rest if (text := _text_of(part)))),
        values={param: with_files(value, by_hash) if files else value for param, value in values.items()},
        inputs=tuple(said.inputs),
    )


def _first_turn(body: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the blocks of a conversation's first message; none where it has another form."""
    try:
        content = body["messages"][0]["content"]
        return content if all(isinstance(part.get("type"), str) for part in content) else ()
    except (LookupError, TypeError, AttributeError):
        return ()


def _text_of(part: Mapping[str, Any]) -> str:
    """Return the text of a content block; empty where it is an image or a PDF."""
    return str(part.get("text") or "") if part["type"] == "text" else ""


# Blocks of the row --------------------------------------------------------------------------------


class _FoundBlock(NamedTuple):
    opening: str
    param: str
    """The parameter that it is where the values do not say it."""
    content: Any
    """Its text, or its file as data that `Media` takes."""


def _row_blocks(
    content: Sequence[Mapping[str, Any]], arms: Collection[int], instructions: Collection[str]
) -> Iterator[_FoundBlock]:
    for part, following in zip(content, (*content[1:], {}), strict=True):
        text = _text_of(part)
        if not text or text in instructions:
            continue
        file = as_object(following.get("source"))
        block = row_label(text) if file else unfence(text, arms)
        if block is not None and block.is_row:
            yield _FoundBlock(block.opening, block.name.rpartition(".")[2], file or block.text)


def _is_row_block(text: str, arms: Collection[int]) -> bool:
    block = unfence(text, arms)
    return block is not None and block.is_row


def _content(block: _FoundBlock | None) -> Any:
    return None if block is None else block.content


# The last text ------------------------------------------------------------------------------------


@dataclass(slots=True, kw_only=True)
class _Said:
    """What the last text of a request says."""

    agent: str = ""
    values: dict[str, Any] = field(default_factory=dict[str, Any])
    pointers: dict[str, str] = field(default_factory=dict[str, str])
    """Opening tags of blocks of the row, by parameter."""
    inputs: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """Values of the inputs of a pack."""


_LINE = re.compile(rf"({NAME}): (.*)")
_TAG = re.compile(rf"<(?P<tag>(?P<place>{PLACE})(?:-\d+)?)>\n")


def _said(text: str) -> _Said | None:
    """Return what a text says, or None where it is not the last text of a request that fanwise made."""
    said, at = _Said(), 0
    try:
        while at < len(text):
            tag, packed = _TAG.match(text, at), packed_input(text, at)
            if packed is not None:
                shown, end = packed
                _take_input(said, shown)
            elif tag is None:
                end = (text.find("\n", at) + 1 or len(text) + 1) - 1
                _take_line(said, text[at:end])
            else:
                begin, end = tag.end(), text.index(f"\n</{tag['tag']}>", tag.end())
                _take_text(said, tag["place"], text[begin:end])
                end += len(f"\n</{tag['tag']}>")
            if text[end : end + 1] not in ("", "\n"):
                return None
            at = end + 1
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    return said


def _take_input(said: _Said, shown: str) -> None:
    inner = _said(shown)
    if inner is None or inner.inputs or inner.pointers:
        raise ValueError("no input of ours")
    said.inputs.append(inner.values)


def _take_line(said: _Said, line: str) -> None:
    value = _LINE.fullmatch(line)
    if value is not None and value[2].startswith("<"):
        said.pointers[value[1]] = value[2]
    elif value is not None:
        said.values[value[1]] = value_of(value[2])
    elif line.startswith(AGENT) and line.endswith(AGENT_END):
        said.agent = line.removeprefix(AGENT).removesuffix(AGENT_END)
    elif line != NOTHING and not line.startswith((SCHEMA, TEXT, REPAIR)):
        raise ValueError("no line of ours")


def _take_text(said: _Said, place: str, text: str) -> None:
    if "." in place or "[" in place:
        put_back(said.values, place, text)
    else:
        said.values[place] = text
