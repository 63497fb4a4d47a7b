"""What each agent of a graph is sent, in tokens: what is cached and with whom, and what is sent to others too."""

from __future__ import annotations

from collections.abc import Sequence

from fanwise.blocks import Block
from fanwise.canonical import dumps
from fanwise.context.sizes import Sizes
from fanwise.context.tail import fence
from fanwise.models import facts

from .plan import NodePlan, SidePlan


def shown(plan: SidePlan) -> dict[str, list[str]]:
    """Return lines for people about every agent's requests, by path of its node.

    The values of a row are not known here.
    """
    nodes = [node for node in plan.nodes.values() if node.spec is not None]
    return {node.node.path: [*_tokens(node, nodes), *_twice(node, nodes)] for node in nodes}


def _tokens(node: NodePlan, nodes: Sequence[NodePlan]) -> list[str]:
    assert node.spec is not None and node.shape is not None and node.need is not None
    shape, spec, sizes = node.shape, node.spec, node.need.sizes
    parts: list[str] = []
    total = sizes.tokens(dumps(dict(shape.format)), spec.model) if shape.format is not None else 0
    behind: list[tuple[tuple[Block, ...], int]] = [
        (bundle, _size(bundle, spec.model, sizes)) for bundle in shape.bundles
    ]
    own = _size(shape.own, spec.model, sizes) + sizes.tokens(spec.instructions, spec.model)
    if behind and total:
        behind[0] = (behind[0][0], behind[0][1] + total)
    elif not behind:
        own += total
    fresh = 0 if shape.own_marked else own
    cached = behind + ([(shape.own, own)] if shape.own_marked else [])
    if sum(size for _, size in cached) < facts(spec.model).cache_minimum:
        fresh, cached = fresh + sum(size for _, size in cached), []
    for index, (_, size) in enumerate(cached):
        others = [other.node.path for other in nodes if other is not node and _shares(node, other, index)]
        parts.append(f"{size:,} cached" + (f" with {', '.join(others)}" if others else ""))
    if fresh:
        parts.append(f"{fresh:,} fresh")
    if shape.way == "tail":
        parts.append(f"{sizes.tokens(dumps(dict(node.need.schema)), spec.model):,} of schema fresh")
    marked = list(shape.row_blocks[: shape.shared_row_blocks])
    parts += [f"{name} cached for the row" for name in marked]
    return [f"tokens: {', '.join(parts)}, and the values"]


def _size(blocks: Sequence[Block], model: str, sizes: Sizes) -> int:
    return sum(sizes.tokens(fence(block.name, block.text), model) for block in blocks)


def _shares(node: NodePlan, other: NodePlan, index: int) -> bool:
    """Return whether two nodes have their prefixes in common up to and with a level."""
    assert node.shape is not None and node.need is not None
    if other.shape is None or other.need is None or node.need.family != other.need.family:
        return False
    same = node.shape.format == other.shape.format
    mine, theirs = node.shape.bundles[: index + 1], other.shape.bundles[: index + 1]
    return same and len(mine) == index + 1 and mine == theirs


def _twice(node: NodePlan, nodes: Sequence[NodePlan]) -> list[str]:
    """Return which blocks and fields of a slice other agents are sent too."""
    found: dict[str, list[str]] = {}
    for name in _slice(node):
        others = [other.node.path for other in nodes if other is not node and name in _slice(other)]
        if others:
            found.setdefault(", ".join(others), []).append(name)
    if not found:
        return []
    return ["sent again: " + "; ".join(f"{', '.join(names)} to {others}" for others, names in found.items())]


def _slice(node: NodePlan) -> list[str]:
    assert node.need is not None
    return [*(block.name for block in node.need.context), *node.node.labels.values()]
