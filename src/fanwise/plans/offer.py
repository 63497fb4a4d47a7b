"""What a task plan may name: agents, the row, blocks, and the names that are taken."""

from __future__ import annotations

import builtins
import inspect
import keyword
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from fanwise.blocks import Block
from fanwise.graph import types as ty
from fanwise.graph.agent import Agent
from fanwise.graph.agents import Agents

from .limits import PlanLimits

ROW, ITEM = "row", "item"
"""What the row and an item are called in references, and in the frozen file."""
NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
WORDS = ("Agent", "Agents", "Any", "TYPE_CHECKING", "agent", "each", "given", "graph", "when")
"""Imports of every frozen file."""
TAKEN = frozenset({ROW, ITEM, *WORDS, *keyword.kwlist, *keyword.softkwlist, *dir(builtins)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a plan is made of."""

    agents: Mapping[str, Agent[..., Any]] | Agents[Any]
    """By the names that a plan knows them by."""
    row: Any
    """Type of a row."""
    output: Any = ty.Unknown
    """Type that a row's output must have; any where nothing is said."""
    blocks: Mapping[str, Block] = field(default_factory=dict[str, Block])
    """Blocks by the names that a plan knows them by, for the context of its agents."""
    limits: PlanLimits = field(default_factory=PlanLimits)
    taken: Collection[str] = ()
    """Names that no task may have: those that the frozen file has besides."""

    def by_name(self) -> dict[str, Agent[..., Any]]:
        """Return the agents by their names, in their order."""
        return {name: self.agents[name] for name in self.agents}

    def agent(self, name: str) -> Agent[..., Any] | None:
        """Return an agent by its name, None where there is none."""
        if name not in self.agents:
            return None
        return self.agents[name]

    def needs(self, agent: Agent[..., Any]) -> tuple[str, ...]:
        """Return the parameters of an agent that have no default."""
        parameters = inspect.signature(agent.body).parameters
        return tuple(name for name in agent.spec.params if parameters[name].default is inspect.Parameter.empty)

    def fault_of_name(self, name: str) -> str:
        """Return why no task can be called so; empty where one can."""
        if not NAME.fullmatch(name):
            return f"is no name: {NAME.pattern}"
        if name in TAKEN or name in self.taken:
            return "is taken: by Python, or by what the file imports"
        return ""
