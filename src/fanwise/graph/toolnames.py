"""The tools that a field of an agent file names, as they stand there."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fanwise.jsonable import as_list

from .tools import McpServer

MCP_NAME = re.compile(r"mcp__(.+?)(?:__(.*))?")
"""`mcp__server__tool`, `mcp__server__*` or `mcp__server`."""
_ALL = ("*", "all", "all tools", "inherit")
"""How files say that an agent has every tool that there is; without the field it has them too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolNames:
    """The tools that a file names, in its order."""

    names: tuple[str, ...] = ()
    """As they stand there, patterns in brackets too."""
    is_all: bool = False
    """Whether the file names none, or says that all are meant."""


ALL_TOOLS, NO_NAMES = ToolNames(is_all=True), ToolNames()


def tool_names(value: object) -> ToolNames | None:
    """Return the tools that the value of a field names: a text with commas, or a list; None where it is neither.

    Source: code.claude.com/docs/en/sub-agents, "Frontmatter reference" (`tools`: "as a comma-separated string [...] or
    a YAML list. Inherits every tool available to subagents if omitted"), as a public copy had it on 2026-11-30.
    """
    entries = [value] if isinstance(value, str) else as_list(value)
    if not isinstance(value, str | list) or not all(isinstance(entry, str) for entry in entries):
        return None
    texts = [str(entry).strip().strip("[]").strip() for entry in entries]
    names = [name.strip("\"'") for text in texts for name in _split(text)]
    if any(text.strip("\"'").lower() in _ALL for text in texts):
        return ALL_TOOLS
    return ToolNames(names=tuple(dict.fromkeys(name for name in names if name)))


def _split(text: str) -> list[str]:
    """Return the names of a text; one with lines of a list, which YAML has refused, too.

    What stands in brackets is of one name: `Bash(git log:*)`, `Agent(worker, tester)`. Where one does not close, it
    would swallow the names behind it, so that brackets count for nothing.
    """
    names, depth = [""], 0
    opens = "(" if text.count("(") == text.count(")") else ""
    for sign in "\n".join(line.strip().removeprefix("- ") for line in text.splitlines()):
        depth = max(depth + (sign == opens) - (sign == ")"), 0)
        if depth == 0 and (sign in ",;|" or sign.isspace()):
            names.append("")
        else:
            names[-1] += sign
    return names


def name_of(tool: object) -> str:
    """Return the name of a tool; empty where it is none, which is said where tools are checked."""
    name = tool.name if isinstance(tool, McpServer) else getattr(tool, "name", getattr(tool, "__name__", ""))
    return name if isinstance(name, str) else ""
