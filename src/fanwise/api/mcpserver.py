"""One server that speaks MCP: it is connected in a task of its own, and once more where it ends while it is needed.

In a task of its own, since what breaks in a connection is raised wherever that was opened: there it ends nothing
else.
"""

from __future__ import annotations

import importlib
import logging
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from typing import Any, cast

import anyio
from anyio.abc import TaskStatus

from fanwise.errors import UsageError
from fanwise.foreign import reason
from fanwise.graph.tools import McpServer
from fanwise.log import MCP_LOGGERS

from .mcpwords import Words
from .tools import ToolLostError

CONNECT_S, ANSWER_S = 60.0, 600.0
"""Seconds that a server may take to be reached, and to answer."""


class Server:
    """A server, and what is asked of it; used by one event loop."""

    def __init__(self, described: McpServer, tell: Callable[[str], None]) -> None:
        """Connect to nothing yet.

        Args:
            described: What it is.
            tell: Is told when it has ended and is started again.
        """
        self.described = described
        self._tell, self._words = tell, Words(described)
        self._own_names: dict[str, str] = {}
        """The server's name of each tool, by that which it has in requests."""
        self._session: Any = None
        """None while nothing is connected."""
        self._ended_by = ""
        """Why the last connection is of no use any more."""
        self._lost = ""
        """Why there will be none again."""
        self._leave, self._changed = anyio.Event(), anyio.Event()
        """Set when the connection is to be left, and when it is known what comes after it."""
        self._asking: set[anyio.CancelScope] = set()
        self._closing = False
        self._folder = os.getcwd()
        """Where its command was given: where it is started again, wherever tools and steps have gone meanwhile."""
        self._is_loud = False
        """Whether it has written what is no message, which is told once."""

    def call_as(self, sent: str, own_name: str) -> None:
        """Take note of the server's own name of a tool.

        Args:
            sent: Its name in requests.
            own_name: That which the server knows.
        """
        self._own_names[sent] = own_name

    def own_name(self, sent: str) -> str:
        """Return the server's own name of a tool, by that which it has in requests."""
        return self._own_names[sent]

    def close(self) -> None:
        """Let `keep` end."""
        self._closing = True
        self._leave.set()

    # The connection ----------------------------------------------------------------------------

    async def keep(self, *, task_status: TaskStatus[Any]) -> None:
        """Stay connected until `close`, over a second connection where the first one ends.

        Args:
            task_status: Is given the server's tools.

        Raises:
            UsageError: Before that: the server cannot be used, or the package `mcp` is missing.
        """
        with self._words:
            begun = False

            async def begin(client: Any) -> None:
                nonlocal begun
                tools = [tool async for tool in _listed(client)]
                begun = True
                task_status.started(tools)

            why = await self._hold(begin)
            if not begun:
                raise UsageError(self._words.unusable(why))
            if self._closing:
                self._changed.set()
                return
            self._tell(self._words.started_again(why))
            why = await self._hold(_ask_nothing)
            self._lost = self._words.lost(why)
            self._changed.set()

    async def _hold(self, begin: Callable[[Any], Any]) -> str:
        """Connect, and return why that has ended: when it is to be left, or has failed.

        Args:
            begin: Awaited with what is connected, before anybody else asks it.

        Raises:
            UsageError: The package `mcp` is missing.
        """
        self._leave = anyio.Event()
        try:
            async with AsyncExitStack() as stack:
                client = await self._open(stack)
                await begin(client)
                self._session = client.session
                self._changed.set()
                await self._leave.wait()
        except UsageError:
            raise
        except Exception as error:  # of whatever kind: the server is somebody else's program
            self._ended_by = self._ended_by or _innermost(error)
        finally:
            self._end_session("")
            for scope in tuple(self._asking):
                scope.cancel()
        why, self._ended_by = self._ended_by, ""
        return why

    def _end_session(self, why: str) -> None:
        """Let nobody ask the present session any more."""
        if self._session is not None:
            self._session, self._changed = None, anyio.Event()
        self._ended_by = self._ended_by or why

    async def _open(self, stack: AsyncExitStack) -> Any:
        """Return what is connected, until the stack is left."""
        try:
            mcp: Any = importlib.import_module("mcp")  # an extra: most agents have no such server
            importlib.import_module("anthropic.lib.tools.mcp")
            target = await self._target(mcp, stack)
        except ImportError:
            name = self.described.name
            raise UsageError(f"MCP server {name!r} needs a package: pip install 'fanwise[mcp]'") from None
        _keep_off_the_screen()
        client = mcp.Client(target, read_timeout_seconds=ANSWER_S, message_handler=self._heard)
        return await stack.enter_async_context(client)

    async def _heard(self, message: object) -> None:
        """Take what comes unasked; of a line that is no message, say so once: there may be one for each call."""
        if isinstance(message, ValueError) and not self._is_loud:
            self._is_loud = True
            self._tell(self._words.loud())

    async def _target(self, mcp: Any, stack: AsyncExitStack) -> Any:
        """Return what the package `mcp` connects to: an address, or a program that it starts."""
        server = self.described
        if server.url:
            import httpx2  # with the SDK; here, since most graphs have no server

            http: Any = importlib.import_module("mcp.client.streamable_http")
            client = await stack.enter_async_context(
                httpx2.AsyncClient(headers=dict(server.headers), timeout=CONNECT_S)
            )
            return http.streamable_http_client(server.url, http_client=client)
        program, *arguments = server.command
        parameters = mcp.StdioServerParameters(
            command=program, args=arguments, env=dict(server.env) or None, cwd=self._folder
        )
        return mcp.stdio_client(parameters, errlog=self._words.errors)

    # Calls -------------------------------------------------------------------------------------

    async def call_tool(self, *, name: str, arguments: dict[str, Any]) -> Any:
        """Call a tool as the SDK's helpers do; a call that was under way when the server ended is made once more.

        Args:
            name: The tool's in requests.
            arguments: What the model passes.

        Raises:
            ToolLostError: The server has ended, and was started again before.
            Exception: What the server says is wrong with the call.
        """
        while True:
            session = await self._present()
            with anyio.CancelScope() as scope:
                self._asking.add(scope)
                try:
                    return await session.call_tool(name=self._own_names[name], arguments=arguments)
                except Exception as error:
                    if session is self._session and await _answers(session):
                        raise
                    if session is self._session:
                        self._end_session(_innermost(error))
                        self._leave.set()
                finally:
                    self._asking.discard(scope)
            self._words.keep_short()

    async def _present(self) -> Any:
        """Return the present session, or the next where that has ended.

        Raises:
            ToolLostError: There is none, and there will be none.
        """
        while self._session is None:
            if self._lost or self._closing:
                raise ToolLostError(self._lost or "the run ends")
            await self._changed.wait()
        return self._session


async def _ask_nothing(client: Any) -> None:
    """Begin a second connection: its tools are those of the first."""


async def _answers(session: Any) -> bool:
    """Return whether a server is there: it says what its tools are, whatever has failed before."""
    try:
        with anyio.fail_after(CONNECT_S):
            await session.list_tools()
    except Exception:
        return False
    return True


async def _listed(client: Any) -> AsyncGenerator[Any]:
    """Yield the tools of a server, page by page."""
    cursor: str | None = None
    while True:
        page = await client.list_tools(cursor=cursor)
        for tool in page.tools:
            yield tool
        cursor = page.next_cursor
        if not cursor:
            return


def _keep_off_the_screen() -> None:
    """Let what `mcp` logs reach whoever has configured logging, and nobody else: it logs tracebacks of bad lines."""
    for name in MCP_LOGGERS:
        logger = logging.getLogger(name)
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())


def _innermost(error: BaseException) -> str:
    """Return what is at the bottom of an error, also of a group."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return reason(error)
