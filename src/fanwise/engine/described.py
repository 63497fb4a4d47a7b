"""What each agent of a run is, for the journal: so that two runs can be told apart later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fanwise.canonical import canonical, digest
from fanwise.context.compose import context_chars
from fanwise.context.shape import Need
from fanwise.graph.dag import dag
from fanwise.graph.likeness import likeness
from fanwise.graph.schema import as_object_schema
from fanwise.journal.meta import AGENTS, BLOCKS, BLOCKS_BEHIND, LAYOUTS, OUTPUT, SLICES, TASKS, WITHOUT, Source
from fanwise.journal.port import Journal
from fanwise.journal.records import ArmName, BlockRecord

from .arms import Arm
from .nodes import AgentNode


def describe(journal: Journal, arms: Mapping[ArmName, Arm]) -> None:
    """Keep in the journal what the account and a comparison with another run need to know of the graphs."""
    for block in {block for arm in arms.values() for node in arm.agents() for block in node.need.context}:
        journal.add_block(BlockRecord(block.sha, block.name, block.text))
    for block in _instructions(arms):
        journal.add_block(block)
    SLICES.keep(journal, _slices(arms))
    AGENTS.keep(journal, {name: {node.spec.name: _agent(node) for node in arm.agents()} for name, arm in arms.items()})
    shared = [node.composer.shared_blocks for arm in arms.values() for node in arm.agents()]
    BLOCKS.keep(journal, BLOCKS.of(journal) | {blocks.key: list(blocks.blocks) for blocks in shared})
    behind = {blocks.key: blocks.behind for blocks in shared if blocks.behind}
    if behind:
        BLOCKS_BEHIND.keep(journal, BLOCKS_BEHIND.of(journal) | behind)
    LAYOUTS.keep(journal, {name: _layouts(arm) for name, arm in arms.items()})
    OUTPUT.keep(journal, likeness(arms["fanout"].graph.output_type))
    TASKS.keep(journal, tasks_of(arms))


def _layouts(arm: Arm) -> dict[str, list[str]]:
    """Return by agent the keys of what its nodes' requests have in common."""
    layouts: dict[str, list[str]] = {}
    for node in arm.agents():
        layouts.setdefault(node.spec.name, []).append(node.composer.shared_blocks.key)
    return layouts


def _agent(node: AgentNode) -> dict[str, Any]:
    """Return what shapes the requests of an agent; texts by hash."""
    spec, shape = node.spec, node.shape
    layout = [
        [[block.name for block in bundle] for bundle in shape.bundles], shape.own_marked, shape.row_first,
        list(shape.row_blocks), shape.way,
    ]  # fmt: skip
    described = {
        "model": spec.model,
        "instructions": digest(spec.instructions),
        "context": {block.name: block.sha for block in spec.context},
        "fields": list(node.node.labels.values()),
        "schema": digest(canonical(as_object_schema(spec.output, spec.schema))),
        "max_tokens": spec.max_tokens,
        "thinking": spec.intensity.thinking,
        "effort": spec.intensity.effort,
        "tools": digest(node.need.tools) if node.need.tools else "",
        "layout": digest(canonical(layout)),
    }
    if spec.examples:
        described["examples"] = digest(canonical([example.content for example in spec.examples]))
    return {**described, WITHOUT: list(spec.without)} if spec.without else described


def tasks_of(arms: Mapping[ArmName, Arm]) -> dict[ArmName, dict[str, Any]]:
    """Return by arm its tasks and what travels between them, as the account has them."""
    return {name: _tasks(arm) for name, arm in arms.items()}


def tasks_before(source: Source) -> dict[ArmName, dict[str, Any]]:
    """Return the same as the last session of a run has noted it."""
    return TASKS.of(source)


def _tasks(arm: Arm) -> dict[str, Any]:
    """Return the tasks of an arm and what travels between them, for the account.

    Returns:
        `nodes` by path with kind, agent, model, how they are repeated, the characters of what all their
        requests have in common (`instructions`, schema and tools among them, and `context`), and by
        parameter where its value comes from; `edges` as source, target and fields.
    """
    graph = dag(arm.graph)
    nodes: dict[str, Any] = {}
    for path, data in graph.nodes(data=True):
        nodes[path] = {"kind": data["kind"], "inside": list(data["inside"])}
        node = arm.nodes.get(path)
        if isinstance(node, AgentNode):
            edges = list(graph.in_edges(path, data=True))
            params = {
                param: [source for source, _, edge in edges if param in edge["params"]]
                for param in sorted(node.node.args)
            }
            nodes[path] |= {"agent": node.spec.name, "model": node.spec.model, **_common(node), "params": params}
    edges = [[source, target, list(edge["fields"])] for source, target, edge in graph.edges(data=True)]
    return {"nodes": nodes, "edges": edges}


def _common(node: AgentNode) -> dict[str, int]:
    """Return the characters of what all requests of a node have in common."""
    own = len(node.instructions) + len(node.shape.schema_text) + len(node.need.tools)
    return {"instructions": own, "context": context_chars(node.need, node.shape)}


def _instructions(arms: Mapping[ArmName, Arm]) -> Iterator[BlockRecord]:
    """Yield the instructions of all agents as blocks."""
    for arm in arms.values():
        for node in arm.agents():
            spec = node.spec
            yield BlockRecord(digest(spec.instructions), f"instructions of {spec.name}", spec.instructions)


def _slices(arms: Mapping[ArmName, Arm]) -> dict[str, dict[str, list[str]]]:
    """Return what each agent is shown, for the report: the names of fields and blocks."""
    slices: dict[str, dict[str, list[str]]] = {}
    for arm_name, arm in arms.items():
        for node in arm.agents():
            shown = slices.setdefault(f"{arm_name} {node.spec.name}", {"fields": [], "blocks": []})
            for kind, names in (("fields", node.node.labels.values()), ("blocks", _names(node.need))):
                shown[kind] += [name for name in names if name not in shown[kind]]
    return slices


def _names(need: Need) -> list[str]:
    return [block.name for block in need.context]
