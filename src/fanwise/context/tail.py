"""The end of a request: who is asked, the schema where it is not strict, and the values.

The form is fixed so that the stand-in reads a request back exactly. Blocks are fenced with
a hash of their own content, so that no text inside of one can end it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from fanwise.canonical import canonical, digest, dumps, quoted
from fanwise.jsonable import as_object
from fanwise.media import Media

_ANSWER = "Answer with one JSON value that fits the schema, and with nothing else."
_REPAIR = "The answer before this one could not be used: "


def fence(name: str, text: str) -> str:
    """Return a block's text between lines that carry its name and a hash of its content."""
    mark = digest(f"{name}\0{text}")[:12]
    return f"<block {dumps(name)} {mark}>\n{text}\n</block {mark}>"


def label(name: str, media: Media) -> str:
    """Return the line in front of an image or a PDF."""
    return f"<file {dumps(name)} {media.sha[:12]}>"


def label_name(text: str) -> str | None:
    """Return the name in such a line, or None where the text is none."""
    if not text.startswith('<file "') or not text.endswith(">"):
        return None
    try:
        name = json.loads(text.removeprefix("<file ")[:-1].rpartition(" ")[0])
    except ValueError:
        return None
    return name if isinstance(name, str) else None


def unfence(text: str) -> tuple[str, str] | None:
    """Return name and content of a fenced block, or None where the text is none."""
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
    return (name, content) if digest(f"{name}\0{content}")[:12] == mark else None


def value_texts(values: Mapping[str, Any], blocks: Mapping[str, str]) -> dict[str, str]:
    """Return values as canonical JSON by parameter, in order; those that travel as blocks of the row name theirs."""
    return {
        name: dumps({"$block": blocks[name]}) if name in blocks else canonical(values[name]) for name in sorted(values)
    }


def record_text(texts: Mapping[str, str]) -> str:
    """Return values that `value_texts` has written as one JSON object."""
    return "{" + ",".join([f"{quoted(name)}:{text}" for name, text in texts.items()]) + "}"


def repair_line(why: str) -> str:
    """Return the line that says why an answer could not be used."""
    return _REPAIR + dumps(why)


def opening(agent: str, schema: Mapping[str, Any] | None) -> str:
    """Return the lines of the last text of a request that are the same for every row.

    Args:
        agent: Name of the agent.
        schema: JSON schema where it is not sent as `output_config.format`.
    """
    lines = [f"agent: {agent}"]
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
    between = f"\n{repair_line(repair)}" if repair else ""
    return f"{front}{between}\nvalues: {record_text(values)}"


@dataclass(frozen=True, slots=True)
class ReadBack:
    """A request read back: who was asked, and with which values (JSON-ready)."""

    agent: str
    values: dict[str, Any]


def read_back(body: Mapping[str, Any]) -> ReadBack | None:
    """Return agent and values of a Messages request that fanwise made, or None for another one."""
    content, texts = _first_turn(body)
    lines = texts[-1].split("\n")
    if not lines[0].startswith("agent: ") or not lines[-1].startswith("values: "):
        return None
    blocks: dict[str, Any] = dict(block for block in map(unfence, texts[:-1]) if block)
    blocks |= _files(content)
    try:
        values = json.loads(lines[-1].removeprefix("values: "))
    except ValueError:
        return None
    return ReadBack(lines[0].removeprefix("agent: "), {name: _resolve(value, blocks) for name, value in values.items()})


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


def _resolve(value: Any, blocks: Mapping[str, Any]) -> Any:
    record = as_object(value)
    return blocks.get(record["$block"]) if set(record) == {"$block"} else value
