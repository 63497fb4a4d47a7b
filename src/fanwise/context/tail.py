"""The end of a request: the schema where it is not strict, and the values.

The form is fixed so that the stand-in reads a request back exactly. Blocks are fenced with
a hash of their own content, so that no text inside of one can end it. Arms other than the fan-out hash their
own name too: their requests are as long, and read nothing that another arm has written.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

from fanwise.canonical import canonical, digest, dumps, quoted, visible
from fanwise.jsonable import as_object
from fanwise.media import Media

from .enclosed import files_by_hash, with_files

_ANSWER = "Answer with one JSON value that fits the schema, and with nothing else."
_REPAIR = "The answer before this one could not be used: "


NOT_APART = ("",)


def fence(name: str, text: str, apart: str = "") -> str:
    """Return a block's text between lines that carry its name and a hash of its content.

    Args:
        name: Of the block.
        text: Its content.
        apart: What else is hashed: requests share no cache with those of another `apart`.
    """
    mark = _mark(name, text, apart)
    return f"<block {dumps(name)} {mark}>\n{text}\n</block {mark}>"


def _mark(name: str, text: str, apart: str) -> str:
    return digest(f"{apart}\0{name}\0{text}" if apart else f"{name}\0{text}")[:12]


def label(name: str, media: Media, apart: str = "") -> str:
    """Return the line in front of an image or a PDF; `apart` as for `fence`."""
    mark = digest(f"{apart}\0{media.sha}") if apart else media.sha
    return f"<file {dumps(name)} {mark[:12]}>"


def label_name(text: str) -> str | None:
    """Return the name in such a line, or None where the text is none."""
    if not text.startswith('<file "') or not text.endswith(">"):
        return None
    try:
        name = json.loads(text.removeprefix("<file ")[:-1].rpartition(" ")[0])
    except ValueError:
        return None
    return name if isinstance(name, str) else None


def unfence(text: str, aparts: Collection[str] = NOT_APART) -> tuple[str, str] | None:
    """Return name and content of a fenced block, or None where the text is none.

    Args:
        text: The text.
        aparts: What may have been hashed with it.
    """
    head, newline, rest = text.partition("\n")
    if not newline or not head.startswith('<block "') or not head.endswith(">"):
        return None
    name_json, _, mark = head[len("<block ") : -1].rpartition(" ")
    end = f"\n</block {mark}>"
    try:
        name = json.loads(name_json)
    except ValueError:
        return None
    if not rest.endswith(end) or not isinstance(name, str):
        return None
    content = rest[: -len(end)]
    return (name, content) if any(_mark(name, content, apart) == mark for apart in aparts) else None


def value_texts(values: Mapping[str, Any], blocks: Mapping[str, str]) -> dict[str, str]:
    """Return values as canonical JSON by parameter, in order; those that travel as blocks of the row name theirs.

    Fields that are declared `Field(exclude=True)` are in none.
    """
    return {
        name: dumps({"$block": blocks[name]}) if name in blocks else canonical(visible(values[name]))
        for name in sorted(values)
    }


def record_text(texts: Mapping[str, str]) -> str:
    """Return values that `value_texts` has written as one JSON object."""
    return "{" + ",".join([f"{quoted(name)}:{text}" for name, text in texts.items()]) + "}"


def repair_line(why: str) -> str:
    """Return the line that says why an answer could not be used."""
    return _REPAIR + dumps(why)


def opening(agent: str, schema: Mapping[str, Any] | None) -> str:
    """Return the lines of the last text of a request that are the same for every row; there may be none.

    Args:
        agent: Name of the agent where nothing else of the request tells it; empty: it is not said.
        schema: JSON schema where it is not sent as `output_config.format`.
    """
    lines = [f"agent: {agent}"] if agent else []
    if schema is not None:
        lines += [f"schema: {dumps(schema)}", _ANSWER]
    return "\n".join(lines)


def tail(front: str, values: Mapping[str, str], repair: str = "") -> str:
    """Return the last text of a request.

    Args:
        front: The `opening` of its node.
        values: What `value_texts` made of the arguments.
        repair: Why the answer before was refused, on the one repair attempt.
    """
    lines = [front] if front else []
    if repair:
        lines.append(repair_line(repair))
    return "\n".join([*lines, f"values: {record_text(values)}"])


@dataclass(frozen=True, slots=True)
class ReadBack:
    """A request read back: what it says of who is asked, and the values (JSON-ready)."""

    agent: str
    """Its name; empty where the request does not say it."""
    texts: tuple[str, ...]
    """All texts but the last: blocks and instructions, as they were sent."""
    values: dict[str, Any]


def read_back(body: Mapping[str, Any], aparts: Collection[str] = NOT_APART) -> ReadBack | None:
    """Return what a Messages request that fanwise made holds, or None for another one.

    Args:
        body: The request.
        aparts: What may have been hashed with its blocks.
    """
    content, texts = _first_turn(body)
    lines = texts[-1].split("\n")
    if not lines[-1].startswith("values: "):
        return None
    blocks: dict[str, Any] = dict(block for text in texts[:-1] if (block := unfence(text, aparts)))
    files = _files(content)
    blocks |= files
    by_hash = cache(lambda: files_by_hash(files.values()))
    try:
        values = json.loads(lines[-1].removeprefix("values: "))
    except ValueError:
        return None
    return ReadBack(
        lines[0].removeprefix("agent: ") if lines[0].startswith("agent: ") else "",
        (*(str(as_object(block).get("text")) for block in body.get("system") or ()), *texts[:-1]),
        {name: _resolve(value, blocks, by_hash if files else None) for name, value in values.items()},
    )


def _first_turn(body: Mapping[str, Any]) -> tuple[list[Mapping[str, Any]], list[str]]:
    """Return the blocks of a conversation's first message, and the texts among them: an empty one where it has none."""
    try:
        content = body["messages"][0]["content"]
        return content, [str(part["text"]) for part in content if part.get("type") == "text"] or [""]
    except (LookupError, TypeError, AttributeError):
        return [], [""]


def _files(content: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return images and PDFs by the name in the line before them, as data that `Media` takes."""
    files: dict[str, Any] = {}
    for before, part in pairwise(content):
        name = label_name(str(before.get("text") or "")) if before.get("type") == "text" else None
        if name is not None and part.get("type") in ("image", "document"):
            files[name] = as_object(part.get("source"))
    return files


def _resolve(value: Any, blocks: Mapping[str, Any], files: Callable[[], Mapping[str, Mapping[str, Any]]] | None) -> Any:
    record = as_object(value)
    if set(record) == {"$block"}:
        return blocks.get(record["$block"])
    return value if files is None else with_files(value, files)
