"""A folder of agent files, loaded as one: all their mistakes at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any, Generic, overload

from typing_extensions import TypeVar

from fanwise.blocks import find_folder_beside_caller, inside
from fanwise.errors import DefinitionError, Mistake, UsageError

from .agent import Agent
from .agentsettings import DEFAULT_MAX_TOKENS, AgentSettings
from .filetools import GivenTools, MissingTools, Toolset
from .filetypes import GivenTypes, TypeNames
from .fromfile import Given
from .modelnames import given_model
from .notes import Note
from .origins import DEFAULTS
from .signature import place as place_of_caller
from .tasktext import agent_of_file

TextAgent = Agent[[str], str]
"""An agent that is its file alone, and whose file names no types."""
A = TypeVar("A", bound=Agent[..., Any], default=TextAgent)
_DOCUMENTATION = ("readme", "claude", "agents")
MOST_FILES = 1_000
"""Files in a folder of agents; more are a folder of something else."""
_NOBODY: Mapping[str, Callable[[str], Any]] = MappingProxyType({})


class Agents(Generic[A]):
    """The agents of a folder, by name; each is its file alone: `(task: str) -> str`, or as the types in it say."""

    def __init__(self, folder: Path, agents: Mapping[str, A], notes: tuple[Note, ...]) -> None:
        self._folder, self._agents = folder, agents
        self.notes = notes
        """What of the files was not read, or read otherwise than it stands there."""

    @overload
    @staticmethod
    def load(
        folder: str | Path,
        *,
        inherit: str | None = None,
        max_tokens: int | None = None,
        tools: GivenTools = (),
        missing_tools: MissingTools = "refuse",
        types: None = None,
        stand_ins: Mapping[str, Callable[[str], Any]] = _NOBODY,
    ) -> Agents[TextAgent]: ...

    @overload
    @staticmethod
    def load(
        folder: str | Path,
        *,
        inherit: str | None = None,
        max_tokens: int | None = None,
        tools: GivenTools = (),
        missing_tools: MissingTools = "refuse",
        types: GivenTypes,
        stand_ins: Mapping[str, Callable[..., Any]] = _NOBODY,
    ) -> Agents[Agent[..., Any]]: ...

    @staticmethod
    def load(
        folder: str | Path,
        *,
        inherit: str | None = None,
        max_tokens: int | None = None,
        tools: GivenTools = (),
        missing_tools: MissingTools = "refuse",
        types: GivenTypes | None = None,
        stand_ins: Mapping[str, Callable[..., Any]] = _NOBODY,
    ) -> Agents[Any]:
        """Return the agents of a folder and of those inside of it, as Claude Code reads `.claude/agents`.

        README.md, CLAUDE.md and AGENTS.md are documentation, and left out.

        Args:
            folder: Looked up as the files of `@agent` are; no link in it leads out of the folder where it is found.
            inherit: Model, by its id or alias, of those that say `model: inherit`, or nothing.
            max_tokens: Cap of their answers where a file has none.
            tools: What the names of tools in the files are here, or the tools that each of them has.
            missing_tools: `drop` to run without tools of a file that are not among them.
            types: A module, or classes, among which names in the fields `input` and `output` of the files are looked
                up: the fields of an input are the agent's parameters. A file may have a JSON schema there instead,
                for which `types=()` is enough. None: the fields are not read.
            stand_ins: What answers offline, by name of the agent; it gets the values in the order of the parameters.

        Raises:
            DefinitionError: `inherit` names no model, or files cannot be used; the mistakes of all of them are
                listed with their lines.
            UsageError: There is no such folder, or no agent in it.
        """
        place, base = find_folder_beside_caller(folder)
        given = Given(
            inherit=given_model("inherit", inherit, place_of_caller()),
            word="inherit",
            takes_thinking=False,
            tools=Toolset.of(tools),
            missing_tools=missing_tools,
            types=None if types is None else TypeNames(types),
        )
        settings = AgentSettings(
            default_max_tokens=max_tokens or DEFAULT_MAX_TOKENS,
            origins=DEFAULTS.by_call("load", place_of_caller(), max_tokens=max_tokens),
        )
        loading = _Loading(given, settings, stand_ins)
        for path in _files(place):
            if path.stem.lower() in _DOCUMENTATION:
                loading.notes.append(Note(f"{path}:1", "it is left out: by its name it is documentation"))
            else:
                loading.add(path, base)
        loading.check_stand_ins(place)
        if loading.mistakes:
            raise DefinitionError(f"agents folder {place}", tuple(loading.mistakes))
        if not loading.agents:
            raise UsageError(f"there is no agent file (NAME.md) in {place}")
        return Agents(place, loading.agents, tuple(loading.notes))

    @property
    def folder(self) -> Path:
        """Where they were loaded from."""
        return self._folder

    def __getitem__(self, name: str) -> A:
        if name not in self._agents:
            near = get_close_matches(name, self._agents, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(self._agents)}"
            raise UsageError(f"there is no agent {name!r} in {self._folder}; {hint}")
        return self._agents[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._agents)

    def __len__(self) -> int:
        return len(self._agents)

    def __contains__(self, name: object) -> bool:
        return name in self._agents

    def __repr__(self) -> str:
        return f"<{len(self)} agents of {self._folder}>"


class _Loading:
    """The agents of a folder while its files are read, and what is wrong with them."""

    def __init__(self, given: Given, settings: AgentSettings, stand_ins: Mapping[str, Callable[..., Any]]) -> None:
        self._given, self._settings, self._stand_ins = given, settings, stand_ins
        self.agents: dict[str, Agent[..., Any]] = {}
        self.mistakes: list[Mistake] = []
        self.notes: list[Note] = []

    def add(self, path: Path, base: Path) -> None:
        """Read one file.

        Args:
            path: The file.
            base: The folder out of which it does not lead.
        """
        try:
            inside(base, path.relative_to(base))
            body, spec = agent_of_file(path, self._settings, self._given, self._stand_ins.get)
        except DefinitionError as error:
            self.mistakes += error.mistakes
            return
        except UsageError as error:
            self.mistakes.append(Mistake(str(path), str(error)))
            return
        if spec.name in self.agents:
            first = self.agents[spec.name].spec.place
            message = f"agent {spec.name!r} is there already, in {first}"
            self.mistakes.append(Mistake(spec.place, message, "give one of them another name"))
            return
        self.agents[spec.name] = Agent(body, spec)
        self.notes += spec.notes

    def check_stand_ins(self, folder: Path) -> None:
        """Note stand-ins of agents that are not there, where every file could be read."""
        for name in () if self.mistakes else self._stand_ins:
            if name not in self.agents:
                near = get_close_matches(name, self.agents, 1)
                hint = f"did you mean {near[0]!r}?" if near else ""
                self.mistakes.append(Mistake(str(folder), f"stand_ins has {name!r}, which is no agent", hint))


def _files(folder: Path) -> list[Path]:
    """Return the Markdown files of a folder and of those inside of it, in the order of their paths.

    Raises:
        UsageError: There are too many.
    """
    files: list[Path] = []
    for place, folders, names in os.walk(folder):  # follows no link to a folder
        folders[:] = [name for name in folders if not name.startswith(".")]
        files += [Path(place, name) for name in names if name.lower().endswith(".md") and not name.startswith(".")]
        if len(files) > MOST_FILES:
            raise UsageError(f"{folder} has more than {MOST_FILES:,} Markdown files; name a folder of agents")
    return sorted(files)
