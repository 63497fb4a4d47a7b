"""Which stages of a graph travel in batches, where a deadline leaves time for so many rounds of them.

No path may have more batches than there is time for, and what is saved is to be most. That is the
heaviest family of chains in a partial order (Greene and Kleitman), and polynomial: each stage gets the
number of rounds that are over before and behind it, and numbers with such constraints are a closure of
greatest weight, found by a minimum cut.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import networkx as nx

from .dag import dag
from .nodes import GraphSpec

_nx: Any = nx
"""Some of its algorithms have no types that a checker can read."""
_Level = tuple[str, str, int]
"""A stage, `before` or `behind`, and a number of rounds that it has reached."""


def in_batches(spec: GraphSpec, savings: Mapping[str, int], rounds: int, start: str | None = None) -> frozenset[str]:
    """Return the agents' nodes that are best carried out in batches, by path.

    Args:
        spec: The graph.
        savings: What a batch saves on each node, in whatever unit; where it saves nothing it is live.
        rounds: Batches that there is time for, one after another.
        start: Only this node and what comes after it; None: all of them.
    """
    graph = dag(spec)
    if start is not None:
        graph = graph.subgraph({start} | _nx.descendants(graph, start))
    agents = {name for name, data in graph.nodes(data=True) if data["kind"] == "agent"}
    return chosen(graph, {name: max(savings.get(name, 0), 0) if name in agents else 0 for name in graph}, rounds)


def chosen(graph: nx.DiGraph[str], savings: Mapping[str, int], rounds: int) -> frozenset[str]:
    """Return the nodes of a DAG with the greatest sum of savings, of which no path has more than `rounds`."""
    worth = {name: saving for name, saving in savings.items() if saving > 0}
    if rounds < 1 or not worth:
        return frozenset()
    if nx.dag_longest_path_length(graph) < rounds:
        return frozenset(worth)
    cut: nx.DiGraph[Any] = nx.DiGraph()
    for name in graph:
        for level in range(1, rounds + 1):
            _level(cut, name, level, worth.get(name, 0))
        for after in graph.successors(name):
            for level in range(1, rounds + 1):
                cut.add_edge((name, "behind", level), (after, "before", level))
    if "gain" not in cut:
        return frozenset()
    _, (reached, _) = _nx.minimum_cut(cut, "gain", "cost")
    heights = {name: [sum((name, side, k) in reached for k in range(1, rounds + 1)) for side in ("before", "behind")]
               for name in worth}  # fmt: skip
    return frozenset(name for name, (before, behind) in heights.items() if behind > before)


def _level(cut: nx.DiGraph[Any], name: str, level: int, saving: int) -> None:
    """Add what it means that so many rounds are over before and behind a stage."""
    before, behind = (name, "before", level), (name, "behind", level)
    cut.add_edge(before, behind)  # an edge without capacity: whoever has reached the first must have reached the second
    if level > 1:
        cut.add_edge(before, (name, "before", level - 1))
        cut.add_edge(behind, (name, "behind", level - 1))
    if saving:
        cut.add_edge("gain", behind, capacity=saving)
        cut.add_edge(before, "cost", capacity=saving)
        if level > 1:
            cut.add_edge(behind, (name, "before", level - 1))
    else:
        cut.add_edge(behind, before)
