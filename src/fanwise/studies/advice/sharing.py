"""Long fields of the row that are no blocks: as blocks they stand in front, and a cache can have them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Annotated, Any

from fanwise.blocks import Block
from fanwise.graph.expr import AbsentError, Get, evaluate
from fanwise.graph.nodes import GraphSpec, TaskNode
from fanwise.graph.rewritten import ChangedTarget, rewritten

from .candidates import Candidate, agent_tasks

LEAST_CHARS = 1_000
"""Characters that a field has on average at least: no model caches what is shorter, but behind much else."""


def shares(spec: GraphSpec, rows: Sequence[dict[str, Any]]) -> Iterator[Candidate]:
    """Yield for each long text of the row that agents are shown as a value the graph that shows it as a block.

    Args:
        spec: The graph.
        rows: Some of its rows, as they stand in the file.
    """
    if len(spec.params) != 1:
        return
    for field, nodes in _readers(spec, next(iter(spec.params.values()))).items():
        texts = [text for text in (_text(field, row) for row in rows) if text is not None]
        is_repeated = len(nodes) > 1 or len(set(texts)) < len(texts)
        if texts and is_repeated and sum(map(len, texts)) / len(texts) >= LEAST_CHARS:
            yield _candidate(spec, nodes)


def _readers(spec: GraphSpec, slot: int) -> dict[Get, list[tuple[TaskNode, str]]]:
    """Return by text of the row the tasks that are shown it as a value, with the parameter."""
    readers: dict[Get, list[tuple[TaskNode, str]]] = {}
    for node, agent in agent_tasks(spec):
        if agent.packs or agent.examples:
            continue
        for param, expr in node.args.items():
            is_text = agent.params[param] is str and param not in node.blocks
            if is_text and isinstance(expr, Get) and expr.slot == slot and expr.path:
                readers.setdefault(expr, []).append((node, param))
    return readers


def _text(field: Get, row: dict[str, Any]) -> str | None:
    try:
        text = evaluate(field, lambda _: row)
    except AbsentError:
        return None
    return text if isinstance(text, str) else None


def _candidate(spec: GraphSpec, readers: Sequence[tuple[TaskNode, str]]) -> Candidate:
    params: dict[str, list[str]] = {}
    for node, param in readers:
        params.setdefault(node.path, []).append(param)
    first, param = readers[0]
    label = first.labels[param]
    agents = tuple(dict.fromkeys(node.target.name for node, _ in readers))

    def change(node: TaskNode) -> TaskNode:
        agent = node.target.spec
        if agent is None or node.path not in params:
            return node
        own: dict[str, Any] = dict.fromkeys(params[node.path], Annotated[str, Block])
        target = ChangedTarget(node.target, replace(agent, params={**agent.params, **own}))
        return replace(node, target=target, blocks={**node.blocks, **dict.fromkeys(own, label)})

    return Candidate(
        kind="share",
        agents=agents,
        params=tuple(f"{node.target.name}({param})" for node, param in readers),
        place=first.place,
        text=f"make {label} a block of the row, Annotated[str, Block]: {', '.join(agents)} "
        f"{'are' if len(agents) > 1 else 'is'} shown it as a value, which no cache has",
        basis="planned with the field as a block in front of the instructions, written once and read after",
        graph=rewritten(spec, change),
    )
