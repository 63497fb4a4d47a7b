"""How many tasks of a row read the same blocks of it from the cache: known before the first row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from fanwise.dispatch.role import Role
from fanwise.dispatch.row_blocks import Readers
from fanwise.graph.nodes import TaskNode

from .arms import Arm
from .nodes import AgentNode


def row_readers(arms: Iterable[Arm]) -> dict[tuple[Role, str], Readers]:
    """Return who reads what a node marks of its row, by role and path of the nodes that mark anything.

    Tasks that read the same have the same front: whatever keys the cache, and all that stands before.
    """
    fronts: dict[tuple[Role, str], str] = {}
    tasks, of_every_row = Counter[str](), set[tuple[Role, str]]()
    for arm in arms:
        outermost = {node.path for node in arm.graph.template.nodes if isinstance(node, TaskNode)}
        for path, node in arm.nodes.items():
            if isinstance(node, AgentNode) and node.shape.marked_row_blocks:
                front = fronts[node.role, path] = _front(node)
                tasks[front] += node.need.tasks
                if path in outermost:
                    of_every_row.add((node.role, path))
    return {place: Readers(tasks[front], place in of_every_row) for place, front in fronts.items()}


def _front(node: AgentNode) -> str:
    shape = node.shape
    before = [*(block for bundle in shape.bundles for block in bundle), *shape.media]
    schema = "" if shape.format is None else shape.schema_text
    return repr((*node.need.family, schema, [block.sha for block in before], shape.marked_row_blocks[0]))
