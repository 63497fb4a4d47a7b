"""The tree of prefixes that rows share: tokens, who shares them, writes, reads and what that comes to. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fanwise.canonical import canonical, digest
from fanwise.engine.levels import levels
from fanwise.engine.plan import Arm
from fanwise.journal.records import ArmName
from fanwise.pricing.rates import known_rates
from fanwise.units import now


@dataclass(slots=True)
class PrefixNode:
    """Blocks behind those of the node above, with a breakpoint behind them."""

    blocks: tuple[str, ...]
    key: str
    """Hash of what they hold and of all else that keys the cache."""
    tokens: int
    """Of these blocks."""
    model: str
    agents: list[str] = field(default_factory=list[str])
    calls: int = 0
    """Requests of all rows that begin with it."""
    inner: list[PrefixNode] = field(default_factory=list["PrefixNode"])

    def dollars(self) -> tuple[int, int] | None:
        """Return what its tokens cost written once and read after, and what they would cost plain.

        Picodollars at the live price; None where no price is known.
        """
        rate = known_rates(self.model, now())
        if rate is None:
            return None
        reads = max(self.calls - 1, 0)
        return self.tokens * (rate.write_5m + rate.read * reads), self.tokens * rate.input * self.calls


def prefix_tree(plan: Arm, calls: Mapping[tuple[ArmName, str], int]) -> list[PrefixNode]:
    """Return the prefixes of a arm, those that stand first at the top.

    Args:
        plan: The arm.
        calls: Requests by arm and agent.
    """
    roots: list[PrefixNode] = []
    told: set[tuple[int, str]] = set()
    for node in plan.nodes.values():
        if node.spec is None or node.need is None:
            continue
        count = calls.get((plan.arm, node.spec.name), 0)
        here = roots
        for level in levels(node):
            key = digest(canonical([node.need.family, level.texts]))
            found = next((one for one in here if one.key == key), None)
            if found is None:
                found = PrefixNode(level.names, key, level.tokens, node.spec.model)
                here.append(found)
            if (id(found), node.spec.name) not in told:  # a repeated call of an agent is counted with it
                told.add((id(found), node.spec.name))
                found.agents.append(node.spec.name)
                found.calls += count
            here = found.inner
    return [one for one in roots if one.calls]
