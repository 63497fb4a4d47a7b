"""Which stages of a graph travel in batches, where a deadline leaves time for so many rounds of them.

No path may have more batches than there is time for, and what is saved is to be most. That is the
heaviest family of chains in a partial order (Greene and Kleitman), and polynomial: each stage gets the
number of rounds that are over before and behind it, and numbers with such constraints are a closure of
greatest weight, found by a minimum cut.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from .dag import dag
from .nodes import GraphSpec

if TYPE_CHECKING:
    import networkx as nx

_Level = tuple[str, Literal["before", "behind"], int]
"""A stage, a side of it, and a number of rounds that are over on that side."""


def in_batches(spec: GraphSpec, savings: Mapping[str, int], rounds: int, start: str | None = None) -> frozenset[str]:
    """Return the agents' nodes that are best carried out in batches, by path.

    Args:
        spec: The graph.
        savings: What a batch saves on each node, in whatever unit; where it saves nothing it is live.
        rounds: Batches that there is time for, one after another.
        start: Only this node and what comes after it; None: all of them.
    """
    import networkx  # here, since it is dear to load: see `dag`

    nx: Any = networkx  # some of its algorithms have no types that a checker can read
    graph = dag(spec)
    if start is not None:
        graph = graph.subgraph({start} | nx.descendants(graph, start))
    agents = {name for name, data in graph.nodes(data=True) if data["kind"] == "agent"}
    return best_stages(graph, {name: savings.get(name, 0) if name in agents else 0 for name in graph}, rounds)


def best_stages(graph: nx.DiGraph[str], savings: Mapping[str, int], rounds: int) -> frozenset[str]:
    """Return the nodes of a DAG with the greatest sum of savings, of which no path has more than `rounds`."""
    import networkx  # here, since it is dear to load: see `dag`

    nx: Any = networkx
    worth = {name: saving for name, saving in savings.items() if saving > 0 and name in graph}
    if rounds < 1 or not worth:
        return frozenset()
    if nx.dag_longest_path_length(graph) < rounds:
        return frozenset(worth)
    cut = nx.DiGraph()
    for name in graph:
        for level in range(1, rounds + 1):
            _add_level(cut, name, level, worth.get(name, 0))
        for after in graph.successors(name):
            for level in range(1, rounds + 1):
                cut.add_edge((name, "behind", level), (after, "before", level))
    _, (reached, _) = nx.minimum_cut(cut, "gain", "cost")
    return frozenset(name for name in worth if _is_batch(name, rounds, reached))


def _add_level(cut: nx.DiGraph[Any], name: str, level: int, saving: int) -> None:
    """Add what it means that so many rounds are over before and behind a stage."""
    before: _Level = (name, "before", level)
    behind: _Level = (name, "behind", level)
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


def _is_batch(name: str, rounds: int, reached: set[_Level]) -> bool:
    """Return whether more rounds are over behind a stage than before it: then it has one of its own."""
    levels = range(1, rounds + 1)
    before = sum((name, "before", level) in reached for level in levels)
    behind = sum((name, "behind", level) in reached for level in levels)
    return behind > before
