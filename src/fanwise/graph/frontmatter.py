"""The front of an agent file: what stands between its two lines `---`, each field with its line."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fanwise.errors import Mistake

from .fieldlines import FIELD
from .fields import FieldReader
from .notes import Note

_FENCE = re.compile(r"(?:```|~~~)\s*\w*|-{2}|-{4,}|[\u2012-\u2015-]+")
"""What people write where a front matter should begin: a fence of code, too many dashes, or long ones."""
_BEGIN = "it begins at the first line with ---, and ends with ---; write no fence of code around it"


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontMatter:
    """The fields of a file, and the text behind them."""

    fields: Mapping[str, Any]
    """Values by name; of a name that stands twice the last."""
    lines: Mapping[str, int]
    """Line of each in the file."""
    body: str
    body_line: int
    """Line behind which the body begins, 0 where it is the whole file."""
    text_line: int
    """Line of the body's first text."""


def read_front_matter(
    path: Path, text: str, known: Collection[str], mistakes: list[Mistake], notes: list[Note]
) -> FrontMatter:
    """Return the front matter of a file and its body.

    Args:
        path: The file, for places.
        text: Its content.
        known: Fields at which a text ends that is no YAML.
        mistakes: Gets what is wrong, each with its line.
        notes: Gets how it was read, where that was not by YAML.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    begin = _begin(lines)
    end = None if begin is None else _end(lines, begin)
    if begin is None or end is None:
        if begin is not None and any(map(FIELD.match, lines[begin + 1 : begin + 3])):
            hint = "write --- on a line of its own behind the last field"
            mistakes.append(Mistake(f"{path}:{begin + 1}", "the front matter has no end", hint))
        elif (fault := _fault(lines, known)) is not None:
            mistakes.append(Mistake(f"{path}:{fault + 1}", f"{lines[fault].strip()!r} begins no front matter", _BEGIN))
        else:
            notes.append(Note(f"{path}:1", "there is no front matter: the whole file is taken for the instructions"))
        return FrontMatter(fields={}, lines={}, body=text.strip(), body_line=0, text_line=_text_line(lines, 0))
    if begin:
        text_before = "the front matter does not begin at the first line; Claude Code would not read it"
        notes.append(Note(f"{path}:{begin + 1}", text_before))
    reader = FieldReader(path, lines[begin + 1 : end], begin + 2, known, mistakes, notes)
    fields = reader.read()
    return FrontMatter(
        fields=fields,
        lines={name: reader.line_of(name) for name in fields},
        body="\n".join(lines[end + 1 :]).strip(),
        body_line=end + 1,
        text_line=_text_line(lines, end + 1),
    )


def _text_line(lines: Sequence[str], begin: int) -> int:
    """Return the number of the first line with text from one on; of the last where none has any."""
    return next((index for index in range(begin, len(lines)) if lines[index].strip()), len(lines) - 1) + 1


def _begin(lines: Sequence[str]) -> int | None:
    """Return where the first `---` stands, behind empty lines and comments of HTML; None where it does not."""
    is_comment = False
    for index, line in enumerate(lines):
        is_comment = is_comment or line.lstrip().startswith("<!--")
        if is_comment:
            is_comment = "-->" not in line
        elif line.strip():
            return index if line.rstrip() == "---" else None
    return None


def _fault(lines: Sequence[str], known: Collection[str]) -> int | None:
    """Return where fields begin behind a fence of code or a line of dashes that is none of a front matter, or None."""
    texts = [(index, line.strip()) for index, line in enumerate(lines) if line.strip()][:3]
    if not texts or not _FENCE.fullmatch(texts[0][1]):
        return None
    matches = [FIELD.match(text) for _, text in texts[1:] if text != "---"]
    return texts[0][0] if matches and matches[0] is not None and matches[0][1] in known else None


def _end(lines: Sequence[str], begin: int) -> int | None:
    """Return where the front matter ends that begins at a line: an indented `---` is part of a text."""
    return next((index for index in range(begin + 1, len(lines)) if lines[index].rstrip() == "---"), None)
