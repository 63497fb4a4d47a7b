"""Agent files: `agents/NAME.md`, Markdown with YAML front matter.

The format is the one that Claude Code uses for subagents. Read here are `name`, `description`,
`model`, `max_tokens` and `effort`; the body is the instructions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast

from fanwise.errors import DefinitionError, Mistake
from fanwise.media import read_regular
from fanwise.models import EFFORT_INTENTS, EffortIntent, known_models

MOST_BYTES, MOST_FRONT_BYTES = 1_000_000, 65_536
"""Bytes of an agent file, and of its front matter."""
MOST_DEPTH = 20
"""Levels of lists and objects in front matter; hooks of Claude Code have five."""
_OURS = ("name", "description", "model", "max_tokens", "effort")
_ELSEWHERE = (
    "tools", "disallowedTools", "permissionMode", "maxTurns", "skills", "mcpServers", "hooks", "memory",
    "background", "isolation", "color", "initialPrompt",
)  # fmt: skip
_ALIASES = {
    "haiku": "claude-haiku-5-5",
    "sonnet": "claude-sonnet-5-5",
    "opus": "claude-opus-5-5",
    "fable": "claude-fable-5-2",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFile:
    """What an agent file says; empty where it says nothing."""

    name: str = ""
    model: str = ""
    max_tokens: int = 0
    effort: EffortIntent | None = None
    instructions: str = ""


def read_agent_file(path: Path) -> AgentFile:
    """Read one agent file.

    Raises:
        DefinitionError: The file has mistakes; each is listed with its line.
    """
    lines = _lines(path)
    marks = [number for number, line in enumerate(lines) if line.strip() == "---"]
    if len(marks) < 2 or marks[0] != 0:
        raise DefinitionError(
            f"agent file {path}", (Mistake(f"{path}:1", "has no front matter", "start with --- name: ... ---"),)
        )
    end = marks[1]
    mistakes: list[Mistake] = []
    fields = _load(path, "\n".join(lines[1:end]), mistakes)
    instructions = "\n".join(lines[end + 1 :]).strip()
    if not instructions:
        mistakes.append(Mistake(f"{path}:{end + 1}", "has no body", "the body is the agent's instructions"))
    front = _FrontMatter(path, lines, fields, mistakes)
    front.check_names()
    agent_file = AgentFile(
        name=front.name(),
        model=front.model(),
        max_tokens=front.max_tokens(),
        effort=front.effort(),
        instructions=instructions,
    )
    if mistakes:
        raise DefinitionError(f"agent file {path}", tuple(mistakes))
    return agent_file


def _lines(path: Path) -> list[str]:
    """Return the lines of a file.

    Raises:
        DefinitionError: It is not UTF-8, too large, or no regular file.
    """
    try:
        return read_regular(path, MOST_BYTES).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        problem = f"is not UTF-8 at byte {error.start}"
    except ValueError as error:
        problem = str(error)
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
    raise DefinitionError(f"agent file {path}", (Mistake(str(path), problem),))


def _load(path: Path, front: str, mistakes: list[Mistake]) -> dict[str, Any]:
    """Return the fields of the front matter; none where it is no mapping, which is a mistake."""
    import yaml  # here, since only agents that come from files need it

    if len(front) > MOST_FRONT_BYTES:
        mistakes.append(Mistake(f"{path}:1", f"front matter has {len(front):,} characters", "the body is for text"))
        return {}
    try:
        depth = 0
        for event in yaml.parse(front, yaml.SafeLoader):  # as a stream: what is too deep takes time in squares
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MOST_DEPTH:
                mistakes.append(Mistake(f"{path}:1", "front matter is nested too deeply", "write `key: value`"))
                return {}
            if isinstance(event, yaml.AliasEvent):  # a few lines of them make values that no memory holds
                mistakes.append(Mistake(f"{path}:1", "front matter has an alias (*name)", "write the value out"))
                return {}
        data = yaml.safe_load(front)
    except ValueError as error:  # a date or a number that YAML reads and Python does not have
        mistakes.append(Mistake(f"{path}:1", f"front matter has a value that cannot be read: {error}"))
        return {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 2 if mark is not None else 1
        mistakes.append(Mistake(f"{path}:{line}", f"front matter is not YAML: {getattr(error, 'problem', error)}"))
        return {}
    if not isinstance(data, dict):
        mistakes.append(Mistake(f"{path}:1", "front matter is not a list of `key: value`"))
        return {}
    return {str(key): value for key, value in cast("dict[Any, Any]", data).items()}


class _FrontMatter:
    """The fields of an agent file; each is checked when it is read."""

    def __init__(self, path: Path, lines: list[str], fields: Mapping[str, Any], mistakes: list[Mistake]) -> None:
        self._path, self._lines, self._fields, self._mistakes = path, lines, fields, mistakes

    def _add_mistake(self, key: str, message: str, hint: str) -> None:
        number = next((number for number, line in enumerate(self._lines, 1) if line.startswith(f"{key}:")), 1)
        self._mistakes.append(Mistake(f"{self._path}:{number}", message, hint))

    def check_names(self) -> None:
        """Note every field that neither we nor Claude Code know."""
        for key in self._fields:
            if key not in _OURS and key not in _ELSEWHERE:
                near = get_close_matches(key, _OURS, 1)
                hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(_OURS)}"
                self._add_mistake(key, f"unknown field {key!r}", hint)

    def name(self) -> str:
        """Return the agent's name."""
        name = self._fields.get("name", "")
        if not isinstance(name, str) or not name:
            self._add_mistake("name", f"name is {name!r}", "give a name in lower case with hyphens or underscores")
            return ""
        return name

    def model(self) -> str:
        """Return the model id, empty where the file names none."""
        model = self._fields.get("model", "")
        if not isinstance(model, str):
            self._add_mistake("model", f"model is {model!r}, not text", f"such as {known_models()[0]!r}")
            return ""
        return "" if model == "inherit" else _ALIASES.get(model, model)

    def max_tokens(self) -> int:
        """Return the cap of the answer in tokens, 0 where the file names none."""
        max_tokens = self._fields.get("max_tokens", 0)
        if type(max_tokens) is not int or max_tokens < 0:
            self._add_mistake("max_tokens", f"max_tokens is {max_tokens!r}", "give a positive whole number of tokens")
            return 0
        return max_tokens

    def effort(self) -> EffortIntent | None:
        """Return how hard the model works, None where the file does not say."""
        effort = self._fields.get("effort")
        if effort is not None and effort not in EFFORT_INTENTS:
            self._add_mistake("effort", f"effort is {effort!r}", f"one of {', '.join(EFFORT_INTENTS)}")
            return None
        return effort
