"""Where the tasks of a graph stand when it is drawn: a column for each generation, few crossings.

An edge that passes over a column has a place in it too, so that it crosses no task (the layered method
of Sugiyama, Tagawa and Toda, 1981, with medians by turns from both sides).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import fmean

SWEEPS = 6


@dataclass(frozen=True, slots=True)
class Passing:
    """Where an edge passes over a column."""

    source: str
    target: str
    column: int


Spot = str | Passing


@dataclass(slots=True)
class _Neighbours:
    """Spots that an edge joins: to each its neighbours in the column before, and in the one after."""

    before: dict[Spot, list[Spot]] = field(default_factory=dict[Spot, list[Spot]])
    after: dict[Spot, list[Spot]] = field(default_factory=dict[Spot, list[Spot]])

    def join(self, chain: Iterable[Spot]) -> None:
        """Note the spots of an edge, from its source to its target."""
        for left, right in pairwise(chain):
            self.after.setdefault(left, []).append(right)
            self.before.setdefault(right, []).append(left)


def columns(nodes: Iterable[str], edges: Iterable[tuple[str, str]]) -> list[list[Spot]]:
    """Return what stands in every column, from top to bottom: names of nodes, and edges that pass.

    Args:
        nodes: Names.
        edges: Pairs of source and target; they form no circle, and those of unknown nodes are left out.
    """
    import networkx as nx  # here, since it is dear to load: see `dag`

    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(nodes)
    graph.add_edges_from((source, target) for source, target in edges if source in graph and target in graph)
    placed: list[list[Spot]] = [list(generation) for generation in nx.topological_generations(graph)]
    neighbours = _pass_edges(placed, graph.edges())
    order = {spot: _height(index, column) for column in placed for index, spot in enumerate(column)}
    for sweep in range(SWEEPS):
        if sweep % 2 == 0:
            for column in placed:
                _sort(column, neighbours.before, order)
        else:
            for column in reversed(placed):
                _sort(column, neighbours.after, order)
    return placed


def _pass_edges(placed: list[list[Spot]], edges: Iterable[tuple[str, str]]) -> _Neighbours:
    """Give every edge a place in each column that it passes over; return which spots edges join."""
    level: dict[Spot, int] = {name: index for index, column in enumerate(placed) for name in column}
    neighbours = _Neighbours()
    for source, target in edges:
        passings = [Passing(source, target, index) for index in range(level[source] + 1, level[target])]
        for passing in passings:
            placed[passing.column].append(passing)
        neighbours.join([source, *passings, target])
    return neighbours


def _height(index: int, column: list[Spot]) -> float:
    """Return how high a place in a column stands, so that the middles of all columns are equal."""
    return index - (len(column) - 1) / 2


def _sort(column: list[Spot], neighbours: Mapping[Spot, list[Spot]], order: dict[Spot, float]) -> None:
    """Put each spot into the middle of its neighbours."""
    middle = {spot: fmean([order[neighbour] for neighbour in neighbours.get(spot, [spot])]) for spot in column}
    column.sort(key=lambda spot: middle[spot])
    order.update({spot: _height(index, column) for index, spot in enumerate(column)})
