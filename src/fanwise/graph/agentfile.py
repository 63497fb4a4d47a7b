"""Agent files: `agents/NAME.md`, Markdown with YAML front matter.

The format is the one that Claude Code uses for subagents. Read here are `name`, `description`,
`model`, `max_tokens` and `effort`; the body is the instructions.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast

from fanwise.errors import DefinitionError, Mistake
from fanwise.models import EFFORTS, Effort, known_models

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


@dataclass(frozen=True, slots=True)
class AgentFile:
    """What an agent file says; empty where it says nothing."""

    name: str = ""
    model: str = ""
    max_tokens: int = 0
    effort: Effort | None = None
    instructions: str = ""


def read_agent_file(path: Path) -> AgentFile:
    """Read one agent file.

    Raises:
        DefinitionError: The file has mistakes; each is listed with its line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DefinitionError(
            f"agent file {path}", (Mistake(str(path), f"is not UTF-8 at byte {error.start}"),)
        ) from None
    lines = text.splitlines()
    if not lines or lines[0].strip() != "---" or "---" not in [line.strip() for line in lines[1:]]:
        raise DefinitionError(
            f"agent file {path}", (Mistake(f"{path}:1", "has no front matter", "start with --- name: ... ---"),)
        )
    end = [line.strip() for line in lines[1:]].index("---") + 1
    front = "\n".join(lines[1:end])
    mistakes: list[Mistake] = []
    data = _load(path, front, mistakes)
    instructions = "\n".join(lines[end + 1 :]).strip()
    if not instructions:
        mistakes.append(Mistake(f"{path}:{end + 1}", "has no body", "the body is the agent's instructions"))
    result = _check(path, lines, data, instructions, mistakes)
    if mistakes:
        raise DefinitionError(f"agent file {path}", tuple(mistakes))
    return result


def _load(path: Path, front: str, mistakes: list[Mistake]) -> dict[str, Any]:
    """Return the fields of the front matter; none where it is no mapping, which is a mistake."""
    import yaml  # here, since only agents that come from files need it

    try:
        data = yaml.safe_load(front)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 2 if mark is not None else 1
        mistakes.append(Mistake(f"{path}:{line}", f"front matter is not YAML: {getattr(error, 'problem', error)}"))
        return {}
    if not isinstance(data, dict):
        mistakes.append(Mistake(f"{path}:1", "front matter is not a list of `key: value`"))
        return {}
    return {str(key): value for key, value in cast("dict[Any, Any]", data).items()}


def _check(path: Path, lines: list[str], data: dict[str, Any], instructions: str, mistakes: list[Mistake]) -> AgentFile:
    def wrong(key: str, message: str, hint: str = "") -> None:
        line = next((number for number, line in enumerate(lines, 1) if line.startswith(f"{key}:")), 1)
        mistakes.append(Mistake(f"{path}:{line}", message, hint))

    for key in data:
        if key not in _OURS and key not in _ELSEWHERE:
            near = get_close_matches(key, _OURS, 1)
            wrong(
                key, f"unknown field {key!r}", f"did you mean {near[0]!r}?" if near else f"known are {', '.join(_OURS)}"
            )
    name, model = data.get("name", ""), data.get("model", "")
    max_tokens, effort = data.get("max_tokens", 0), data.get("effort")
    if not isinstance(name, str) or not name:
        wrong("name", f"name is {name!r}", "give a name in lower case with hyphens or underscores")
        name = ""
    if not isinstance(model, str):
        wrong("model", f"model is {model!r}, not text", f"such as {known_models()[0]!r}")
        model = ""
    if type(max_tokens) is not int or max_tokens < 0:
        wrong("max_tokens", f"max_tokens is {max_tokens!r}", "give a positive whole number of tokens")
        max_tokens = 0
    if effort is not None and effort not in EFFORTS:
        wrong("effort", f"effort is {effort!r}", f"one of {', '.join(EFFORTS)}")
        effort = None
    model = "" if model == "inherit" else _ALIASES.get(model, model)
    return AgentFile(name, model, max_tokens, effort, instructions)
