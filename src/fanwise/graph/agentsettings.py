"""The settings of an agent before they are checked, and the check."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fanwise.blocks import Block, Document
from fanwise.errors import DefinitionError, Mistake
from fanwise.models import EffortIntent, facts, intensity

from .examples import CheckedExample, PlacedExample, checked_examples
from .filetools import GivenTool
from .filetypes import TEXT, FileSignature
from .notes import Note
from .origins import DEFAULTS, OriginKind, Origins
from .packable import pack_problems
from .schema import schema
from .spec import AgentSpec, PackIntent
from .toolnames import NO_NAMES, ToolNames
from .tools import Source, sources

DEFAULT_MAX_TOKENS = 1_024
"""Cap of an answer where the agent names none, in tokens."""
DEFAULT_MAX_TURNS = 10
"""Requests that one task may take where the agent has tools and names no limit."""
DEFAULT_TIME_LIMIT_S = 600.0
"""Seconds that one attempt may take where the agent names none; the SDK's own default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSettings:
    """What an agent is made with, and what its file says where its caller has given nothing."""

    name: str = ""
    """Empty where the function's own is meant."""
    is_explicit: bool = False
    """Whether the caller gave the name, so that it must be unique in a graph."""
    model: str = ""
    """Empty where there is none, which is a mistake."""
    instructions: str = ""
    """Empty where the docstring is meant."""
    description: str = ""
    context: tuple[Block, ...] = ()
    max_tokens: int = 0
    """0 where the default is meant; so with the other numbers."""
    default_max_tokens: int = DEFAULT_MAX_TOKENS
    effort: EffortIntent | None = None
    thinking: bool | None = None
    time_limit_s: float = 0.0
    tools: tuple[GivenTool, ...] = ()
    max_turns: int = 0
    reuse: bool | None = None
    pack: PackIntent = 0
    without: tuple[str, ...] = ()
    """Tools that its file names and that it runs without."""
    denied: ToolNames = NO_NAMES
    """Tools that its file forbids."""
    notes: tuple[Note, ...] = ()
    examples: tuple[PlacedExample, ...] = ()
    """Not checked."""
    signature: FileSignature = TEXT
    """Of an agent that is its file alone."""
    origins: Origins = DEFAULTS

    def called(self, kind: OriginKind, place: str) -> AgentSettings:
        """Return these with what they give coming from a call.

        Args:
            kind: What was called.
            place: Where.
        """
        return replace(self, origins=self.origins.by_call(
            kind, place, effort=self.effort, thinking=self.thinking, max_tokens=self.max_tokens,
            time_limit_s=self.time_limit_s, max_turns=self.max_turns, pack=self.pack, reuse=self.reuse,
        ))  # fmt: skip


def spec_of(
    settings: AgentSettings, place: str, params: Mapping[str, Any], output: Any, mistakes: list[Mistake]
) -> AgentSpec:
    """Return the checked settings of an agent.

    Args:
        settings: Its name among them.
        place: Where it is defined, for messages.
        params: Types of its parameters, in order.
        output: Its return type.
        mistakes: What is wrong with its signature.

    Raises:
        DefinitionError: Settings, signature or output cannot be used; every mistake is listed.
    """
    name = settings.name
    is_typed = not mistakes
    examples = checked_examples(settings.examples, name, params, output, mistakes) if is_typed else ()
    if not settings.instructions:
        mistakes.append(Mistake(place, f"agent {name!r} has no instructions", "write a docstring"))
    tools = sources(settings.tools, name, place, mistakes)
    if not settings.model:
        hint = 'write @agent(model="claude-haiku-5-5")'
        mistakes.append(Mistake(place, f"agent {name!r} has no model", hint))
    if mistakes:
        raise DefinitionError(f"agent {name!r}", tuple(mistakes))
    spec = AgentSpec(
        name=name,
        tiers=(settings.model,),
        instructions=settings.instructions,
        context=settings.context,
        max_tokens=settings.max_tokens or settings.default_max_tokens,
        effort=settings.effort,
        thinking=settings.thinking,
        intensity=intensity("", None, None),
        time_limit_s=settings.time_limit_s or DEFAULT_TIME_LIMIT_S,
        params=params,
        output=output,
        schema=schema(output),
        place=place,
        tools=tools,
        max_turns=settings.max_turns or DEFAULT_MAX_TURNS,
        reuse=settings.reuse,
        pack=settings.pack or 1,
        description=settings.description,
        without=settings.without,
        denied=settings.denied,
        notes=settings.notes,
        examples=examples,
        origins=settings.origins,
    )
    return resolved(spec)


def resolved(spec: AgentSpec) -> AgentSpec:
    """Return the settings with what is sent for effort and thinking.

    Raises:
        DefinitionError: The settings do not fit the model.
    """
    texts: list[str] = []
    how_hard = spec.intensity
    try:
        how_hard = intensity(spec.model, spec.thinking, spec.effort)
    except ValueError as error:
        texts.append(str(error))
    limit = facts(spec.model).max_output
    if not 1 <= spec.max_tokens <= limit:
        texts.append(f"max_tokens {spec.max_tokens} is not within 1 and {limit}, the most {spec.model} writes")
    if spec.time_limit_s <= 0:
        texts.append(f"time_limit_s {spec.time_limit_s} is not a positive number of seconds")
    if spec.max_turns < 1:
        texts.append(f"max_turns {spec.max_turns} is not a positive number of requests")
    texts += pack_problems(spec)
    if texts:
        mistakes = tuple(Mistake(spec.place, f"agent {spec.name!r}: {text}") for text in texts)
        raise DefinitionError(f"agent {spec.name!r}", mistakes)
    return replace(spec, intensity=how_hard)


def listed(tools: Iterable[Any], spec: AgentSpec) -> tuple[Source, ...]:
    """Return the tools of an agent.

    Raises:
        DefinitionError: Something among them is no tool.
    """
    mistakes: list[Mistake] = []
    tools_of_agent = sources(tools, spec.name, spec.place, mistakes)
    if mistakes:
        raise DefinitionError(f"agent {spec.name!r}", tuple(mistakes))
    return tools_of_agent


def examples_of(examples: Iterable[PlacedExample], spec: AgentSpec) -> tuple[CheckedExample, ...]:
    """Return examples of an agent.

    Raises:
        DefinitionError: Some do not fit it; every mistake is listed.
    """
    mistakes: list[Mistake] = []
    fitting = checked_examples(examples, spec.name, spec.params, spec.output, mistakes)
    if mistakes:
        raise DefinitionError(f"agent {spec.name!r}", tuple(mistakes))
    return fitting


def blocks_of(context: Iterable[Block | Document]) -> tuple[Block, ...]:
    """Return the blocks of a context, each once."""
    blocks: list[Block] = []
    for part in context:
        blocks += part.sections if isinstance(part, Document) else [part]
    return tuple(dict.fromkeys(blocks))
