"""An agent that is its file alone: it takes a task as text and answers text, or what the types in it say."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from fanwise.errors import DefinitionError, Mistake, line_of

from .agentfile import agent_name
from .agentsettings import AgentSettings, spec_of
from .filetypes import REQUIRED, TEXT, FileSignature
from .fromfile import Given, with_file
from .notes import Note
from .spec import AgentSpec


def agent_of_file(
    path: Path, settings: AgentSettings, given: Given, stand_in: Callable[[str], Callable[..., Any] | None]
) -> tuple[Callable[..., Any], AgentSpec]:
    """Return the function and the settings of an agent that is its file alone.

    Args:
        path: The file.
        settings: Those that win over the file's.
        given: The model, the tools and the types that the caller gives.
        stand_in: Gives by the agent's name what answers offline, sync or async; without it a fixed value does.

    Raises:
        DefinitionError: Something cannot be used; every mistake is listed with its line.
    """
    mistakes: list[Mistake] = []
    settings = with_file(settings, path, replace(given, is_alone=True), mistakes)
    if not settings.name:
        settings = _named(settings, path, mistakes)
    if mistakes:
        raise DefinitionError(f"agent file {path}", tuple(sorted(mistakes, key=line_of)))
    params, output = settings.signature.params, settings.signature.output
    spec = spec_of(settings, f"{path}:1", params, output, mistakes)
    return _body(spec, settings.signature, stand_in(spec.name)), spec


def _named(settings: AgentSettings, path: Path, mistakes: list[Mistake]) -> AgentSettings:
    """Return settings with the name of the file, where neither the caller nor the file gives one."""
    name = agent_name(path.stem)
    if not name:
        hint = "write name: and a name in lower case"
        mistakes.append(Mistake(f"{path}:1", "gives no name, and the file's own is none", hint))
        return settings
    note = Note(f"{path}:1", f"there is no name: the agent is called {name!r}, after the file")
    return replace(settings, name=name, notes=tuple(sorted((*settings.notes, note), key=line_of)))


def _body(spec: AgentSpec, types: FileSignature, stand_in: Callable[..., Any] | None) -> Callable[..., Any]:
    """Return the function of an agent: of its own, since two agents of one function are told apart by it.

    Args:
        spec: The agent.
        types: What it takes and answers.
        stand_in: What answers offline: it is given the values in the order of the parameters.

    Raises:
        DefinitionError: The stand-in takes other values.
    """
    if stand_in is not None and not _takes(stand_in, len(types.params)):
        takes = "the task as text" if types == TEXT else f"{', '.join(types.params)}, in this order,"
        hint = f"give a function that takes {takes} and returns the answer"
        mistake = Mistake(spec.place, f"the stand-in of agent {spec.name!r} is {stand_in!r}", hint)
        raise DefinitionError(f"agent {spec.name!r}", (mistake,))
    signature = _signature(types)

    def empty(*_: Any, **__: Any) -> Any: ...

    def call(*args: Any, **kwargs: Any) -> Any:
        assert stand_in is not None
        return stand_in(*_in_order(signature, args, kwargs))

    async def call_async(*args: Any, **kwargs: Any) -> Any:
        assert stand_in is not None
        return await stand_in(*_in_order(signature, args, kwargs))

    is_async = inspect.iscoroutinefunction(stand_in)
    body: Any = empty if stand_in is None else call_async if is_async else call
    body.__name__ = body.__qualname__ = spec.name
    body.__doc__ = spec.description or None
    body.__signature__ = signature
    return body


def _signature(types: FileSignature) -> inspect.Signature:
    """Return the signature of an agent's function; those without a default can stand behind others, by their names."""
    any_order = inspect.Parameter.KEYWORD_ONLY
    in_order = inspect.Parameter.POSITIONAL_OR_KEYWORD
    has_default, parameters = False, list[inspect.Parameter]()
    for name, tp in types.params.items():
        has_default = has_default or name in types.defaults
        kind = any_order if has_default else in_order
        default = types.defaults.get(name, REQUIRED)
        parameters.append(inspect.Parameter(name, kind, default=default, annotation=tp))
    return inspect.Signature(parameters, return_annotation=types.output)


def _in_order(signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
    """Return the values of a call in the order of the parameters."""
    bound = signature.bind(*args, **kwargs)
    bound.apply_defaults()
    return [bound.arguments[name] for name in signature.parameters]


def _takes(function: object, count: int) -> bool:
    """Return whether something can be called with so many values by position; a builtin does not say so, and passes."""
    if not callable(function):
        return False
    try:
        inspect.signature(function).bind(*[""] * count)
    except TypeError:
        return False
    except ValueError:
        pass
    return True
