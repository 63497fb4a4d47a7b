"""What agents a folder has: signature, model, tools, and what their calls have cost in a run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

from fanwise.engine.load import load_module
from fanwise.graph import types as ty
from fanwise.graph.agent import Agent
from fanwise.graph.agents import Agents
from fanwise.paths import fixed
from fanwise.plans.rostertext import in_one_line
from fanwise.units import usd_text

from .report import report_by


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidCalls:
    """The requests of one agent on one model in a run."""

    count: int = 0
    """Of which the price is known."""
    pico: int = 0
    """What they have cost, in picodollars."""

    @property
    def pico_each(self) -> int | None:
        """Picodollars of a call on average, rounded; None where none was made."""
        return round(Fraction(self.pico, self.count)) if self.count else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterEntry:
    """One agent of a folder."""

    agent: Agent[..., Any]
    calls: PaidCalls | None
    """None where no run was named."""

    @property
    def signature(self) -> str:
        """What it takes and answers, as it would be written in Python."""
        spec = self.agent.spec
        params = ", ".join(f"{name}: {ty.name(tp)}" for name, tp in spec.params.items())
        return f"{spec.name}({params}) -> {ty.name(spec.output)}"

    @property
    def description(self) -> str:
        """What it is for, in one line."""
        return in_one_line(self.agent.spec.description)

    def data(self) -> dict[str, Any]:
        """Return it as JSON-ready data; a price is None where it is not known."""
        spec = self.agent.spec
        price = None if self.calls is None else self.calls.pico_each
        return {
            "agent": spec.name, "parameters": {name: ty.name(tp) for name, tp in spec.params.items()},
            "output": ty.name(spec.output), "model": spec.model,
            "calls": None if self.calls is None else self.calls.count, "price_of_a_call_usd": usd_text(price),
            "tools": [source.name for source in spec.tools], "without": list(spec.without),
            "description": self.description, "place": spec.place,
        }  # fmt: skip


def load_types(reference: str | None) -> ModuleType | tuple[()]:
    """Return the module in which agent files' names of types are looked up; nothing where none is named.

    Raises:
        UsageError: There is no such file or module, or it cannot be read.
        GraphFileError: It has raised.
    """
    return () if reference is None else load_module(reference)


def load_agents(folder: str | Path, types: ModuleType | tuple[()], inherit: str | None = None) -> Agents[Any]:
    """Return the agents of a folder, without the tools that their files name.

    Raises:
        DefinitionError: Files cannot be used; all mistakes of all of them.
        UsageError: There is no such folder, or no agent in it.
    """
    return Agents.load(fixed(folder), inherit=inherit, missing_tools="drop", types=types)


def roster(agents: Agents[Any], run: str | Path | None = None) -> list[RosterEntry]:
    """Return the agents of a folder in the order of their names.

    Args:
        agents: The agents.
        run: A run directory, by which calls are priced: those of agents of the same name on the same model.

    Raises:
        RunDirectoryError: It is no run directory, or its run never began.
    """
    paid = None if run is None else _paid_calls(run)
    return [
        RosterEntry(
            agent=agents[name], calls=None if paid is None else paid.get((name, agents[name].spec.model), PaidCalls())
        )
        for name in sorted(agents)
    ]


def _paid_calls(run: str | Path) -> Mapping[tuple[str, str], PaidCalls]:
    """Return the calls of the fan-out by agent and model."""
    counts, sums = defaultdict[tuple[str, str], int](int), defaultdict[tuple[str, str], int](int)
    for group in report_by(run, "side", "agent", "tier"):
        side, agent, model = map(str, group.names)
        if side == "fanout":
            counts[agent, model] += group.attempts - group.unknown
            sums[agent, model] += group.cost
    return {key: PaidCalls(count=counts[key], pico=sums[key]) for key in counts}
