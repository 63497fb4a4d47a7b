"""Tools of an agent: Python functions, and servers that speak MCP, which a model may use on its way to an answer.

In a stand-in a tool is called like any function, and the offline run turns the call into what a model
would do: it asks for the tool, the tool runs, and the stand-in is asked again with its result.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import update_wrapper
from typing import Any, Generic, ParamSpec, TypeVar, cast, overload

from fanwise.canonical import plain
from fanwise.errors import DefinitionError, Mistake

from .revive import revive
from .roundtrip import roundtrip_mistakes
from .signature import file_mistakes, signature_types

P = ParamSpec("P")
R = TypeVar("R")

LONGEST_NAME = 128
"""Characters of the name of a tool that the API takes (SDK 2.12.0 `types/tool_param.py`, read 2026-11-23)."""
_NAME = re.compile(rf"[a-zA-Z0-9_-]{{1,{LONGEST_NAME}}}", re.ASCII)
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_-]")


class ToolCalled(BaseException):
    """A stand-in has called a tool whose result it does not have yet; carries the call out of its body."""

    def __init__(self, name: str, values: dict[str, Any]) -> None:
        super().__init__(name, values)
        self.name, self.values = name, values


class ToolFailedError(Exception):
    """A tool has failed; its text is what the model got."""


@dataclass(frozen=True, slots=True)
class ToolOutput:
    """What a tool gave back, as the model gets it."""

    name: str
    """Of the tool."""
    text: str
    failed: bool = False


unused_outputs: ContextVar[list[ToolOutput] | None] = ContextVar("unused_outputs", default=None)
"""Outputs of tools that a stand-in has and has not used yet; None where no stand-in answers for a model."""


class Tool(Generic[P, R]):
    """A typed Python function that a model may call; its docstring says what it is for."""

    def __init__(
        self, fn: Callable[P, R], params: Mapping[str, Any], output: Any, place: str, time_limit_s: float | None
    ) -> None:
        self.body, self.params, self.output, self.place = fn, params, output, place
        self.time_limit_s = time_limit_s
        """Seconds that one call may take; None: as its agent says."""
        self.name = fn.__name__
        update_wrapper(self, fn)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the function; in a stand-in, ask for it as a model does."""
        outputs = unused_outputs.get()
        if outputs is None:
            return self.body(*args, **kwargs)
        if inspect.iscoroutinefunction(self.body):
            return cast("R", self._next_output_later(outputs, args, kwargs))
        return self._next_output(outputs, args, kwargs)

    async def _next_output_later(
        self, outputs: list[ToolOutput], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Any:
        return self._next_output(outputs, args, kwargs)

    def _next_output(self, outputs: list[ToolOutput], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Take the next output and return its value.

        Raises:
            ToolCalled: There is none yet.
            ToolFailedError: The tool has failed.
        """
        if not outputs:
            bound = inspect.signature(self.body).bind(*args, **kwargs)
            raise ToolCalled(self.name, {name: plain(value) for name, value in bound.arguments.items()})
        output = outputs.pop(0)
        if output.name != self.name:
            raise RuntimeError(
                f"asks for {self.name!r} where it asked for {output.name!r} before: it must be repeatable"
            )
        if output.failed:
            raise ToolFailedError(output.text)
        return revive(self.output, output.text if self.output is str else json.loads(output.text))

    def __repr__(self) -> str:
        return f"<tool {self.name}>"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class McpServer:
    """A server that speaks MCP: a command that is started, or an address that is called.

    Its tools are listed when a run begins, and called while it goes on; needs the extra `fanwise[mcp]`.
    """

    name: str = field(kw_only=False)
    """For messages; and with it the tools are kept in the run directory."""
    command: Sequence[str] = ()
    """Program and arguments; spoken to over its standard input and output."""
    url: str = ""
    """Of a server that is reached over streamable HTTP."""
    env: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """More environment for the command: it is given only what it needs, never the API's key."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """Sent with every request to `url`; never written down."""
    only: Sequence[str] | None = None
    """Names of the tools that agents see; None: all."""


def sendable_name(name: str) -> str:
    """Return the name of a server's tool as the API takes it: `crm.find` becomes `crm_find`."""
    return _NOT_IN_NAMES.sub("_", name)[:LONGEST_NAME] or "_"


Source = Tool[..., Any] | McpServer


@overload
def tool(fn: Callable[P, R], /) -> Tool[P, R]: ...
@overload
def tool(*, time_limit_s: float | None = ...) -> Callable[[Callable[P, R]], Tool[P, R]]: ...


def tool(
    fn: Callable[P, R] | None = None, /, *, time_limit_s: float | None = None
) -> Tool[P, R] | Callable[[Callable[P, R]], Tool[P, R]]:
    """Make a tool of a typed function, sync or async; its docstring tells the model what it is for.

    What it returns is told to the model as text: a string as it is, anything else as JSON. What it
    raises is told too, and the model goes on.

    Args:
        fn: The function.
        time_limit_s: Seconds that one call may take; then the model is told so, and the function is left to itself.
            None: its agent's `time_limit_s`, which is 600 where that does not say otherwise.

    Raises:
        DefinitionError: It has no docstring, no return type, an annotation that cannot be used, or a limit that is
            not positive.
    """

    def decorate(function: Callable[P, R]) -> Tool[P, R]:
        place = f"{function.__code__.co_filename}:{function.__code__.co_firstlineno}"
        name, mistakes = function.__name__, list[Mistake]()
        hints, params = signature_types(function, place, mistakes)
        if "return" not in hints:
            mistakes.append(Mistake(place, f"tool {name!r} has no return type", "annotate what it returns"))
        mistakes += file_mistakes("tool", name, hints, place)
        for param, tp in params.items():
            mistakes += roundtrip_mistakes(f"tool {name!r} takes {param!r} as", tp, place, is_written=False)
        if not inspect.getdoc(function):
            mistakes.append(Mistake(place, f"tool {name!r} has no docstring", "say what it is for: the model reads it"))
        if not _NAME.fullmatch(name):
            mistakes.append(Mistake(place, f"{name!r} is no name for a tool", "letters, digits, _ and - alone"))
        if time_limit_s is not None and not time_limit_s > 0:
            text = f"tool {name!r}: time_limit_s {time_limit_s} is not a positive number of seconds"
            mistakes.append(Mistake(place, text))
        if mistakes:
            raise DefinitionError(f"tool {name!r}", tuple(mistakes))
        return Tool(function, params, hints["return"], place, time_limit_s)

    return decorate if fn is None else decorate(fn)


def sources(tools: Iterable[Any], agent: str, place: str, mistakes: list[Mistake]) -> tuple[Source, ...]:
    """Return the tools of an agent; functions become tools. What is none is a mistake."""
    listed: list[Source] = []
    for candidate in tools:
        if isinstance(candidate, Tool | McpServer):
            listed.append(cast("Source", candidate))
        elif inspect.isfunction(candidate):
            try:
                listed.append(tool(candidate))
            except DefinitionError as error:
                mistakes += error.mistakes
        else:
            hint = "give functions, @tool functions, or McpServer(...)"
            mistakes.append(Mistake(place, f"agent {agent!r}: {candidate!r} is no tool", hint))
    for source in listed:
        if isinstance(source, McpServer):
            mistakes += _server_mistakes(source, agent, place)
    names = [source.name for source in listed]
    for name in sorted({name for name in names if names.count(name) > 1}):
        mistakes.append(Mistake(place, f"agent {agent!r} has two tools called {name!r}", "give each a name of its own"))
    return tuple(listed)


def _server_mistakes(server: McpServer, agent: str, place: str) -> list[Mistake]:
    """Return the mistake of a server that is to be reached in two ways or in none; else nothing."""
    if bool(server.command) != bool(server.url):
        return []
    has = "has both a command and a URL" if server.url else "has neither a command nor a URL"
    return [Mistake(place, f"agent {agent!r}: MCP server {server.name!r} {has}", "give one")]
