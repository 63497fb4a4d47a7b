"""The tools of a run: what each agent is told of them, and what carries them out."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio

from fanwise.api.mcp import connected
from fanwise.api.tools import Definition, SdkTool, definition_of, sdk_tool, tools_text
from fanwise.errors import UsageError
from fanwise.graph.nodes import GraphSpec
from fanwise.graph.spec import AgentSpec
from fanwise.graph.tools import McpServer
from fanwise.log import log


@dataclass(frozen=True, slots=True)
class Kit:
    """The tools of one agent."""

    tools: Mapping[str, SdkTool | None]
    """By name; None where only its definition is known."""
    text: str
    """Their definitions as canonical JSON, in the order in which they are sent."""
    limits_s: Mapping[str, float]
    """Seconds that one call may take, by name, for those that say so themselves."""


@dataclass(frozen=True, slots=True)
class Toolbox:
    """What is known of the tools of MCP servers; functions need no box."""

    servers: Mapping[str, Mapping[str, Definition]] = field(default_factory=dict[str, Mapping[str, Definition]])
    """Definitions by name, by the name of their server."""
    live: Mapping[str, Mapping[str, SdkTool]] = field(default_factory=dict[str, Mapping[str, SdkTool]])
    """The same for those that are connected."""

    def kit(self, agent: AgentSpec) -> Kit:
        """Return an agent's tools.

        Raises:
            UsageError: A server's tools are not known here, or two tools have one name.
        """
        tools: dict[str, SdkTool | None] = {}
        definitions: list[Definition] = []
        limits_s: dict[str, float] = {}
        for source in agent.tools:
            if isinstance(source, McpServer):
                of_source, defined = self._of_server(source, agent)
            else:
                tool = sdk_tool(source)
                of_source, defined = {tool.name: tool}, [definition_of(tool)]
                if source.time_limit_s is not None:
                    limits_s[tool.name] = source.time_limit_s
            twice = sorted(set(of_source) & set(tools))
            if twice:
                raise UsageError(
                    f"agent {agent.name!r} has two tools called {twice[0]!r}; choose a server's with only=[...]"
                )
            tools |= of_source
            definitions += defined
        return Kit(tools, tools_text(definitions), limits_s)

    def _of_server(self, server: McpServer, agent: AgentSpec) -> tuple[dict[str, SdkTool | None], Iterable[Definition]]:
        """Return the tools of a server, as far as it is connected, and their definitions.

        Raises:
            UsageError: They are not known here.
        """
        definitions = self.servers.get(server.name)
        if definitions is None:
            raise UsageError(
                f"the tools of MCP server {server.name!r}, for agent {agent.name!r}, are known only where it "
                "is connected: in a run, a plan or an audit"
            )
        tools: dict[str, SdkTool | None] = dict.fromkeys(definitions)
        tools.update(self.live.get(server.name, {}))
        return tools, definitions.values()

    def data(self) -> dict[str, list[dict[str, Any]]]:
        """Return the definitions as JSON-ready data, to be read back by `toolbox_from`."""
        return {name: [tool.data() for tool in tools.values()] for name, tools in self.servers.items()}


NO_SERVERS = Toolbox()


def toolbox_from(data: Mapping[str, list[dict[str, Any]]]) -> Toolbox:
    """Return a toolbox from `Toolbox.data`, with nothing connected."""
    return Toolbox(
        {
            name: {tool["name"]: Definition(tool["name"], tool["description"], tool["input_schema"]) for tool in tools}
            for name, tools in data.items()
        }
    )


@asynccontextmanager
async def open_toolbox(
    graphs: Iterable[GraphSpec], tell: Callable[[str], None] = log.warning
) -> AsyncGenerator[Toolbox]:
    """Connect the MCP servers of graphs for as long as the context lasts.

    Args:
        graphs: Their agents say which.
        tell: Is told of those that have ended and are started again.

    Raises:
        UsageError: A server cannot be used, or two of one name are not the same.
    """
    servers: dict[str, McpServer] = {}
    for server in _servers(graphs):
        if servers.setdefault(server.name, server) is not server:
            raise UsageError(f"two MCP servers are called {server.name!r}; give each a name of its own")
    async with connected(servers.values(), tell) as live:
        yield Toolbox({name: _definitions(tools) for name, tools in live.items()}, live)


def list_tools(graphs: Iterable[GraphSpec]) -> Toolbox:
    """Return what is known of the tools of graphs, asking their MCP servers; nothing stays connected.

    Raises:
        UsageError: A server cannot be used.
    """
    graphs = tuple(graphs)
    if not any(_servers(graphs)):
        return NO_SERVERS

    async def ask() -> Toolbox:
        async with open_toolbox(graphs) as box:
            return Toolbox(box.servers)

    return anyio.run(ask)


def _definitions(tools: Mapping[str, SdkTool]) -> dict[str, Definition]:
    return {tool.name: definition_of(tool) for tool in tools.values()}


def _servers(graphs: Iterable[GraphSpec]) -> Iterator[McpServer]:
    """Yield the MCP servers that agents of graphs use."""
    for node in (node for graph in graphs for node in graph.tasks()):
        if node.target.spec is not None:
            yield from (source for source in node.target.spec.tools if isinstance(source, McpServer))
