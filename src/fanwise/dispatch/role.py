"""A role: one agent on one model on one arm. Whatever is learnt from replies is learnt of a role."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from fanwise.api.tools import SdkTool
from fanwise.journal.records import ArmName, RoleName
from fanwise.limits import pool
from fanwise.models import ModelFacts, facts

NO_TOOLS: Mapping[str, SdkTool | None] = {}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Role:
    """One agent on one model on one arm.

    Roles are told apart by identity: nothing is cheaper to look up. There is one for each agent, model and
    arm of a run, see `Roles`.
    """

    arm: ArmName
    agent: str
    """The agent's name."""
    model: str
    hash: str = ""
    """Of all that shapes its answers, whatever it is shown; empty for an agent that is gone since."""
    time_limit_s: float = 0.0
    """Seconds that one attempt may take."""
    tools: Mapping[str, SdkTool | None] = field(default_factory=lambda: NO_TOOLS)
    """By name; None for one of a server that is not connected."""
    tool_limits_s: Mapping[str, float] = field(default_factory=dict[str, float])
    """Seconds that one call of a tool may take, by its name, where it says so itself."""
    facts: ModelFacts = field(init=False)
    """What is known of its model."""
    pool: str = field(init=False)
    """The rate limits that its model shares with others."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "facts", facts(self.model))
        object.__setattr__(self, "pool", pool(self.model))

    def tool_limit_s(self, tool: str) -> float:
        """Return the seconds that one call of a tool may take."""
        return self.tool_limits_s.get(tool, self.time_limit_s)

    @property
    def name(self) -> RoleName:
        """What journals name it."""
        return RoleName(self.arm, self.agent, self.model)


class Roles:
    """The roles of a run, found by the names that its journal keeps."""

    def __init__(self, roles: Iterable[Role]) -> None:
        self._roles = {role.name: role for role in roles}

    def __iter__(self) -> Iterator[Role]:
        """Yield all roles, in the order of their arms and of their graphs."""
        return iter(self._roles.values())

    def named(self, name: RoleName) -> Role:
        """Return a role; one that an earlier session had and the graph has no more is made again, bare."""
        role = self._roles.get(name)
        if role is None:
            role = self._roles[name] = Role(**name._asdict())
        return role
