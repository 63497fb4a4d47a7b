"""The tools of a run: what each agent is told of them, and what carries them out."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio

from fanwise.api.mcp import connected
from fanwise.api.tools import Definition, SdkTool, defined, of_function, tools_text
from fanwise.errors import UsageError
from fanwise.graph.nodes import GraphSpec
from fanwise.graph.spec import AgentSpec
from fanwise.graph.tools import McpServer, Source


@dataclass(frozen=True, slots=True)
class Kit:
    """The tools of one agent."""

    tools: Mapping[str, SdkTool | None]
    """By name; None where only its definition is known."""
    text: str
    """Their definitions as canonical JSON, in the order in which they are sent."""


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
        for source in agent.tools:
            if isinstance(source, McpServer):
                if source.name not in self.servers:
                    raise UsageError(
                        f"the tools of MCP server {source.name!r}, for agent {agent.name!r}, are known only where it "
                        "is connected: in a run, a plan or an audit"
                    )
                mine: dict[str, SdkTool | None] = dict.fromkeys(self.servers[source.name])
                mine |= self.live.get(source.name, {})
                definitions += self.servers[source.name].values()
            else:
                made = of_function(source)
                mine = {made.name: made}
                definitions.append(defined(made))
            both = sorted(set(mine) & set(tools))
            if both:
                raise UsageError(
                    f"agent {agent.name!r} has two tools called {both[0]!r}; choose a server's with only=[...]"
                )
            tools |= mine
        return Kit(tools, tools_text(definitions))

    def data(self) -> dict[str, list[dict[str, Any]]]:
        """Return the definitions as JSON-ready data, to be read back by `recalled`."""
        return {name: [tool.data() for tool in tools.values()] for name, tools in self.servers.items()}


NO_SERVERS = Toolbox()


def recalled(kept: Mapping[str, list[dict[str, Any]]]) -> Toolbox:
    """Return a toolbox from `Toolbox.data`, with nothing connected."""
    return Toolbox(
        {
            name: {one["name"]: Definition(one["name"], one["description"], one["input_schema"]) for one in tools}
            for name, tools in kept.items()
        }
    )


@asynccontextmanager
async def opened(graphs: Iterable[GraphSpec]) -> AsyncGenerator[Toolbox]:
    """Connect the MCP servers of graphs for as long as the context lasts.

    Raises:
        UsageError: A server cannot be used, or two of one name are not the same.
    """
    servers: dict[str, McpServer] = {}
    for source in (one for graph in graphs for one in _sources(graph)):
        if isinstance(source, McpServer) and servers.setdefault(source.name, source) is not source:
            raise UsageError(f"two MCP servers are called {source.name!r}; give each a name of its own")
    async with connected(servers.values()) as live:
        known = {name: {one.name: defined(one) for one in tools.values()} for name, tools in live.items()}
        yield Toolbox(known, live)


def listed(graphs: Iterable[GraphSpec]) -> Toolbox:
    """Return what is known of the tools of graphs, asking their MCP servers; nothing stays connected.

    Raises:
        UsageError: A server cannot be used.
    """
    both = tuple(graphs)
    if not any(isinstance(one, McpServer) for graph in both for one in _sources(graph)):
        return NO_SERVERS

    async def ask() -> Toolbox:
        async with opened(both) as box:
            return Toolbox(box.servers)

    return anyio.run(ask)


def _sources(graph: GraphSpec) -> Iterator[Source]:
    for node in graph.tasks():
        if node.target.spec is not None:
            yield from node.target.spec.tools
