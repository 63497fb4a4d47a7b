"""Fields of a front matter: YAML where it is YAML, and else each field by itself.

Files in the wild are often no YAML: a description with `user: "..."` in it, a tab, `tools: *`. Claude Code reads them
all the same (PostHog/posthog pull request 91631 and anthropics/claude-plugins-official issue 6261, read 2026-11-30;
its own page says that it skips them). So where the whole is no YAML each field is read by itself, as YAML or else as a
text that runs to the next field. Values that would need more memory than there is, or more depth, are refused in both.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from fanwise.errors import Mistake

from .notes import Note
from .safeyaml import NoYamlError, RefusedYamlError, safe_yaml

MOST_FRONT_CHARS = 65_536
MOST_FIELDS = 200
FIELD = re.compile(r"([A-Za-z][\w-]*)[ \t]*:(?:[ \t]+(.*)|)$")
"""A field at the beginning of a line: its name and what stands behind it."""
_BLOCK = re.compile(r"[|>][+-]?\d?[+-]?\s*(?:#.*)?$")
"""How a text of several lines begins in YAML."""
TEXTS = ("description", "initialPrompt")
"""Fields with free text, in which a line may look like a field."""


class FieldReader:
    """Reads the lines of a front matter."""

    def __init__(
        self,
        path: Path,
        lines: Sequence[str],
        first: int,
        known: Collection[str],
        mistakes: list[Mistake],
        notes: list[Note],
    ) -> None:
        self._path, self._lines, self._first, self._known = path, lines, first, known
        self._mistakes, self._notes = mistakes, notes

    def line_of(self, name: str) -> int:
        """Return the line of a field in the file, of the last with that name; that of the first `---` where none is."""
        starts = (f"{name}:", f'"{name}":', f"'{name}':", f"{name} :")
        numbers = [number for number, line in enumerate(self._lines, self._first) if line.startswith(starts)]
        return numbers[-1] if numbers else self._first - 1

    def read(self) -> dict[str, Any]:
        """Return the fields; none where they cannot be read, which is a mistake."""
        front = "\n".join(self._lines)
        if len(front) > MOST_FRONT_CHARS:
            self._add_mistake(0, f"front matter has {len(front):,} characters", "the body is for text")
            return {}
        try:
            data = self._strict(front, 0)
        except NoYamlError as error:
            before, fields = len(self._mistakes), self._by_field()
            if not fields and len(self._mistakes) == before:
                self._add_mistake(error.line, f"front matter is not YAML: {error.problem}", "write `key: value`")
            return fields
        if data is None:
            return {}
        if not isinstance(data, dict):
            self._add_mistake(0, "front matter is not a list of `key: value`")
            return {}
        fields = {str(key): value for key, value in cast("dict[Any, Any]", data).items()}
        return {} if self._are_too_many(len(fields)) else fields

    def _are_too_many(self, count: int) -> bool:
        """Return whether there are more fields than any agent has, which is a mistake: each is looked at."""
        if count > MOST_FIELDS:
            self._add_mistake(0, f"front matter has {count:,} fields", "the body is for text")
        return count > MOST_FIELDS

    def _add_mistake(self, offset: int, message: str, hint: str = "") -> None:
        self._mistakes.append(Mistake(f"{self._path}:{self._first + offset}", message, hint))

    def _strict(self, text: str, offset: int) -> Any:
        """Return what a text is in YAML, None where it is refused, which is a mistake.

        Args:
            text: Some lines.
            offset: How many lines of the front matter stand before them.

        Raises:
            NoYamlError: It is no YAML.
        """
        try:
            return safe_yaml(text)
        except RefusedYamlError as error:
            self._add_mistake(offset + error.line, f"front matter {error.problem}", error.hint)
            return {}

    def _by_field(self) -> dict[str, Any]:
        """Return the fields, each read by itself."""
        fields, as_text = dict[str, Any](), list[str]()
        parts = list(_fields(self._lines, self._known))
        if self._are_too_many(len(parts)):
            return {}
        for name, offset, lines in parts:
            line = self._first + offset
            if name in fields:
                self._notes.append(Note(f"{self._path}:{line}", f"{name} stands twice; this is read"))
            try:
                data = self._strict("\n".join(lines), offset)
                fields[name] = data[name] if isinstance(data, dict) and name in data else None
            except NoYamlError as error:
                fields[name] = _as_text(lines)
                as_text.append(f"{name} (line {line}: {error.problem})")
        if as_text:
            text = f"no YAML, so read as text up to the next field: {', '.join(as_text)}"
            self._notes.append(Note(f"{self._path}:{self._first}", text))
        return fields


def _fields(lines: Sequence[str], known: Collection[str]) -> Iterator[tuple[str, int, list[str]]]:
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


def _as_text(lines: Sequence[str]) -> str:
    """Return the value of a field as it stands there, without quotes around it; escapes stay, as in plain YAML."""
    match = FIELD.match(lines[0])
    first = (match[2] or "").strip() if match is not None else ""
    rest = [line.strip() for line in lines[1:]]
    if _BLOCK.match(first):
        return "\n".join(rest).strip()
    text = "\n".join([first, *rest]).strip()
    is_quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    return text[1:-1].strip() if is_quoted else text
