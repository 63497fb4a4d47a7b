"""How many tasks of a row read the same blocks of it from the cache: known before the first row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from fanwise.dispatch.role import Role

from .arms import Arm
from .nodes import AgentNode


def row_readers(arms: Iterable[Arm]) -> dict[tuple[Role, str], int]:
    """Return how many tasks of a row read what a node marks of it, by role and path of the nodes that mark anything.

    Tasks that read the same have the same front: whatever keys the cache, and all that stands before.
    """
    fronts: dict[tuple[Role, str], str] = {}
    tasks = Counter[str]()
    for arm in arms:
        for path, node in arm.nodes.items():
            if isinstance(node, AgentNode) and node.shape.marked_row_blocks:
                front = fronts[node.role, path] = _front(node)
                tasks[front] += node.need.tasks
    return {place: tasks[front] for place, front in fronts.items()}


def _front(node: AgentNode) -> str:
    shape = node.shape
    before = [*(block for bundle in shape.bundles for block in bundle), *shape.media]
    schema = "" if shape.format is None else shape.schema_text
    return repr((*node.need.family, schema, [block.sha for block in before], shape.marked_row_blocks[0]))
