"""What each agent of a graph is sent, in tokens: what is cached and with whom, and what is sent to others too."""

from __future__ import annotations

from collections.abc import Sequence

from .arms import AgentNode, Arm
from .levels import common_tokens, levels, tokens


def shown(arm: Arm) -> dict[str, list[str]]:
    """Return lines for people about every agent's requests, by path of its node.

    The values of a row are not known here.
    """
    nodes = arm.agents()
    return {node.node.path: [*_tokens(node, nodes), *_twice(node, nodes)] for node in nodes}


def _tokens(node: AgentNode, nodes: Sequence[AgentNode]) -> list[str]:
    shape, cached, parts = node.shape, levels(node), list[str]()
    for index, level in enumerate(cached):
        others = [other.node.path for other in nodes if other is not node and _shares(node, other, index)]
        parts.append(f"{level.tokens:,} cached" + (f" with {', '.join(others)}" if others else ""))
    fresh = common_tokens(node) - sum(level.tokens for level in cached)
    if fresh:
        parts.append(f"{fresh:,} fresh")
    if shape.way == "tail":
        parts.append(f"{tokens(node, [shape.schema_text]):,} of schema fresh")
    parts += [f"{name} cached for the row" for name in shape.marked_row_blocks]
    return [f"tokens: {', '.join(parts)}, and the values"]


def _shares(node: AgentNode, other: AgentNode, index: int) -> bool:
    """Return whether two nodes have their prefixes in common up to and with a level."""
    mine, theirs = levels(node)[: index + 1], levels(other)[: index + 1]
    return node.need.family == other.need.family and mine == theirs


def _twice(node: AgentNode, nodes: Sequence[AgentNode]) -> list[str]:
    """Return which blocks and fields of a slice other agents are sent too."""
    found: dict[str, list[str]] = {}
    for name in _slice(node):
        others = [other.node.path for other in nodes if other is not node and name in _slice(other)]
        if others:
            found.setdefault(", ".join(others), []).append(name)
    if not found:
        return []
    return ["sent again: " + "; ".join(f"{', '.join(names)} to {others}" for others, names in found.items())]


def _slice(node: AgentNode) -> list[str]:
    return [*(block.name for block in node.need.context), *node.node.labels.values()]
