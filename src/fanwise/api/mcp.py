"""Servers that speak MCP: connected for as long as a run lasts, their tools listed at its start."""

from __future__ import annotations

import importlib
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio

from fanwise.errors import UsageError
from fanwise.graph.tools import LONGEST_NAME, McpServer, sendable_name

from .mcpserver import Server
from .tools import SdkTool

Servers = Mapping[str, Mapping[str, SdkTool]]
"""Tools by the names that they have in requests, by the name of their server."""


@asynccontextmanager
async def connected(servers: Iterable[McpServer], tell: Callable[[str], None]) -> AsyncGenerator[Servers]:
    """Connect servers for as long as the context lasts; one that ends meanwhile is started again, once.

    Args:
        servers: What they are.
        tell: Is told of those that are started again.

    Raises:
        UsageError: The package `mcp` is missing, a server cannot be started, reached or understood, or two of its
            tools have one name.
    """
    servers = tuple(servers)
    if not servers:
        yield {}
        return
    try:
        async with anyio.create_task_group() as group:
            kept = [Server(server, tell) for server in servers]
            try:
                tools: dict[str, Mapping[str, SdkTool]] = {}
                for server in kept:
                    listed = await group.start(server.keep, name=f"MCP server {server.described.name}")
                    tools[server.described.name] = _tools(server, listed)
                yield tools
            finally:
                for server in kept:
                    server.close()
    except BaseExceptionGroup as several:  # of the body alone: what goes wrong in a server's task stays there
        raise several.exceptions[0] from None


def _tools(server: Server, listed: Iterable[Any]) -> Mapping[str, SdkTool]:
    """Return what agents see of a server's tools.

    Raises:
        UsageError: Some are missing that are named, or two have one name in requests.
    """
    helpers: Any = importlib.import_module("anthropic.lib.tools.mcp")
    name, only = server.described.name, server.described.only
    wanted = {tool.name: tool for tool in listed if only is None or tool.name in only}
    missing = [tool for tool in only or () if tool not in wanted]
    if missing:
        raise UsageError(f"MCP server {name!r} has no tool {', '.join(map(repr, missing))}")
    tools: dict[str, SdkTool] = {}
    for own_name, tool in wanted.items():
        sent = sendable_name(own_name)
        if sent in tools:
            raise UsageError(
                f"MCP server {name!r} has the tools {server.own_name(sent)!r} and {own_name!r}, which would both be "
                f"called {sent!r}: the API takes up to {LONGEST_NAME} letters, digits, _ and -; choose one of them "
                "with only=[...]"
            )
        server.call_as(sent, own_name)
        tools[sent] = helpers.async_mcp_tool(tool.model_copy(update={"name": sent}), server)
    return tools
