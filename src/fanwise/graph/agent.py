"""`@agent`: a typed Python function that a model carries out."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import update_wrapper
from pathlib import Path
from typing import Any, Generic, ParamSpec, TypeVar

from fanwise.blocks import Block, Document, find_beside_caller
from fanwise.errors import DefinitionError, Mistake
from fanwise.models import EffortIntent, facts, intensity

from .agentfile import AgentFile, read_agent_file
from .calls import add_task
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
        return add_task(self, self._spec.params, self._spec.output, args, kwargs, explicit=self.explicit)

    def options(
        self,
        *,
        name: str | None = None,
        model: str | None = None,
        max_tokens: int | None = None,
        effort: EffortIntent | None = None,
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
        settings: dict[str, Any] = {
            "name": name, "tiers": (model,) if model else (), "max_tokens": max_tokens, "effort": effort,
            "time_limit_s": time_limit_s, "max_turns": max_turns,
        }  # fmt: skip
        changes = {field: value for field, value in settings.items() if value}
        if thinking is not None:
            changes["thinking"] = thinking
        if context is not None:
            changes["context"] = _blocks(context)
        if tools is not None:
            changes["tools"] = _sources(tools, self._spec)
            changes.setdefault("max_turns", DEFAULT_MAX_TURNS)
        return Agent(self.body, _resolve(replace(self._spec, **changes)), explicit=name is not None)

    def __repr__(self) -> str:
        return f"<agent {self.name} on {self._spec.model}>"


def agent(
    file: str | Path | None = None,
    *,
    model: str | None = None,
    name: str | None = None,
    context: Iterable[Block | Document] = (),
    max_tokens: int | None = None,
    effort: EffortIntent | None = None,
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
            in the folders above it; it does not lead out of the folder in which it is found. Settings given here win
            over those of the file.
        model: Model id; needed here or in the file.
        name: Name in requests and reports; the function's name by default.
        context: Blocks and documents that the agent is shown in every task.
        max_tokens: Cap of the answer in tokens; an allowance is added where the model thinks.
        effort: How hard the model works; the least that it allows by default. `default` leaves it to the model: no
            effort is sent.
        thinking: Whether it thinks; the least that it allows by default, also with effort `default`.
        time_limit_s: Seconds for one attempt, and for one call of a tool that has no limit of its own.
        tools: Typed functions and MCP servers that the model may call; it is sent what a
            function returns or raises, and goes on.
        max_turns: Requests that one task may take in all, where there are tools.

    Raises:
        DefinitionError: The settings, the signature or the output type cannot be used; every
            mistake is listed.
    """
    from_file = read_agent_file(find_beside_caller(file)) if file is not None else AgentFile()
    settings = _Settings(
        name=name or from_file.name,
        is_explicit=name is not None,
        model=model or from_file.model,
        instructions=from_file.instructions,
        context=_blocks(context),
        max_tokens=max_tokens or from_file.max_tokens or DEFAULT_MAX_TOKENS,
        effort=effort or from_file.effort,
        thinking=thinking,
        time_limit_s=time_limit_s or DEFAULT_TIME_LIMIT_S,
        tools=tuple(tools),
        max_turns=max_turns or DEFAULT_MAX_TURNS,
    )

    def decorate(fn: Callable[P, R]) -> Agent[P, R]:
        return _agent_of(fn, settings)

    return decorate


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settings:
    """What `@agent(...)` was called with, and what its file says where it was called with nothing."""

    name: str
    """Empty where the function's own is meant."""
    is_explicit: bool
    """Whether the call gave the name, so that it must be unique in a graph."""
    model: str
    """Empty where there is none, which is a mistake."""
    instructions: str
    """Empty where the docstring is meant."""
    context: tuple[Block, ...]
    max_tokens: int
    effort: EffortIntent | None
    thinking: bool | None
    time_limit_s: float
    tools: tuple[Callable[..., Any] | McpServer, ...]
    max_turns: int


def _agent_of(fn: Callable[P, R], settings: _Settings) -> Agent[P, R]:
    """Make an agent of a function.

    Raises:
        DefinitionError: Settings, signature or output cannot be used; every mistake is listed.
    """
    place = f"{fn.__code__.co_filename}:{fn.__code__.co_firstlineno}"
    mistakes: list[Mistake] = []
    hints, params = signature_types(fn, place, mistakes)
    mistakes += _output_mistakes(fn.__name__, hints, place)
    instructions = (settings.instructions or inspect.getdoc(fn) or "").strip()
    if not instructions:
        mistakes.append(Mistake(place, f"agent {fn.__name__!r} has no instructions", "write a docstring"))
    tools = sources(settings.tools, fn.__name__, place, mistakes)
    if not settings.model:
        hint = 'write @agent(model="claude-haiku-5-5")'
        mistakes.append(Mistake(place, f"agent {fn.__name__!r} has no model", hint))
    if mistakes:
        raise DefinitionError(f"agent {fn.__name__!r}", tuple(mistakes))
    output = hints["return"]
    spec = AgentSpec(
        name=settings.name or fn.__name__,
        tiers=(settings.model,),
        instructions=instructions,
        context=settings.context,
        max_tokens=settings.max_tokens,
        effort=settings.effort,
        thinking=settings.thinking,
        intensity=intensity("", None, None),
        time_limit_s=settings.time_limit_s,
        params=params,
        output=output,
        schema=schema(output),
        place=place,
        tools=tools,
        max_turns=settings.max_turns,
    )
    return Agent(fn, _resolve(spec), explicit=settings.is_explicit)


def _output_mistakes(agent_name: str, hints: Mapping[str, Any], place: str) -> list[Mistake]:
    """Return the mistakes of an agent's return type."""
    if "return" not in hints:
        return [Mistake(place, f"agent {agent_name!r} has no return type", "annotate what it answers")]
    return [Mistake(place, f"agent {agent_name!r}: {text}", hint) for text, hint in problems(hints["return"])]


def _resolve(spec: AgentSpec) -> AgentSpec:
    """Return the settings with what is sent for effort and thinking.

    Raises:
        DefinitionError: The settings do not fit the model.
    """
    texts: list[str] = []
    resolved = spec.intensity
    try:
        resolved = intensity(spec.model, spec.thinking, spec.effort)
    except ValueError as error:
        texts.append(str(error))
    limit = facts(spec.model).max_output
    if not 1 <= spec.max_tokens <= limit:
        texts.append(f"max_tokens {spec.max_tokens} is not within 1 and {limit}, the most {spec.model} writes")
    if spec.time_limit_s <= 0:
        texts.append(f"time_limit_s {spec.time_limit_s} is not a positive number of seconds")
    if spec.max_turns < 1:
        texts.append(f"max_turns {spec.max_turns} is not a positive number of requests")
    if texts:
        mistakes = tuple(Mistake(spec.place, f"agent {spec.name!r}: {text}") for text in texts)
        raise DefinitionError(f"agent {spec.name!r}", mistakes)
    return replace(spec, intensity=resolved)


def _sources(tools: Iterable[Any], spec: AgentSpec) -> tuple[Source, ...]:
    """Return the tools of an agent.

    Raises:
        DefinitionError: Something among them is no tool.
    """
    mistakes: list[Mistake] = []
    listed = sources(tools, spec.name, spec.place, mistakes)
    if mistakes:
        raise DefinitionError(f"agent {spec.name!r}", tuple(mistakes))
    return listed


def _blocks(context: Iterable[Block | Document]) -> tuple[Block, ...]:
    blocks: list[Block] = []
    for part in context:
        blocks += part.sections if isinstance(part, Document) else [part]
    return tuple(dict.fromkeys(blocks))
