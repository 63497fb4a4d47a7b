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

from .signature import signature_types
from .wire import load

P = ParamSpec("P")
R = TypeVar("R")

_NAME = re.compile(r"^[a-zA-Z0-9_-]{1,128}$")
"""What the API takes as the name of a tool (SDK 2.12.0 `types/tool_param.py`, read 2026-11-23)."""


class ToolAsked(BaseException):
    """A stand-in has called a tool whose result it has not been given yet."""

    def __init__(self, name: str, values: dict[str, Any]) -> None:
        super().__init__(name, values)
        self.name, self.values = name, values


class ToolFailedError(Exception):
    """A tool has failed; its text is what the model was told."""


@dataclass(frozen=True, slots=True)
class Told:
    """The result of a tool, as a model is told it."""

    name: str
    """Of the tool."""
    text: str
    failed: bool = False


answering: ContextVar[list[Told] | None] = ContextVar("answering", default=None)
"""While a stand-in answers for a model: the results that it has been given and has not used yet."""


class Tool(Generic[P, R]):
    """A typed Python function that a model may call; its docstring says what it is for."""

    def __init__(self, fn: Callable[P, R], params: Mapping[str, Any], output: Any, place: str) -> None:
        self.body, self.params, self.output, self.place = fn, params, output, place
        self.name = fn.__name__
        update_wrapper(self, fn)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the function; in a stand-in, ask for it as a model does."""
        results = answering.get()
        if results is None:
            return self.body(*args, **kwargs)
        if inspect.iscoroutinefunction(self.body):
            return cast("R", self._later(results, args, kwargs))
        return self._asked(results, args, kwargs)

    async def _later(self, results: list[Told], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        return self._asked(results, args, kwargs)

    def _asked(self, results: list[Told], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        if not results:
            bound = inspect.signature(self.body).bind(*args, **kwargs)
            raise ToolAsked(self.name, {name: plain(value) for name, value in bound.arguments.items()})
        told = results.pop(0)
        if told.name != self.name:
            raise RuntimeError(f"asks for {self.name!r} where it asked for {told.name!r} before: it must be repeatable")
        if told.failed:
            raise ToolFailedError(told.text)
        return load(self.output, told.text if self.output is str else json.loads(told.text))

    def __repr__(self) -> str:
        return f"<tool {self.name}>"


@dataclass(frozen=True, slots=True, eq=False)
class McpServer:
    """A server that speaks MCP: a command that is started, or an address that is called.

    Its tools are listed when a run begins, and called while it goes on; needs the extra `fanwise[mcp]`.
    """

    name: str
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


Source = Tool[..., Any] | McpServer


@overload
def tool(fn: Callable[P, R], /) -> Tool[P, R]: ...
@overload
def tool() -> Callable[[Callable[P, R]], Tool[P, R]]: ...


def tool(fn: Callable[P, R] | None = None, /) -> Tool[P, R] | Callable[[Callable[P, R]], Tool[P, R]]:
    """Make a tool of a typed function, sync or async; its docstring tells the model what it is for.

    What it returns is told to the model as text: a string as it is, anything else as JSON. What it
    raises is told too, and the model goes on.

    Raises:
        DefinitionError: It has no docstring, no return type, or an annotation that cannot be used.
    """

    def decorate(function: Callable[P, R]) -> Tool[P, R]:
        place = f"{function.__code__.co_filename}:{function.__code__.co_firstlineno}"
        name, mistakes = function.__name__, list[Mistake]()
        hints, params = signature_types(function, place, mistakes)
        if "return" not in hints:
            mistakes.append(Mistake(place, f"tool {name!r} has no return type", "annotate what it returns"))
        if not inspect.getdoc(function):
            mistakes.append(Mistake(place, f"tool {name!r} has no docstring", "say what it is for: the model reads it"))
        if not _NAME.match(name):
            mistakes.append(Mistake(place, f"{name!r} is no name for a tool", "letters, digits, _ and - alone"))
        if mistakes:
            raise DefinitionError(f"tool {name!r}", tuple(mistakes))
        return Tool(function, params, hints["return"], place)

    return decorate if fn is None else decorate(fn)


def sources(given: Iterable[Any], agent: str, place: str, mistakes: list[Mistake]) -> tuple[Source, ...]:
    """Return the tools of an agent; functions become tools. What is none is a mistake."""
    found: list[Source] = []
    for one in given:
        if isinstance(one, Tool | McpServer):
            found.append(cast("Source", one))
        elif inspect.isfunction(one):
            try:
                found.append(tool(one))
            except DefinitionError as error:
                mistakes += error.mistakes
        else:
            hint = "give functions, @tool functions, or McpServer(...)"
            mistakes.append(Mistake(place, f"agent {agent!r}: {one!r} is no tool", hint))
    for one in found:
        if isinstance(one, McpServer) and bool(one.command) == bool(one.url):
            text = (
                f"agent {agent!r}: MCP server {one.name!r} has {'both' if one.url else 'neither'} a command and a URL"
            )
            mistakes.append(Mistake(place, text.replace("neither a command and", "neither a command nor"), "give one"))
    names = [one.name for one in found]
    for name in sorted({name for name in names if names.count(name) > 1}):
        mistakes.append(Mistake(place, f"agent {agent!r} has two tools called {name!r}", "give each a name of its own"))
    return tuple(found)
