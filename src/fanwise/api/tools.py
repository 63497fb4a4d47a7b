"""Tools as the SDK has them: how each is told to the model, and how a call of it is carried out.

The SDK's helpers read a function's signature and docstring and check what a model passes
(`anthropic.lib.tools`, SDK 2.12.0).
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from fanwise.canonical import canonical, dumps
from fanwise.foreign import reason
from fanwise.graph.tools import Tool
from fanwise.jsonable import without_halves
from fanwise.threads import Threads, UsersCodeError, awaited

if TYPE_CHECKING:
    from anthropic.lib.tools import BetaAsyncFunctionTool, BetaFunctionTool

SdkTool: TypeAlias = "BetaFunctionTool[Any] | BetaAsyncFunctionTool[Any]"


class ToolLostError(Exception):
    """What carries a tool out is gone: no model is told, since no call of it will do."""


@dataclass(frozen=True, slots=True)
class Definition:
    """What a model is told of a tool."""

    name: str
    description: str
    schema: Mapping[str, Any]

    def data(self) -> dict[str, Any]:
        """Return it as the API takes it."""
        return {"name": self.name, "description": self.description, "input_schema": dict(self.schema)}


def definition_of(tool: SdkTool) -> Definition:
    """Return what a model is told of a tool."""
    return Definition(tool.name, tool.description, cast("Mapping[str, Any]", tool.input_schema))


def tools_text(definitions: Iterable[Definition]) -> str:
    """Return definitions as canonical JSON, as they stand in a request; empty where there are none."""
    data = [definition.data() for definition in definitions]
    return dumps(data) if data else ""


def sdk_tool(tool: Tool[..., Any]) -> SdkTool:
    """Return a Python function as a tool of the SDK; what it returns becomes text."""
    from anthropic import beta_async_tool, beta_tool  # here: most graphs have no tools

    body = tool.body
    if inspect.iscoroutinefunction(body):

        @wraps(body)
        async def later(*args: Any, **kwargs: Any) -> str:
            return _text(await body(*args, **kwargs))

        return beta_async_tool(later)

    @wraps(body)
    def at_once(*args: Any, **kwargs: Any) -> str:
        return _text(body(*args, **kwargs))

    return beta_tool(at_once)


def _text(value: object) -> str:
    return value if isinstance(value, str) else canonical(value)


def _sendable(content: Any) -> Any:
    """Return what a tool gave such that a request can carry it: text, or blocks, without half a character."""
    if isinstance(content, str):
        return without_halves(content)
    try:
        return json.loads(without_halves(dumps([dict(block) for block in content])))
    except (TypeError, ValueError, RecursionError):
        return without_halves(str(content))


async def carry_out(
    tool: SdkTool | None, use: Mapping[str, Any], time_limit_s: float, threads: Threads
) -> dict[str, Any]:
    """Carry out one call and return its `tool_result` block; whatever goes wrong is told to the model.

    Args:
        tool: The tool; None where the model named one that does not exist.
        use: The model's `tool_use` block.
        time_limit_s: Seconds that it may take.
        threads: Call what is not asynchronous.

    Raises:
        ToolLostError: The tool's server has ended for good.
    """
    content: Any = f"there is no tool {use.get('name')!r}"
    failed = tool is None
    if tool is not None:
        content, failed = await _called(tool, use.get("input"), time_limit_s, threads)
    result = _sendable(content)
    block: dict[str, Any] = {"type": "tool_result", "tool_use_id": use.get("id"), "content": result}
    return block | {"is_error": True} if failed else block


async def _called(tool: SdkTool, arguments: Any, time_limit_s: float, threads: Threads) -> tuple[Any, bool]:
    """Return the content that a tool gives, and whether it failed.

    Raises:
        ToolLostError: The tool's server has ended for good.
    """
    from anthropic.lib.tools import BetaAsyncFunctionTool, ToolError  # here: what made the tool has loaded it

    try:
        if isinstance(tool, BetaAsyncFunctionTool):
            return await awaited(partial(tool.call, arguments), time_limit_s), False
        return await threads.call(partial(tool.call, arguments), time_limit_s), False
    except TimeoutError:
        return f"no result within {time_limit_s:g} s", True
    except UsersCodeError as foreign:  # a tool is somebody's code; the model is told and goes on
        error = foreign.raised
        if isinstance(error, ToolLostError):
            raise error from None
        if isinstance(error, ToolError):
            return error.content, True
        cause = error.__cause__ if isinstance(error, ValueError) and error.__cause__ is not None else error
        return reason(cause), True
