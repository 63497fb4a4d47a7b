"""`@agent`: a typed Python function that a model carries out; and an agent that is its file alone."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import update_wrapper
from pathlib import Path
from typing import Any, Generic, ParamSpec, TypeVar

from fanwise.blocks import Block, Document, find_beside_caller
from fanwise.errors import DefinitionError, Mistake, line_of
from fanwise.models import EffortIntent

from .agentsettings import AgentSettings, blocks_of, examples_of, listed, resolved, spec_of
from .answerable import problems
from .calls import add_task
from .examples import Example, placed
from .filetools import GivenTools, MissingTools, Toolset, allowed_tools
from .fromfile import Given, with_file
from .modelnames import given_model
from .notes import Note
from .packable import given_pack
from .signature import place, signature_types
from .spec import AgentSpec, PackIntent
from .tasktext import agent_of_file
from .tracer import active

P = ParamSpec("P")
R = TypeVar("R")


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

    @property
    def notes(self) -> tuple[Note, ...]:
        """What of its file was not read, or read otherwise than it stands there, each with file and line."""
        return self._spec.notes

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """In a graph: add a task. Elsewhere: run the stand-in body."""
        if active.get() is None:
            return self.body(*args, **kwargs)
        return add_task(self, self._spec.params, self._spec.output, args, kwargs, explicit=self.explicit)

    @staticmethod
    def load(
        path: str | Path,
        *,
        model: str | None = None,
        name: str | None = None,
        context: Iterable[Block | Document] = (),
        max_tokens: int | None = None,
        effort: EffortIntent | None = None,
        thinking: bool | None = None,
        time_limit_s: float | None = None,
        tools: GivenTools = (),
        missing_tools: MissingTools = "refuse",
        max_turns: int | None = None,
        reuse: bool | None = None,
        pack: PackIntent | None = None,
        examples: Iterable[Example] = (),
        stand_in: Callable[[str], Any] | None = None,
    ) -> Agent[[str], str]:
        """Return an agent that is its file alone: it takes a task as text and answers text, `(task: str) -> str`.

        Args:
            path: An agent file, looked up as by `@agent`.
            model: Model, by its id or alias; needed here or in the file, which may leave it to the caller by
                `model: inherit`.
            name: Name in requests and reports; by default that in the file, else the file's own.
            context: As of `@agent`, and so are the settings that follow.
            max_tokens: Cap of the answer in tokens.
            effort: How hard the model works.
            thinking: Whether it thinks.
            time_limit_s: Seconds for one attempt.
            tools: What the names of tools in the file are here, or the agent's tools.
            missing_tools: `drop` to run without the tools of the file that are not among them.
            max_turns: Requests that one task may take in all; `maxTurns` of the file by default.
            reuse: Whether equal tasks are one call.
            pack: How many inputs one request may show; `pack` of the file by default.
            examples: As of `@agent`; those of the file by default.
            stand_in: What answers offline in place of the model; without it a fixed text does.

        Raises:
            DefinitionError: The file or the settings cannot be used; every mistake is listed with its line.
            UsageError: There is no such file, or it lies elsewhere.
        """
        settings = AgentSettings(
            name=name or "",
            is_explicit=name is not None,
            model=given_model("model", model, place()),
            context=blocks_of(context),
            max_tokens=max_tokens or 0,
            effort=effort,
            thinking=thinking,
            time_limit_s=time_limit_s or 0.0,
            max_turns=max_turns or 0,
            reuse=reuse,
            pack=given_pack(pack),
            examples=placed(examples, place()),
        ).called("load", place())
        given = Given(tools=Toolset.of(tools), missing_tools=missing_tools)
        body, spec = agent_of_file(find_beside_caller(path), settings, given, lambda _: stand_in)
        return Agent(body, spec, explicit=settings.is_explicit)

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
        tools: GivenTools | None = None,
        max_turns: int | None = None,
        reuse: bool | None = None,
        pack: PackIntent | None = None,
        examples: Iterable[Example] | None = None,
    ) -> Agent[P, R]:
        """Return the same agent with other settings; a name given here must be unique in a graph.

        What its file forbids by `disallowedTools` is not given by `tools=` either, which `notes` say.

        Raises:
            DefinitionError: The settings do not fit the model, or examples the signature.
        """
        settings: dict[str, Any] = {
            "name": name, "tiers": (model,) if model else (), "max_tokens": max_tokens, "effort": effort,
            "time_limit_s": time_limit_s, "max_turns": max_turns, "pack": given_pack(pack),
        }  # fmt: skip
        changes = {field: value for field, value in settings.items() if value}
        if thinking is not None:
            changes["thinking"] = thinking
        if reuse is not None:
            changes["reuse"] = reuse
        if context is not None:
            changes["context"] = blocks_of(context)
        if examples is not None:
            changes["examples"] = examples_of(placed(examples, place()), self._spec)
        if tools is not None:
            given = Toolset.of(tools)
            allowed = allowed_tools(self._spec.denied, given, self._spec.name, place())
            changes["tools"] = listed(allowed.tools, self._spec)
            changes["without"] = tuple(name for name in self._spec.without if name not in given.by_name)
            changes["notes"] = (*self._spec.notes, *allowed.notes)
        changes["origins"] = self._spec.origins.by_call(
            "options", place(), effort=effort, thinking=thinking, max_tokens=max_tokens, time_limit_s=time_limit_s,
            max_turns=max_turns, reuse=reuse, pack=given_pack(pack),
        )  # fmt: skip
        return Agent(self.body, resolved(replace(self._spec, **changes)), explicit=name is not None)

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
    tools: GivenTools = (),
    missing_tools: MissingTools = "refuse",
    max_turns: int | None = None,
    reuse: bool | None = None,
    pack: PackIntent | None = None,
    examples: Iterable[Example] = (),
) -> Callable[[Callable[P, R]], Agent[P, R]]:
    """Make an agent of a typed function.

    The signature says what the agent is shown and what it answers, the docstring (or the body of
    `file`) is its instructions, and the function's body is the stand-in that answers offline.

    Args:
        file: An agent file such as `agents/classify.md`, looked up beside the calling file and in the folders above
            it; it leads out of no folder. Settings given here win over its own.
        model: Model id; needed here or in the file, which may leave it to the caller by `model: inherit`.
        name: Name in requests and reports; the function's name by default.
        context: Blocks and documents that the agent is shown in every task.
        max_tokens: Cap of the answer in tokens; an allowance is added where the model thinks.
        effort: How hard the model works; the least that it allows by default; `default`: as the model has it.
        thinking: Whether it thinks; the least that it allows by default, also with effort `default`.
        time_limit_s: Seconds for one attempt, and for one call of a tool that has no limit of its own.
        tools: Typed functions and MCP servers that the model may call; it is sent what a function returns or raises,
            and goes on. With a file also what its names of tools are here: `{"Read": read_file}`.
        missing_tools: `drop` to run without tools of the file that are not among them, which is a mistake otherwise.
        max_turns: Requests that one task may take in all, where there are tools.
        pack: How many inputs, of rows and items, one request may show: each has its own answer, and goes again alone
            where that cannot be used. `auto` packs none yet; `fanwise plan` says what it would save.
        reuse: Whether equal tasks, of whatever rows, are one call; by default where there are no tools.
        examples: Inputs and the answers to them, shown behind the instructions; those of the file by default.

    Raises:
        DefinitionError: The file, the settings, the signature or the output type cannot be used, or examples do not
            fit them; every mistake is listed.
    """
    given = Given(tools=Toolset.of(tools), missing_tools=missing_tools)
    settings = AgentSettings(
        name=name or "", is_explicit=name is not None, model=model or "", context=blocks_of(context),
        max_tokens=max_tokens or 0, effort=effort, thinking=thinking, time_limit_s=time_limit_s or 0.0,
        tools=given.tools.all, max_turns=max_turns or 0, reuse=reuse, pack=given_pack(pack),
        examples=placed(examples, place()),
    ).called("decorator", place())  # fmt: skip
    if file is not None:
        settings = _with_file(settings, find_beside_caller(file), given)
    return lambda fn: _agent_of(fn, settings)


def _with_file(settings: AgentSettings, path: Path, given: Given) -> AgentSettings:
    """Return settings with what an agent file says where they say nothing.

    Raises:
        DefinitionError: The file cannot be used; every mistake is listed with its line.
    """
    mistakes: list[Mistake] = []
    both = with_file(settings, path, given, mistakes)
    if mistakes:
        raise DefinitionError(f"agent file {path}", tuple(sorted(mistakes, key=line_of)))
    return both


def _agent_of(fn: Callable[P, R], settings: AgentSettings) -> Agent[P, R]:
    """Make an agent of a function.

    Raises:
        DefinitionError: Settings, signature or output cannot be used; every mistake is listed.
    """
    defined = f"{fn.__code__.co_filename}:{fn.__code__.co_firstlineno}"
    mistakes: list[Mistake] = []
    hints, params = signature_types(fn, defined, mistakes)
    mistakes += _output_mistakes(fn.__name__, hints, defined)
    docstring = (inspect.getdoc(fn) or "").strip()
    notes = settings.notes
    if settings.instructions and docstring:
        text = f"the docstring of {fn.__name__!r} is not read: the body of its agent file is the instructions"
        notes = (*notes, Note(defined, text))
    settings = replace(
        settings,
        name=settings.name or fn.__name__,
        instructions=settings.instructions or docstring,
        notes=notes,
    )
    spec = spec_of(settings, defined, params, hints.get("return"), mistakes)
    return Agent(fn, spec, explicit=settings.is_explicit)


def _output_mistakes(agent_name: str, hints: Mapping[str, Any], place: str) -> list[Mistake]:
    """Return the mistakes of an agent's return type."""
    if "return" not in hints:
        return [Mistake(place, f"agent {agent_name!r} has no return type", "annotate what it answers")]
    return [Mistake(place, f"agent {agent_name!r}: {text}", hint) for text, hint in problems(hints["return"])]
