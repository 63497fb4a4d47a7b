"""Agent files: `agents/NAME.md`, Markdown with front matter in YAML; the body is the instructions.

The format is the one that Claude Code uses for subagents, and `max_tokens`, `pack` and `reuse`, which are ours. Source
of its fields: code.claude.com/docs/en/sub-agents, "Frontmatter reference", as a public copy of the page had it on
2026-11-30. There a field that is not known is ignored without a word; here it is said, once, with its line.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from fanwise.errors import Mistake
from fanwise.media import read_regular
from fanwise.models import EFFORT_INTENTS, EffortIntent

from .examples import PlacedExample
from .examplesection import body_parts
from .frontmatter import FrontMatter, read_front_matter
from .notes import Note
from .toolnames import ALL_TOOLS, NO_NAMES, ToolNames, tool_names

MOST_BYTES = 1_000_000
"""Of an agent file."""
MOST_NAME = 64
"""Characters of an agent's name."""
_READ = (
    "name", "description", "model", "max_tokens", "effort", "maxTurns", "pack", "reuse", "tools", "disallowedTools",
)  # fmt: skip
_ELSEWHERE = (
    "permissionMode", "skills", "mcpServers", "hooks", "memory", "background", "omitClaudeMd", "isolation", "color",
    "initialPrompt", "experimental", "autoCompactWindow", "observer", "observerMessage",
)  # fmt: skip
"""Fields of Claude Code that mean nothing here: they are about its terminal, its files and its sessions."""
_TYPES = ("input", "output")
"""Fields of ours that a caller has read who gives types; in files of others they may be anything."""
_NO_NAME = re.compile(r"[^\w-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFile:
    """What an agent file says; empty where it says nothing."""

    path: Path
    name: str = ""
    """As it stands in requests and reports: in small letters, with hyphens for what is no letter or digit."""
    description: str = ""
    """What the agent is for; told to coordinators and never to the agent."""
    model: str = ""
    """An alias, an id or `inherit`, as it stands there."""
    max_tokens: int = 0
    max_turns: int = 0
    pack: int = 0
    effort: EffortIntent | None = None
    reuse: bool | None = None
    tools: ToolNames = ALL_TOOLS
    denied: ToolNames = NO_NAMES
    """Tools that it is not to have."""
    input: Any = None
    """The name of a type, or a JSON schema, as it stands there; None where it is not to be read."""
    output: Any = None
    """Likewise."""
    instructions: str = ""
    body: str = ""
    """All of it that is not front matter: the instructions, and the section of examples behind them."""
    examples: tuple[PlacedExample, ...] = ()
    """Those of its last section, not checked."""
    example_mistakes: tuple[Mistake, ...] = ()
    """What of them cannot be read."""
    is_readable: bool = True
    """Whether its front matter could be read at all, so that what is not in `lines` does not stand there."""
    lines: Mapping[str, int] = field(default_factory=dict[str, int])
    """Line of each field."""

    def place(self, name: str) -> str:
        """Return the place of a field, that of the file's beginning where it has none."""
        return f"{self.path}:{self.lines.get(name, 1)}"


def read_agent_file(path: Path, mistakes: list[Mistake], notes: list[Note], *, typed: bool = False) -> AgentFile:
    """Read one agent file.

    Args:
        path: The file.
        typed: Whether to read `input` and `output`.
        mistakes: Gets what is wrong, each with its line; where something is, the result is of no use.
        notes: Gets what was not read, or read otherwise than it stands there.
    """
    text = _text(path, mistakes)
    if text is None:
        return AgentFile(path=path, is_readable=False)
    before = len(mistakes)
    read = {*_READ, *_TYPES} if typed else {*_READ}
    front = read_front_matter(path, text, {*read, *_ELSEWHERE}, mistakes, notes)
    is_readable = len(mistakes) == before
    body = body_parts(path, front.body, front.text_line, notes)
    if not body.instructions:
        mistakes.append(
            Mistake(f"{path}:{front.body_line or 1}", "has no body", "the body is the agent's instructions")
        )
    fields = _Fields(path, front, mistakes, notes)
    fields.note_ignored(read)
    return AgentFile(
        path=path,
        name=fields.name(),
        description=fields.text("description", strict=False),
        model=fields.text("model"),
        max_tokens=fields.whole_number("max_tokens", "tokens"),
        max_turns=fields.whole_number("maxTurns", "requests"),
        pack=fields.whole_number("pack", "inputs"),
        effort=fields.effort(),
        reuse=fields.truth("reuse"),
        tools=fields.tools("tools"),
        denied=fields.tools("disallowedTools"),
        input=front.fields.get("input") if typed else None,
        output=front.fields.get("output") if typed else None,
        instructions=body.instructions,
        body=front.body,
        examples=body.examples,
        example_mistakes=body.mistakes,
        is_readable=is_readable,
        lines=front.lines,
    )


def _text(path: Path, mistakes: list[Mistake]) -> str | None:
    """Return the text of a file; None where it is not UTF-8, too large, or no regular file, which is a mistake."""
    try:
        return read_regular(path, MOST_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problem = f"is not UTF-8 at byte {error.start}"
    except ValueError as error:
        problem = str(error)
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
    mistakes.append(Mistake(str(path), problem))
    return None


def agent_name(text: str) -> str:
    """Return the name of an agent that a text gives; empty where it has neither a letter nor a digit."""
    name = _NO_NAME.sub("-", text.strip().lower()).strip("-")
    return name if any(map(str.isalnum, name)) else ""


class _Fields:
    """The fields of an agent file; each is checked when it is read."""

    def __init__(self, path: Path, front: FrontMatter, mistakes: list[Mistake], notes: list[Note]) -> None:
        self._path, self._front, self._mistakes, self._notes = path, front, mistakes, notes

    def _place(self, key: str) -> str:
        return f"{self._path}:{self._front.lines.get(key, 1)}"

    def _add_mistake(self, key: str, message: str, hint: str) -> None:
        self._mistakes.append(Mistake(self._place(key), message, hint))

    def note_ignored(self, read: Collection[str]) -> None:
        """Note the fields that are not read here, in one remark, with what was perhaps meant."""
        ignored: list[str] = []
        for key in (key for key in self._front.fields if key not in read):
            near = "" if key in _ELSEWHERE else _near(key)
            meant = f", did you mean {near!r}?" if near else ""
            ignored.append(f"{key} (line {self._front.lines[key]}{meant})")
        if ignored:
            first = next(key for key in self._front.fields if key not in read)
            self._notes.append(Note(self._place(first), f"not read here: {', '.join(ignored)}"))

    def name(self) -> str:
        """Return the agent's name, empty where the file gives none."""
        value = self._front.fields.get("name")
        if value is None:
            return ""
        name = agent_name(value) if isinstance(value, str) else ""
        if not name or len(name) > MOST_NAME:
            hint = f"give a name in lower case with hyphens or underscores, of {MOST_NAME} characters at most"
            self._add_mistake("name", f"name is {_shown(value)}", hint)
            return ""
        if name != value:
            self._notes.append(Note(self._place("name"), f"the name {value!r} becomes {name!r}"))
        return name

    def text(self, key: str, *, strict: bool = True) -> str:
        """Return a text, empty where the file has none; anything else is a mistake, or not read where it may be."""
        value = self._front.fields.get(key)
        if value is not None and not isinstance(value, str) and strict:
            self._add_mistake(key, f"{key} is {_shown(value)}, not text", f"write {key}: and a text in one line")
        return value.strip() if isinstance(value, str) else ""

    def whole_number(self, key: str, unit: str) -> int:
        """Return a positive whole number, 0 where the file gives none."""
        value = self._front.fields.get(key)
        if value is None:
            return 0
        if type(value) is not int or value <= 0:
            self._add_mistake(key, f"{key} is {_shown(value)}", f"give a positive whole number of {unit}")
            return 0
        return value

    def truth(self, key: str) -> bool | None:
        """Return whether something holds, None where the file does not say."""
        value = self._front.fields.get(key)
        if value is not None and not isinstance(value, bool):
            self._add_mistake(key, f"{key} is {_shown(value)}", f"write {key}: true or {key}: false")
            return None
        return value

    def effort(self) -> EffortIntent | None:
        """Return how hard the model works, None where the file does not say."""
        effort = self._front.fields.get("effort")
        if effort is not None and effort not in EFFORT_INTENTS:
            self._add_mistake("effort", f"effort is {_shown(effort)}", f"one of {', '.join(EFFORT_INTENTS)}")
            return None
        return effort

    def tools(self, key: str) -> ToolNames:
        """Return the tools that a field names."""
        value = self._front.fields.get(key)
        if value is None:
            return ALL_TOOLS if key == "tools" else NO_NAMES
        names = tool_names(value)
        if names is None:
            hint = f"write {key}: Read, Grep, or a list of names"
            self._add_mistake(key, f"{key} is {_shown(value)}, which is no list of names", hint)
            return NO_NAMES
        return names


def _near(key: str) -> str:
    """Return the field that was perhaps meant by a name that is none; empty where none was."""
    plain = key.lower().replace("-", "").replace("_", "")
    return "tools" if plain == "allowedtools" else next(iter(get_close_matches(key, _READ, 1, 0.75)), "")


def _shown(value: Any) -> str:
    """Return a value as a message shows it."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
