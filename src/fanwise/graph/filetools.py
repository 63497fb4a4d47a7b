"""The tools that an agent file names, and what they are here.

Claude Code has tools of its own (`Read`, `Grep`, `Bash`); here an agent has the functions and MCP servers that its
caller gives. A name of the file is one of them, or it is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, cast, get_args

from fanwise.errors import Mistake

from .deniedtools import Denial
from .notes import Note
from .toolnames import MCP_NAME, ToolNames, name_of
from .tools import McpServer

GivenTool = Callable[..., Any] | McpServer
"""A typed function, one with `@tool`, or a server."""
GivenTools = Iterable[GivenTool] | Mapping[str, GivenTool]
"""The tools of an agent, or what each name in agent files is."""
MissingTools = Literal["refuse", "drop"]
"""Whether a file that names a tool which is not there is refused, or its agent runs without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolset:
    """The tools that a caller gives."""

    by_name: Mapping[str, GivenTool]
    """By the names of agent files."""
    always: tuple[GivenTool, ...] = ()
    """Those that are its agent's whatever the file says."""

    @classmethod
    def of(cls, given: GivenTools) -> Toolset:
        """Return the tools of a call: by the names of files, or a list, of which each has the name that it has."""
        if isinstance(given, Mapping):
            return cls(by_name={**cast("Mapping[str, GivenTool]", given)})
        listed = tuple(given)
        return cls(by_name={name_of(tool): tool for tool in listed}, always=listed)

    @property
    def named(self) -> tuple[tuple[str, GivenTool], ...]:
        """Every tool with the name that files have for it; of a tool with two names both."""
        return (*self.by_name.items(), *((name_of(tool), tool) for tool in self.always))

    @property
    def all(self) -> tuple[GivenTool, ...]:
        """Every tool, where no file chooses."""
        return self.always or tuple(self.by_name.values())


NO_TOOLS = Toolset(by_name={})


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTools:
    """The tools of an agent."""

    tools: tuple[GivenTool, ...]
    missing: tuple[str, ...] = ()
    """Names in its file that are nothing here."""


class AllowedTools(NamedTuple):
    """The tools of a caller that are left."""

    tools: tuple[GivenTool, ...]
    notes: tuple[Note, ...] = ()
    """What is not, and why."""


def allowed_tools(denied: ToolNames, given: Toolset, agent: str, place: str) -> AllowedTools:
    """Return the tools that an agent is given by a later call, without those that its file forbids.

    Args:
        denied: What the file forbids.
        given: By the call.
        agent: Name of the agent, for notes.
        place: Of the call, for notes.
    """
    denial = Denial(denied, given.named)
    taken = [name for name, tool in dict(given.named).items() if denial.takes(tool)]
    text = f"{', '.join(taken)} is not given to {agent!r} by .options: its file forbids it by disallowedTools"
    kept = tuple(tool for tool in given.all if not denial.takes(tool))
    return AllowedTools(kept, (Note(place, text),) if taken else ())


class ToolFinder:
    """Finds what the names of one file are among the tools that its caller has given."""

    def __init__(self, given: Toolset, place: str, notes: list[Note]) -> None:
        """Begin with the tools of one agent.

        Args:
            given: By its caller.
            place: Of the field, for notes.
            notes: Gets what of the names is not kept to.
        """
        self._place, self._notes = place, notes
        self._by_name, self._always = given.by_name, given.always

    def found(self, wanted: ToolNames, denial: Denial) -> FoundTools:
        """Return what an agent has: what its file names, and what its caller has listed for it alone.

        Args:
            wanted: What its file names.
            denial: What its file takes away.
        """
        tools, missing = [tool for tool in self._always if not denial.takes(tool)], list[str]()
        names = [*self._by_name] if wanted.is_all else wanted.names
        for name in names:
            if denial.names(name):
                continue
            tool, remark = self._tool(name)
            if tool is None:
                missing.append(name)
            elif not denial.takes(tool):
                if remark:
                    self._notes.append(Note(self._place, f"{name}: {remark}"))
                if not any(tool is other for other in tools):
                    tools.append(tool)
        return FoundTools(tools=tuple(tools), missing=tuple(missing))

    def _tool(self, name: str) -> tuple[GivenTool | None, str]:
        """Return what a name is, None where it is nothing, and what of the name is not kept to."""
        if name in self._by_name:
            return self._by_name[name], ""
        bare, _, pattern = name.partition("(")
        if pattern and bare in self._by_name:
            return self._by_name[bare], f"the pattern is not kept to, {bare} is given as it is"
        match = MCP_NAME.fullmatch(bare)
        return (None, "") if match is None else self._server(match[1], match[2] or "*")

    def _server(self, server: str, tool: str) -> tuple[McpServer | None, str]:
        """Return the server of which a file names a tool, or all of them; None where none has that name."""
        keys = (server, f"mcp__{server}", f"mcp__{server}__*")
        given = next((self._by_name[key] for key in keys if key in self._by_name), None)
        servers = (given, *self._by_name.values())
        source = next((part for part in servers if isinstance(part, McpServer) and part.name == server), given)
        if not isinstance(source, McpServer):
            return None, ""
        if tool != "*" and source.only is not None and tool not in source.only:
            return None, ""
        is_wider = tool != "*" and source.only is None
        remark = f"the agent is given every tool of {source.name}; McpServer(only=[...]) chooses"
        return source, remark if is_wider else ""


def missing_mistakes(missing: Sequence[str], place: str, missing_tools: MissingTools) -> list[Mistake]:
    """Return the mistake of a file whose tools are not all here, unless its agent may run without them."""
    if missing_tools not in get_args(MissingTools):
        return [Mistake(place, f"missing_tools is {missing_tools!r}", f"one of {', '.join(get_args(MissingTools))}")]
    if not missing or missing_tools == "drop":
        return []
    names, verb = ", ".join(missing), "does" if len(missing) == 1 else "do"
    example = ", ".join(f'"{name.partition("(")[0]}": ...' for name in missing)
    hint = f'map each name, tools={{{example}}}, or write missing_tools="drop"'
    return [Mistake(place, f"tool{'s' * (len(missing) > 1)} {names} {verb} not exist here", hint)]
