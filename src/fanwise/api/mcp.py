"""Servers that speak MCP: connected for as long as a run lasts, their tools listed at its start."""

from __future__ import annotations

import importlib
import os
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, cast

from fanwise.errors import UsageError
from fanwise.graph.tools import McpServer

from .tools import SdkTool

CONNECT_S, ANSWER_S = 60.0, 600.0
"""Seconds that a server may take to be reached, and to answer."""
Servers = Mapping[str, Mapping[str, SdkTool]]
"""Tools by name, by the name of their server."""


@asynccontextmanager
async def connected(servers: Iterable[McpServer]) -> AsyncGenerator[Servers]:
    """Connect servers for as long as the context lasts.

    Raises:
        UsageError: The package `mcp` is missing, or a server cannot be started, reached or understood.
    """
    tools: dict[str, Mapping[str, SdkTool]] = {}
    async with AsyncExitStack() as stack:
        for server in servers:
            try:
                tools[server.name] = await _open(server, stack)
            except UsageError:
                raise
            except Exception as error:  # of whatever kind: the server is somebody else's program
                raise UsageError(f"MCP server {server.name!r} cannot be used: {_reason(error)}") from None
        yield tools


async def _open(server: McpServer, stack: AsyncExitStack) -> Mapping[str, SdkTool]:
    """Return the tools of a server, which stays connected until the stack is left."""
    try:
        mcp: Any = importlib.import_module("mcp")  # an extra: most agents have no such server
        helpers: Any = importlib.import_module("anthropic.lib.tools.mcp")
        target = await _target(server, mcp, stack)
    except ImportError:
        raise UsageError(f"MCP server {server.name!r} needs a package: pip install 'fanwise[mcp]'") from None
    session = await stack.enter_async_context(mcp.Client(target, read_timeout_seconds=ANSWER_S))
    wanted = [tool async for tool in _listed(session) if server.only is None or tool.name in server.only]
    tools = {tool.name: helpers.async_mcp_tool(tool, session.session) for tool in wanted}
    missing = [name for name in server.only or () if name not in tools]
    if missing:
        raise UsageError(f"MCP server {server.name!r} has no tool {', '.join(map(repr, missing))}")
    return tools


async def _target(server: McpServer, mcp: Any, stack: AsyncExitStack) -> Any:
    """Return what the package `mcp` connects to: an address, or a program that it starts."""
    if server.url:
        import httpx2  # with the SDK; here, since most graphs have no server

        http: Any = importlib.import_module("mcp.client.streamable_http")
        client = await stack.enter_async_context(httpx2.AsyncClient(headers=dict(server.headers), timeout=CONNECT_S))
        return http.streamable_http_client(server.url, http_client=client)
    program, *arguments = server.command
    parameters = mcp.StdioServerParameters(command=program, args=arguments, env=dict(server.env) or None)
    quiet = stack.enter_context(open(os.devnull, "w", encoding="utf-8"))  # noqa: ASYNC230, SIM115 - opens at once, closed by the stack
    return mcp.stdio_client(parameters, errlog=quiet)


async def _listed(session: Any) -> AsyncGenerator[Any]:
    """Yield the tools of a server, page by page."""
    cursor: str | None = None
    while True:
        page = await session.list_tools(cursor=cursor)
        for tool in page.tools:
            yield tool
        cursor = page.next_cursor
        if not cursor:
            return


def _reason(error: BaseException) -> str:
    """Return what is at the bottom of an error, also of a group."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
