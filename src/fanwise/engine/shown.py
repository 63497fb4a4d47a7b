"""What each agent of a graph is sent, in tokens: what is cached and with whom, and what is sent to others too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .arms import Arm
from .levels import PrefixLevel, common_tokens, levels, tokens
from .nodes import AgentNode


def request_lines(arm: Arm) -> dict[str, list[str]]:
    """Return lines for people about every agent's requests, by path of its node.

    The values of a row are not known here.
    """
    nodes = arm.agents()
    cached = {node.node.path: levels(node) for node in nodes}
    return {node.node.path: [_tokens(node, nodes, cached), *_twice(node, nodes)] for node in nodes}


def _tokens(node: AgentNode, nodes: Sequence[AgentNode], cached: Mapping[str, Sequence[PrefixLevel]]) -> str:
    """Return the line that says how many tokens of a node's requests are cached, with whom, and how many are not."""
    parts: list[str] = []
    for index, level in enumerate(cached[node.node.path]):
        readers = _readers(node, nodes, cached, index + 1)
        parts.append(f"{level.tokens:,} cached" + (f" with {', '.join(readers)}" if readers else ""))
    fresh = common_tokens(node) - sum(level.tokens for level in cached[node.node.path])
    if fresh:
        parts.append(f"{fresh:,} fresh")
    if node.shape.way == "tail":
        parts.append(f"{tokens(node, [node.shape.schema_text]):,} of schema fresh")
    parts += [f"{name} cached for the row" for name in node.shape.marked_row_blocks]
    return f"tokens: {', '.join(parts)}, and the values"


def _readers(
    node: AgentNode, nodes: Sequence[AgentNode], cached: Mapping[str, Sequence[PrefixLevel]], depth: int
) -> list[str]:
    """Return the other nodes that have their first levels in common with a node, so many of them."""
    front = cached[node.node.path][:depth]
    return [
        reader.node.path
        for reader in nodes
        if reader is not node and reader.need.family == node.need.family and cached[reader.node.path][:depth] == front
    ]


def _twice(node: AgentNode, nodes: Sequence[AgentNode]) -> list[str]:
    """Return which blocks and fields of a slice other agents are sent too."""
    by_receivers: dict[str, list[str]] = {}
    for name in _slice(node):
        receivers = [receiver.node.path for receiver in nodes if receiver is not node and name in _slice(receiver)]
        if receivers:
            by_receivers.setdefault(", ".join(receivers), []).append(name)
    groups = "; ".join(f"{', '.join(names)} to {receivers}" for receivers, names in by_receivers.items())
    return [f"sent again: {groups}"] if groups else []


def _slice(node: AgentNode) -> list[str]:
    return [*(block.name for block in node.need.context), *node.node.labels.values()]
