"""The task DAG of a traced graph as a networkx graph; the only importer of networkx."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import networkx as nx

from .expr import gets
from .nodes import EachNode, GivenNode, GraphSpec, TaskNode, Template, parts, reads


def dag(spec: GraphSpec) -> nx.DiGraph[str]:
    """Return the DAG of tasks: nodes by path, an edge where an output is shown to a task.

    Node attributes: `kind` ("agent", "step" or "row"), `node` (the `TaskNode`, not on rows),
    `shown` (the fields in its slice, parameter to label), `inside` (how it is repeated or
    chosen, outermost first). Edge attributes: `fields`, the labels that travel, and `params`, the
    parameters that take them.
    """
    result: nx.DiGraph[str] = nx.DiGraph()
    origins: dict[int, set[str]] = {}
    for name, slot in spec.params.items():
        result.add_node(f"row {name}", kind="row", shown={}, inside=())
        origins[slot] = {f"row {name}"}
    _fill(result, spec.template, origins, set(), ())
    return result


def _fill(
    result: nx.DiGraph[str], template: Template, origins: dict[int, set[str]], outer: set[str], inside: tuple[str, ...]
) -> None:
    for node in template.nodes:
        sources = {source for expr in reads(node) for get in gets(expr) for source in origins.get(get.slot, set())}
        if isinstance(node, TaskNode):
            kind = "step" if node.target.spec is None else "agent"
            result.add_node(node.path, kind=kind, node=node, shown=dict(node.labels), inside=inside)
            for param, expr in node.args.items():
                for get in gets(expr):
                    for source in origins.get(get.slot, set()):
                        _edge(result, source, node.path, node.labels[param], param)
            for source in outer - sources:
                _edge(result, source, node.path, "condition")
            origins[node.slot] = {node.path}
            continue
        if isinstance(node, EachNode | GivenNode):
            origins[node.item] = sources
        made: set[str] = set(sources) if not parts(node) else set()
        word = {"EachNode": "each", "WhenNode": "when", "GivenNode": "given"}.get(type(node).__name__, "")
        for part in parts(node):
            _fill(result, part, origins, outer | (sources if word == "when" else set()), (*inside, word))
            made |= {source for get in gets(part.output) for source in origins.get(get.slot, set())}
        origins[node.slot] = made or sources


def _edge(result: nx.DiGraph[str], source: str, target: str, label: str, param: str | None = None) -> None:
    if not result.has_edge(source, target):
        result.add_edge(source, target, fields=[], params=[])
    data: Any = result.edges[source, target]
    for known, one in ((data["fields"], label), (data["params"], param)):
        if one is not None and one not in known:
            known.append(one)


def generations(spec: GraphSpec) -> list[list[str]]:
    """Return the topological generations of agent and step tasks, rows left out."""
    graph = dag(spec)
    graph.remove_nodes_from([name for name, data in graph.nodes(data=True) if data["kind"] == "row"])
    return [sorted(generation) for generation in nx.topological_generations(graph)]


def rounds(spec: GraphSpec) -> int:
    """Return the number of agents on the longest path: a row's batch rounds, since steps run at once."""
    graph = dag(spec)
    depth: dict[str, int] = {}
    for name in nx.topological_sort(graph):
        before = max((depth[source] for source in graph.predecessors(name)), default=0)
        depth[name] = before + (graph.nodes[name]["kind"] == "agent")
    return max(depth.values(), default=0)


def longest(spec: GraphSpec, weights: Mapping[str, float]) -> float:
    """Return the greatest sum of weights along a path of tasks, by node; what has none counts nothing."""
    graph, reached = dag(spec), dict[str, float]()
    for name in nx.topological_sort(graph):
        before = max((reached[source] for source in graph.predecessors(name)), default=0.0)
        reached[name] = before + weights.get(name, 0.0)
    return max(reached.values(), default=0.0)
