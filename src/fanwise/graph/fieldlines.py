"""Lines of a front matter: where its fields begin, and what people write where one should."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

FIELD = re.compile(r"([A-Za-z][\w-]*)[ \t]*:(?:[ \t]+(.*)|)$")
"""A field at the beginning of a line: its name and what stands behind it."""
_UNSPACED = re.compile(r"([A-Za-z][\w-]*)\s*:(?!//|[ \t]|$)\s*(.*)$")
"""A field without a space or tab behind its colon: its name, and its value; another kind of space is none in YAML."""
_BLOCK = re.compile(r"[|>][+-]?\d?[+-]?\s*(?:#.*)?$")
"""How a text of several lines begins in YAML."""
TEXTS = ("description", "initialPrompt")
"""Fields with free text, in which a line may look like a field."""


def parts_of(lines: Sequence[str], known: Collection[str]) -> Iterator[tuple[str, int, list[str]]]:
    """Yield each field that begins at the first column: its name, the lines before it, and its own lines.

    In a text a line with a name that nobody knows is part of the text; elsewhere it is a field of its own.
    """
    name, begin = "", 0
    for index, line in enumerate(lines):
        match = FIELD.match(line)
        if match is None or (name in TEXTS and match[1] not in known):
            continue
        if name:
            yield name, begin, [*lines[begin:index]]
        name, begin = match[1], index
    if name:
        yield name, begin, [*lines[begin:]]


def as_text(lines: Sequence[str]) -> str:
    """Return the value of a field as it stands there, without quotes around it; escapes stay, as in plain YAML."""
    match = FIELD.match(lines[0])
    first = (match[2] or "").strip() if match is not None else ""
    rest = [line.strip() for line in lines[1:]]
    if _BLOCK.match(first):
        return "\n".join(rest).strip()
    text = "\n".join([first, *rest]).strip()
    is_quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    return text[1:-1].strip() if is_quoted else text


def spaced(lines: Sequence[str], known: Collection[str]) -> dict[int, str]:
    """Return the lines with a known field that has no space behind its colon, by their index, each with a space."""
    matches = {index: match for index, line in enumerate(lines) if (match := _UNSPACED.match(line)) is not None}
    return {index: f"{match[1]}: {match[2]}" for index, match in matches.items() if match[1] in known}


def indented(lines: Sequence[str], known: Collection[str]) -> Iterator[tuple[int, str]]:
    """Yield the known fields that are indented below the value of another, which is no text: index and name.

    Args:
        lines: Of the other field, which is no YAML.
        known: Names of fields.
    """
    first = FIELD.match(lines[0])
    if first is None or first[1] in TEXTS or not (first[2] or "").strip():
        return
    for index, line in enumerate(lines[1:], 1):
        inner = FIELD.match(line.lstrip())
        if inner is not None and inner[1] in known:
            yield index, inner[1]
