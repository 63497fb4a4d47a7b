"""An agent that is its file alone: it takes a task as text and answers text."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from fanwise.errors import DefinitionError, Mistake, line_of

from .agentfile import agent_name
from .agentsettings import AgentSettings, spec_of
from .fromfile import Given, with_file
from .notes import Note
from .spec import AgentSpec

_PARAMS = {"task": str}
Body = Callable[[str], str]
"""`(task: str) -> str`: the signature of an agent whose file names no types."""


def spec_of_file(path: Path, settings: AgentSettings, given: Given) -> AgentSpec:
    """Return the settings of an agent that is its file alone.

    Args:
        path: The file.
        settings: Those that win over the file's.
        given: The model and the tools that the caller gives.

    Raises:
        DefinitionError: Something cannot be used; every mistake is listed with its line.
    """
    mistakes: list[Mistake] = []
    settings = with_file(settings, path, replace(given, params=_PARAMS), mistakes)
    if not settings.name:
        settings = _named(settings, path, mistakes)
    if mistakes:
        raise DefinitionError(f"agent file {path}", tuple(sorted(mistakes, key=line_of)))
    return spec_of(settings, f"{path}:1", _PARAMS, str, mistakes)


def _named(settings: AgentSettings, path: Path, mistakes: list[Mistake]) -> AgentSettings:
    """Return settings with the name of the file, where neither the caller nor the file gives one."""
    name = agent_name(path.stem)
    if not name:
        hint = "write name: and a name in lower case"
        mistakes.append(Mistake(f"{path}:1", "gives no name, and the file's own is none", hint))
        return settings
    note = Note(f"{path}:1", f"there is no name: the agent is called {name!r}, after the file")
    return replace(settings, name=name, notes=tuple(sorted((*settings.notes, note), key=line_of)))


def body_of(spec: AgentSpec, stand_in: Callable[[str], Any] | None) -> Body:
    """Return the function of an agent: of its own, since two agents of one function are told apart by it.

    Args:
        spec: The agent.
        stand_in: What answers offline, sync or async; None: a fixed text does.

    Raises:
        DefinitionError: The stand-in takes no task.
    """
    if stand_in is not None and not _takes_one(stand_in):
        hint = "give a function that takes the task as text and returns the answer"
        mistake = Mistake(spec.place, f"the stand-in of agent {spec.name!r} is {stand_in!r}", hint)
        raise DefinitionError(f"agent {spec.name!r}", (mistake,))

    def empty(task: str) -> str: ...

    def call(task: str) -> str:
        assert stand_in is not None
        return stand_in(task)

    async def call_async(task: str) -> str:
        assert stand_in is not None
        return await stand_in(task)

    is_async = inspect.iscoroutinefunction(stand_in)
    body = empty if stand_in is None else call_async if is_async else call
    body.__name__ = body.__qualname__ = spec.name
    body.__doc__ = spec.description or None
    return cast("Body", body)


def _takes_one(function: object) -> bool:
    """Return whether something can be called with one value by position; a builtin does not say so, and passes."""
    if not callable(function):
        return False
    try:
        inspect.signature(function).bind("")
    except TypeError:
        return False
    except ValueError:
        pass
    return True
