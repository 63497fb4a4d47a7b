"""Fields of a front matter: YAML where it is YAML, and else each field by itself.

Files in the wild are often no YAML: a description with `user: "..."` in it, a tab, `tools: *`. Claude Code reads them
all the same (PostHog/posthog pull request 91631 and anthropics/claude-plugins-official issue 6261, read 2026-11-30;
its own page says that it skips them). So where the whole is no YAML each field is read by itself, as YAML or else as a
text that runs to the next field. Values that would need more memory than there is, or more depth, are refused in both.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, cast

from fanwise.errors import Mistake

from .fieldlines import as_text, indented, parts_of, spaced
from .notes import Note
from .safeyaml import NoYamlError, RefusedYamlError, repeated_keys, safe_yaml

MOST_FRONT_CHARS = 65_536
MOST_FIELDS = 200


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
            data = self._strict_or_spaced(front)
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
        if fields:
            for name, offset in repeated_keys("\n".join(self._lines)):
                self._note_twice(name, offset)
        return {} if self._are_too_many(len(fields)) else fields

    def _are_too_many(self, count: int) -> bool:
        """Return whether there are more fields than any agent has, which is a mistake: each is looked at."""
        if count > MOST_FIELDS:
            self._add_mistake(0, f"front matter has {count:,} fields", "the body is for text")
        return count > MOST_FIELDS

    def _add_mistake(self, offset: int, message: str, hint: str = "") -> None:
        self._mistakes.append(Mistake(f"{self._path}:{self._first + offset}", message, hint))

    def _note_twice(self, name: str, offset: int) -> None:
        self._notes.append(Note(f"{self._path}:{self._first + offset}", f"{name} stands twice; this is read"))

    def _strict_or_spaced(self, front: str) -> Any:
        """Return what the front matter is in YAML; where it is no list of fields, with a space behind their colons.

        Without one YAML takes `tools:Read` for a part of the text above it, and the agent would have every tool.

        Raises:
            NoYamlError: It is no YAML in either way.
        """
        problem = None
        try:
            data = self._strict(front, 0)
        except NoYamlError as error:
            data, problem = None, error
        if isinstance(data, dict):
            return cast("dict[Any, Any]", data)
        is_spaced = self._add_spaces()
        if problem is not None and not is_spaced:
            raise problem
        return self._strict("\n".join(self._lines), 0) if is_spaced else data

    def _add_spaces(self) -> bool:
        """Put a space behind the colon of known fields that have none there; return whether there were any."""
        changed = spaced(self._lines, self._known)
        for offset in changed:
            text = "has no space behind its colon, as YAML wants one; it is read all the same"
            name = changed[offset].partition(":")[0]
            self._notes.append(Note(f"{self._path}:{self._first + offset}", f"{name} {text}"))
        self._lines = [changed.get(offset, line) for offset, line in enumerate(self._lines)]
        return bool(changed)

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
        fields, texts = dict[str, Any](), list[str]()
        parts = list(parts_of(self._lines, self._known))
        if self._are_too_many(len(parts)):
            return {}
        for name, offset, lines in parts:
            line = self._first + offset
            if name in fields:
                self._note_twice(name, offset)
            try:
                data = self._strict("\n".join(lines), offset)
                fields[name] = data[name] if isinstance(data, dict) and name in data else None
            except NoYamlError as error:
                for index, inner in indented(lines, self._known):
                    text = f"{inner} is indented, and so a part of {name}"
                    self._add_mistake(offset + index, text, "begin it at the first column")
                fields[name] = as_text(lines)
                texts.append(f"{name} (line {line}: {error.problem})")
        if texts:
            text = f"no YAML, so read as text up to the next field: {', '.join(texts)}"
            self._notes.append(Note(f"{self._path}:{self._first}", text))
        return fields
