"""The tree of prefixes that rows share: tokens, who shares them, writes, reads and what that comes to. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from fanwise.canonical import canonical, digest
from fanwise.engine.arms import Arm
from fanwise.engine.levels import levels
from fanwise.journal.records import RoleName
from fanwise.ledger.forecast import PrefixNode


def prefix_tree(arm: Arm, calls: Mapping[RoleName, int]) -> list[PrefixNode]:
    """Return the prefixes of an arm, those that stand first at the top.

    Args:
        arm: The arm.
        calls: Requests by role.
    """
    roots: list[PrefixNode] = []
    for node in arm.agents():
        agent, siblings = node.spec, roots
        for level in levels(node):
            key = digest(canonical([node.need.family, level.texts]))
            prefix = next((sibling for sibling in siblings if sibling.key == key), None)
            if prefix is None:
                prefix = PrefixNode(blocks=level.names, key=key, tokens=level.tokens, model=agent.model)
                siblings.append(prefix)
            if agent.name not in prefix.agents:  # a repeated call of an agent is counted with it
                prefix.agents.append(agent.name)
                prefix.calls += calls.get(node.role.name, 0)
            siblings = prefix.inner
    return [root for root in roots if root.calls]
