"""`@agent`: a typed Python function that a model carries out."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import update_wrapper
from pathlib import Path
from typing import Any, Generic, ParamSpec, TypeVar

from fanwise.blocks import Block, Document, find_beside_caller
from fanwise.errors import DefinitionError, Mistake
from fanwise.models import Effort, facts, intensity

from .agentfile import AgentFile, read_agent_file
from .calls import call
from .schema import problems, schema
from .signature import signature_types
from .spec import AgentSpec
from .tools import McpServer, Source, sources
from .tracer import active

P = ParamSpec("P")
R = TypeVar("R")

DEFAULT_MAX_TOKENS = 1_024
"""Cap of an answer where the agent names none, in tokens."""
DEFAULT_MAX_TURNS = 10
"""Requests that one task may take where the agent has tools and names no limit."""
DEFAULT_TIME_LIMIT_S = 600.0
"""Seconds that one attempt may take where the agent names none; the SDK's own default."""


class Agent(Generic[P, R]):
    """A typed function that a model carries out: call it in a graph, or anywhere as its stand-in."""

    def __init__(self, fn: Callable[P, R], spec: AgentSpec, *, explicit: bool = False) -> None:
        self.body, self._spec, self.explicit = fn, spec, explicit
        update_wrapper(self, fn)

    @property
    def name(self) -> str:
        """Name of the agent, as it stands in requests, reports and the journal."""
        return self._spec.name

    @property
    def spec(self) -> AgentSpec:
        """The settings."""
        return self._spec

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """In a graph: add a task. Elsewhere: run the stand-in body."""
        if active.get() is None:
            return self.body(*args, **kwargs)
        return call(self, self._spec.params, self._spec.output, args, kwargs, explicit=self.explicit)

    def options(
        self,
        *,
        name: str | None = None,
        model: str | None = None,
        max_tokens: int | None = None,
        effort: Effort | None = None,
        thinking: bool | None = None,
        time_limit_s: float | None = None,
        context: Iterable[Block | Document] | None = None,
        tools: Iterable[Callable[..., Any] | McpServer] | None = None,
        max_turns: int | None = None,
    ) -> Agent[P, R]:
        """Return the same agent with other settings; a name given here must be unique in a graph.

        Raises:
            DefinitionError: The settings do not fit the model.
        """
        old = self._spec
        spec = _resolve(
            replace(
                old,
                name=name or old.name,
                tiers=(model,) if model else old.tiers,
                max_tokens=max_tokens or old.max_tokens,
                effort=effort if effort is not None else old.effort,
                thinking=thinking if thinking is not None else old.thinking,
                time_limit_s=time_limit_s or old.time_limit_s,
                context=old.context if context is None else _blocks(context),
                tools=old.tools if tools is None else _sources(tools, old),
                max_turns=max_turns or (old.max_turns if tools is None else DEFAULT_MAX_TURNS),
            )
        )
        return Agent(self.body, spec, explicit=name is not None)

    def __repr__(self) -> str:
        return f"<agent {self.name} on {self._spec.model}>"


