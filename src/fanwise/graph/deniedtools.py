"""What an agent file takes away of the tools that its caller gives: what it forbids is not given, however it is spelt.

The file cannot know the names of tools here, and an agent that is given what its file forbids may do harm. So small and
capital letters are one, a server goes by its own name and by the caller's, and what can only be forbidden as a whole,
since a part of it cannot be told from the rest before it is called, is forbidden as a whole. That is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

from .toolnames import MCP_NAME, ToolNames, name_of
from .tools import McpServer

_EVERY = ("*", "all")
"""How an entry forbids every tool."""


class Denial:
    """The tools that one file takes away."""

    def __init__(self, denied: ToolNames, given: Iterable[tuple[str, object]]) -> None:
        """Find them.

        Args:
            denied: What the file names.
            given: The tools of the caller, each with the name that files have for it.
        """
        self._entries, self._given = denied.names, tuple(given)
        self._is_all = denied.is_all or any(entry.lower() in _EVERY for entry in denied.names)
        self._taken = [tool for name, tool in self._given if self._is_all or self._forbids(name, tool)]

    def takes(self, tool: object) -> bool:
        """Return whether a tool is taken away, by any of its names."""
        return any(tool is taken for taken in self._taken)

    def names(self, name: str) -> bool:
        """Return whether a name of the file's own tools is forbidden by it, also where it is nothing here."""
        return self._is_all or self._forbids(name.partition("(")[0], None)

    def _forbids(self, name: str, tool: object) -> bool:
        return any(_forbids(entry, name, tool) for entry in self._entries)

    def texts(self) -> list[str]:
        """Return what is to be said of it."""
        if self._is_all:
            return ["every tool is forbidden: the agent has none"]
        wider = {entry: text for entry in self._entries if (text := self._wider(entry))}
        kept = [entry for entry in self._entries if entry not in wider]
        texts = [f"the agent is not given {', '.join(kept)}"] if kept else []
        texts += [f"{entry}: {text}" for entry, text in wider.items()]
        others = [name for name, tool in self._given if self.takes(tool) and not self._forbids(name, tool)]
        if others:
            texts.append(f"nor is it given {', '.join(others)}: that is the same tool here as one that is forbidden")
        return texts

    def _wider(self, entry: str) -> str:
        """Return what an entry takes away beyond what it says; empty where it takes just that."""
        for name, tool in self._given:
            if isinstance(tool, McpServer) and _forbids(entry, name, tool) and _is_of_a_part(entry, name, tool):
                return (
                    f"one tool of a server cannot be taken away, so the agent is not given {tool.name} at all; "
                    "McpServer(only=[...]) chooses"
                )
        bare, _, pattern = entry.partition("(")
        is_whole = pattern in ("", ")", "*)")
        return "" if is_whole else f"the pattern cannot be kept to, so the agent is not given {bare} at all"


def _forbids(entry: str, name: str, tool: object) -> bool:
    """Return whether an entry forbids a tool that has a name; of a server also where it forbids one of its tools."""
    bare, labels = _folded(entry.partition("(")[0]), _labels(name, tool)
    if any(fnmatchcase(label, bare) for label in labels):
        return True
    if not isinstance(tool, McpServer):  # a function may stand for a tool of a server
        return bare.startswith("mcp__") and any(label.startswith(f"{bare}__") for label in labels)
    if any(fnmatchcase(f"mcp__{label}", bare) for label in labels):
        return True
    parts = [part for label in labels if (part := _part(bare, label))]
    return any(
        part == "*" or tool.only is None or any(fnmatchcase(_folded(each), part) for each in tool.only)
        for part in parts
    )


def _is_of_a_part(entry: str, name: str, server: McpServer) -> bool:
    """Return whether an entry that forbids a server means some of its tools alone."""
    bare, labels = _folded(entry.partition("(")[0]), _labels(name, server)
    return bare not in labels and "*" not in (_part(bare, label) for label in labels) and bare.startswith("mcp__")


def _labels(name: str, tool: object) -> set[str]:
    """Return the names of a tool, of a server without what stands around it."""
    labels = {_folded(label) for label in (name, name_of(tool)) if label}
    if isinstance(tool, McpServer):
        return labels | {label.removeprefix("mcp__").removesuffix("__*") for label in labels}
    return labels


def _part(bare: str, label: str) -> str:
    """Return the pattern of the tools of a server that an entry names; empty where it names another server."""
    if bare.startswith(f"mcp__{label}__"):
        return bare.removeprefix(f"mcp__{label}__") or "*"
    match = MCP_NAME.fullmatch(bare)
    return (match[2] or "*") if match is not None and fnmatchcase(label, match[1]) else ""


def _folded(name: str) -> str:
    """Return a name as it is compared: in small letters, with one sign for all that no name of a tool has."""
    return re.sub(r"[^\w*?]", "_", name.casefold())
