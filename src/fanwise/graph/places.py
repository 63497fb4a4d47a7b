"""Where the tasks of a graph stand when it is drawn: a column for each generation, few crossings.

An edge that passes over a column has a place in it too, so that it crosses no task (the layered method
of Sugiyama, Tagawa and Toda, 1981, with medians by turns from both sides).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

import networkx as nx

SWEEPS = 6


@dataclass(frozen=True, slots=True)
class Passing:
    """Where an edge passes over a column."""

    source: str
    target: str
    column: int


Spot = str | Passing


def columns(nodes: Iterable[str], edges: Iterable[tuple[str, str]]) -> list[list[Spot]]:
    """Return what stands in every column, from top to bottom: names of nodes, and edges that pass.

    Args:
        nodes: Names.
        edges: Pairs of source and target; they form no circle, and those of unknown nodes are left out.
    """
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(nodes)
    graph.add_edges_from((source, target) for source, target in edges if source in graph and target in graph)
    found: list[list[Spot]] = [list(generation) for generation in nx.topological_generations(graph)]
    level: dict[Spot, int] = {name: index for index, column in enumerate(found) for name in column}
    before: dict[Spot, list[Spot]] = {}
    after: dict[Spot, list[Spot]] = {}
    for source, target in graph.edges():
        over = [Passing(source, target, index) for index in range(level[source] + 1, level[target])]
        for one in over:
            found[one.column].append(one)
        chain: list[Spot] = [source, *over, target]
        for one, two in pairwise(chain):
            after.setdefault(one, []).append(two)
            before.setdefault(two, []).append(one)
    order = {spot: _at(place, column) for column in found for place, spot in enumerate(column)}
    for sweep in range(SWEEPS):
        forth = sweep % 2 == 0
        for column in found if forth else reversed(found):
            _sort(column, before if forth else after, order)
    return found


def _at(place: int, column: list[Spot]) -> float:
    """Return a place in a column, so that the middles of all columns are equal."""
    return place - (len(column) - 1) / 2


def _sort(column: list[Spot], neighbours: Mapping[Spot, list[Spot]], order: dict[Spot, float]) -> None:
    """Put each into the middle of its neighbours."""
    middle = {spot: fmean([order[one] for one in neighbours.get(spot, [spot])]) for spot in column}
    column.sort(key=lambda spot: middle[spot])
    order.update({spot: _at(place, column) for place, spot in enumerate(column)})
