"""Freezing a task plan: out of a JSON file, over a folder of agents, into a file of Python."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from fanwise.blocks import Block, Document
from fanwise.errors import UsageError
from fanwise.graph.agents import Agents
from fanwise.graph.filetypes import TypeNames
from fanwise.media import read_regular
from fanwise.paths import fixed, names_file, typed
from fanwise.plans import FrozenSources, Offer, PlanLimits, TaskPlan, check_plan, freeze_plan, read_plan
from fanwise.plans.taskplan import MOST_CHARS

from .roster import load_agents, load_types


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """What was frozen."""

    plan: TaskPlan
    source: str
    """Of the file of Python."""
    without: Mapping[str, tuple[str, ...]]
    """Tools that files of its agents name and that they run without, by agent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningDesk:
    """What plans may name, and where the file that one is frozen as has it from."""

    agents: Agents[Any]
    """Of the folder."""
    offer: Offer
    sources: FrozenSources
    graph: str
    """Name of the graph."""

    def frozen(self, plan: TaskPlan, place: str = "task plan") -> Frozen:
        """Check a plan and freeze it.

        Args:
            plan: The plan.
            place: What it is called in messages.

        Raises:
            DefinitionError: It has mistakes; all of them, each with its place.
        """
        checked = check_plan(plan, self.offer, place)
        specs = [call.agent.spec for call in checked.calls]
        without = {spec.name: spec.without for spec in specs if spec.without}
        return Frozen(plan=plan, source=freeze_plan(checked, self.graph, self.sources), without=without)


def freeze(
    plan: str | Path,
    *,
    agents: str | Path,
    types: str,
    row: str,
    file: str | Path,
    output: str | None = None,
    graph: str | None = None,
    inherit: str | None = None,
    limits: PlanLimits | None = None,
) -> Frozen:
    """Check a task plan and return it as a file of Python; nothing is sent, and nothing is written.

    Args:
        plan: The plan, a JSON file.
        agents: The folder of its agents.
        types: Where types and documents stand: a file beside the frozen one, or a module.
        row: The type of a row, by its name there.
        file: Where the source is going to stand.
        output: The type that a row's output must have; any by default.
        graph: Name of the graph; that of the file by default.
        inherit: Model of agent files that say `inherit`.
        limits: What the plan may come to.

    Raises:
        DefinitionError: Agents or the plan have mistakes; all of them, each with its place.
        UsageError: Something is not there, or lies where the frozen file cannot have it from.
    """
    path = fixed(file)
    text = _read(fixed(plan))
    name = graph or path.stem
    desk = planning_desk(
        agents=agents, types=types, row=row, file=path, output=output, graph=name, inherit=inherit, limits=limits
    )
    return desk.frozen(read_plan(text, typed(plan)), typed(plan))


def planning_desk(
    *,
    agents: str | Path,
    types: str,
    row: str,
    file: Path,
    output: str | None,
    graph: str,
    inherit: str | None,
    limits: PlanLimits | None,
) -> PlanningDesk:
    """Return what plans may name, and where a frozen file has it from; the arguments are those of `freeze`.

    Raises:
        DefinitionError: Agents have mistakes; all of them, each with its place.
        UsageError: Something is not there, or lies where the frozen file cannot have it from.
    """
    folder = fixed(agents)
    module_name = _module_name(types, file)
    module = load_types(types)
    loaded = load_agents(folder, module, inherit)
    names = TypeNames(module)
    offer = Offer(
        agents=loaded,
        row=_type("row", row, names),
        blocks=_blocks(module),
        limits=limits or PlanLimits(),
        taken=(graph, module_name),
        **({} if output is None else {"output": _type("output", output, names)}),
    )
    sources = FrozenSources(
        folder=_folder_seen_from(file, folder),
        module=module if isinstance(module, ModuleType) else None,
        module_name=module_name,
        inherit=inherit,
        drops_tools=_drops_tools(loaded),
    )
    return PlanningDesk(agents=loaded, offer=offer, sources=sources, graph=graph)


def _read(path: Path) -> bytes:
    """Return the content of a plan's file.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        return read_regular(path, MOST_CHARS)
    except ValueError as error:
        raise UsageError(f"{typed(path)} {error}") from None
    except OSError as error:
        raise UsageError(f"{typed(path)} cannot be read: {error.strerror}") from None


def _type(what: str, text: str, names: TypeNames) -> Any:
    try:
        return names.named(text.strip())
    except KeyError as error:
        raise UsageError(f"{what}: no type is called {text[:60]!r}; {error.args[0]}") from None


def _blocks(module: ModuleType | tuple[()]) -> Mapping[str, Block]:
    """Return the blocks of a module and of its documents, by their names."""
    blocks: dict[str, Block] = {}
    for value in vars(module).values() if isinstance(module, ModuleType) else ():
        for block in [value] if isinstance(value, Block) else value.sections if isinstance(value, Document) else ():
            blocks.setdefault(block.name, block)
    return blocks


def _module_name(types: str, file: Path) -> str:
    """Return what a frozen file imports its module of types as.

    Raises:
        UsageError: It lies elsewhere.
    """
    if not names_file(types):
        return types
    path = fixed(types)
    if Path(os.path.realpath(path.parent)) != Path(os.path.realpath(file.parent)):
        raise UsageError(f"{typed(path)} is not beside {typed(file)}, which imports it; write that beside it")
    return path.stem


def _folder_seen_from(file: Path, folder: Path) -> str:
    """Return how a file names a folder so that `Agents.load` finds it: as seen from a folder above, else in full."""
    for above in file.parents:
        if folder.is_relative_to(above) and folder != above:
            seen = folder.relative_to(above)
            first = next((near for near in file.parents if (near / seen).is_dir()), None)
            return seen.as_posix() if first == above else str(folder)
    return str(folder)


def _drops_tools(agents: Agents[Any]) -> bool:
    """Return whether an agent's file names tools: the frozen file runs without them, as it was checked."""
    return any(agents[name].spec.without for name in agents)
