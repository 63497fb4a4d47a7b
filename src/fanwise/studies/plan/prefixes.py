"""The tree of prefixes that rows share: tokens, who shares them, writes, reads and what that comes to. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from fanwise.canonical import canonical, digest
from fanwise.engine.arms import Arm
from fanwise.engine.levels import levels
from fanwise.journal.records import ArmName
from fanwise.ledger.forecast import PrefixNode


def prefix_tree(plan: Arm, calls: Mapping[tuple[ArmName, str], int]) -> list[PrefixNode]:
    """Return the prefixes of a arm, those that stand first at the top.

    Args:
        plan: The arm.
        calls: Requests by arm and agent.
    """
    roots: list[PrefixNode] = []
    told: set[tuple[int, str]] = set()
    for node in plan.agents():
        count = calls.get((plan.name, node.spec.name), 0)
        here = roots
        for level in levels(node):
            key = digest(canonical([node.need.family, level.texts]))
            found = next((one for one in here if one.key == key), None)
            if found is None:
                found = PrefixNode(blocks=level.names, key=key, tokens=level.tokens, model=node.spec.model)
                here.append(found)
            if (id(found), node.spec.name) not in told:  # a repeated call of an agent is counted with it
                told.add((id(found), node.spec.name))
                found.agents.append(node.spec.name)
                found.calls += count
            here = found.inner
    return [one for one in roots if one.calls]
