"""The examples at the end of an agent file: a section `## Examples` of fenced inputs and outputs, and of nothing else.

Files in the wild have sections of that name in free text: those are instructions, and stay as they are. Where a section
has such fences and anything else beside them it stays too, and that is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from fanwise.errors import Mistake
from fanwise.jsonable import json_fault, loads

from .examples import Example, PlacedExample
from .notes import Note
from .safeyaml import NoYamlError, RefusedYamlError, safe_yaml

_TITLE = re.compile(r"##[ \t]+Examples[ \t]*")
_SUBTITLE = re.compile(r"#{3,6}[ \t].*")
_FENCE = re.compile(r"(`{3,}|~{3,})[ \t]*([^`]*?)[ \t]*")
_INFO = re.compile(r"(?:(yaml|yml|json|text|txt|markdown|md)[ \t]+)?(input|output)")
_SHAPE = "```yaml input, then ```yaml output (or json, or neither for a text), and headings ### between them"


class BodyParts(NamedTuple):
    """The body of an agent file."""

    instructions: str
    examples: tuple[PlacedExample, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    """What of the examples cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _SectionPart:
    """A fenced text of a section, or a line that is in none."""

    line: int
    """In the file."""
    text: str
    """Without the fence."""
    language: str = ""
    role: str = ""
    """`input` or `output`; empty for anything else, `title` for a heading below that of the section."""


def body_parts(path: Path, body: str, first: int, notes: list[Note]) -> BodyParts:
    """Return the instructions and the examples of a file's body.

    Args:
        path: The file, for places.
        body: Its body.
        first: Line of the file in which that begins.
        notes: Gets why a section with inputs and outputs is taken for instructions.
    """
    lines = body.split("\n")
    title = _title(lines)
    if title is None:
        return BodyParts(body)
    parts = list(_parts(lines[title + 1 :], first + title + 1))
    if not any(part.role in ("input", "output") for part in parts):
        return BodyParts(body)
    pairs = _pairs(parts)
    if isinstance(pairs, int):
        text = f"the section Examples is read as instructions: this is not of the form {_SHAPE}"
        notes.append(Note(f"{path}:{pairs}", text))
        return BodyParts(body)
    mistakes: list[Mistake] = []
    examples = [
        PlacedExample(Example(*(_value(path, part, number, mistakes) for part in pair)), f"{path}:{pair[0].line}")
        for number, pair in enumerate(pairs, 1)
    ]
    return BodyParts("\n".join(lines[:title]).strip(), tuple(examples), tuple(mistakes))


def _title(lines: Sequence[str]) -> int | None:
    """Return where the heading of the section stands, the last outside of fences; None where there is none."""
    titles = [part.line for part in _parts(lines, 0) if not part.role and _TITLE.fullmatch(part.text)]
    return titles[-1] if titles else None


def _parts(lines: Sequence[str], first: int) -> Iterator[_SectionPart]:
    """Yield fenced texts, and the lines outside of them that are not empty.

    Args:
        lines: Of a section.
        first: Number of the first of them.
    """
    at = 0
    while at < len(lines):
        line, begin = lines[at].rstrip(), at
        at += 1
        fence = _FENCE.fullmatch(line)
        if fence is None:
            if line:
                yield _SectionPart(line=first + begin, text=line, role="title" if _SUBTITLE.fullmatch(line) else "")
            continue
        while at < len(lines) and not _is_end(lines[at], fence[1]):
            at += 1
        info = _INFO.fullmatch(fence[2])
        is_whole, at = at < len(lines), at + 1
        yield _SectionPart(
            line=first + begin,
            text="\n".join(text_line.removesuffix("\r") for text_line in lines[begin + 1 : at - 1]),
            language=(info[1] or "") if info is not None else "",
            role=info[2] if info is not None and is_whole else "",
        )


def _is_end(line: str, fence: str) -> bool:
    """Return whether a line ends what a fence has begun: as many of the same characters at least, and nothing else."""
    text = line.rstrip()
    return len(text) >= len(fence) and set(text) == {fence[0]}


def _pairs(parts: Sequence[_SectionPart]) -> list[tuple[_SectionPart, _SectionPart]] | int:
    """Return inputs with their outputs, or the line of what is neither."""
    pairs: list[tuple[_SectionPart, _SectionPart]] = []
    waiting: _SectionPart | None = None
    for part in parts:
        if part.role == "input" and waiting is None:
            waiting = part
        elif part.role == "output" and waiting is not None:
            pairs.append((waiting, part))
            waiting = None
        elif part.role != "title" or waiting is not None:
            return part.line
    return pairs if waiting is None else waiting.line


def _value(path: Path, part: _SectionPart, number: int, mistakes: list[Mistake]) -> Any:
    """Return the value of a fenced text; what cannot be read is a mistake."""
    subject = f"the {part.role} of example {number}"
    try:
        match part.language:
            case "json":
                return loads(part.text)
            case "yaml" | "yml":
                return safe_yaml(f"{part.text}\n")  # so that `|` ends with a line feed at the end of a fence too
            case _:
                return part.text
    except NoYamlError as error:
        mistakes.append(Mistake(f"{path}:{part.line + 1 + error.line}", f"{subject} is no YAML: {error.problem}"))
    except RefusedYamlError as error:
        mistakes.append(Mistake(f"{path}:{part.line + 1 + error.line}", f"{subject} {error.problem}", error.hint))
    except (ValueError, RecursionError) as error:
        mistakes.append(Mistake(f"{path}:{part.line}", f"{subject} cannot be used: {json_fault(error)}"))
    return None