def agent(
    file: str | Path | None = None,
    *,
    model: str | None = None,
    name: str | None = None,
    context: Iterable[Block | Document] = (),
    max_tokens: int | None = None,
    effort: Effort | None = None,
    thinking: bool | None = None,
    time_limit_s: float | None = None,
    tools: Iterable[Callable[..., Any] | McpServer] = (),
    max_turns: int | None = None,
) -> Callable[[Callable[P, R]], Agent[P, R]]:
    """Make an agent of a typed function.

    The signature says what the agent is shown and what it answers, the docstring (or the body of
    `file`) is its instructions, and the function's body is the stand-in that answers offline.

    Args:
        file: An agent file such as `agents/classify.md`, looked up beside the calling file and
            in the folders above it. Settings given here win over those of the file.
        model: Model id; needed here or in the file.
        name: Name in requests and reports; the function's name by default.
        context: Blocks and documents that the agent is shown in every task.
        max_tokens: Cap of the answer in tokens; an allowance is added where the model thinks.
        effort: How hard the model works; the least that it allows by default.
        thinking: Whether it thinks; the least that it allows by default.
        time_limit_s: Seconds for one attempt, and for one call of a tool.
        tools: Typed functions and MCP servers that the model may call; what a function returns or
            raises is told to it, and it goes on.
        max_turns: Requests that one task may take in all, where there are tools.

    Raises:
        DefinitionError: The settings, the signature or the output type cannot be used; every
            mistake is listed.
    """
    found = read_agent_file(find_beside_caller(file)) if file is not None else AgentFile()

    def decorate(fn: Callable[P, R]) -> Agent[P, R]:
        place = f"{fn.__code__.co_filename}:{fn.__code__.co_firstlineno}"
        mistakes: list[Mistake] = []
        hints, params = signature_types(fn, place, mistakes)
        output = hints.get("return", None)
        if "return" not in hints:
            mistakes.append(Mistake(place, f"agent {fn.__name__!r} has no return type", "annotate what it answers"))
        else:
            mistakes += [Mistake(place, f"agent {fn.__name__!r}: {text}", hint) for text, hint in problems(output)]
        instructions = (found.instructions or inspect.getdoc(fn) or "").strip()
        if not instructions:
            mistakes.append(Mistake(place, f"agent {fn.__name__!r} has no instructions", "write a docstring"))
        found_tools = sources(tools, fn.__name__, place, mistakes)
        chosen = model or found.model
        if not chosen:
            mistakes.append(
                Mistake(place, f"agent {fn.__name__!r} has no model", 'write @agent(model="claude-haiku-5-5")')
            )
        if mistakes:
            raise DefinitionError(f"agent {fn.__name__!r}", tuple(mistakes))
        spec = AgentSpec(
            name=name or found.name or fn.__name__,
            tiers=(chosen or "",),
            instructions=instructions,
            context=_blocks(context),
            max_tokens=max_tokens or found.max_tokens or DEFAULT_MAX_TOKENS,
            effort=effort or found.effort,
            thinking=thinking,
            intensity=intensity("", None, None),
            time_limit_s=time_limit_s or DEFAULT_TIME_LIMIT_S,
            params=params,
            output=output,
            schema=schema(output),
            place=place,
            tools=found_tools,
            max_turns=max_turns or DEFAULT_MAX_TURNS,
        )
        return Agent(fn, _resolve(spec), explicit=name is not None)

    return decorate


def _resolve(spec: AgentSpec) -> AgentSpec:
    found: list[tuple[str, str]] = []
    resolved = spec.intensity
    try:
        resolved = intensity(spec.model, spec.thinking, spec.effort)
    except ValueError as error:
        found.append((str(error), ""))
    limit = facts(spec.model).max_output
    if not 1 <= spec.max_tokens <= limit:
        found.append((f"max_tokens {spec.max_tokens} is not within 1 and {limit}, the most {spec.model} writes", ""))
    if spec.time_limit_s <= 0:
        found.append((f"time_limit_s {spec.time_limit_s} is not a positive number of seconds", ""))
    if spec.max_turns < 1:
        found.append((f"max_turns {spec.max_turns} is not a positive number of requests", ""))
    if found:
        mistakes = tuple(Mistake(spec.place, f"agent {spec.name!r}: {text}", hint) for text, hint in found)
        raise DefinitionError(f"agent {spec.name!r}", mistakes)
    return replace(spec, intensity=resolved)


def _sources(given: Iterable[Any], spec: AgentSpec) -> tuple[Source, ...]:
    mistakes: list[Mistake] = []
    found = sources(given, spec.name, spec.place, mistakes)
    if mistakes:
        raise DefinitionError(f"agent {spec.name!r}", tuple(mistakes))
    return found


def _blocks(context: Iterable[Block | Document]) -> tuple[Block, ...]:
    blocks: list[Block] = []
    for part in context:
        blocks += part.sections if isinstance(part, Document) else [part]
    return tuple(dict.fromkeys(blocks))
