"""A change that may be worth its while, before it is planned, and the graph that it makes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fanwise.graph.graphs import Graph
from fanwise.graph.nodes import GraphSpec, TaskNode
from fanwise.graph.spec import AgentSpec
from fanwise.ledger.advice import GraphChange


class ChangedGraph(Graph[..., Any]):
    """A graph whose traced form was changed; it takes the same rows."""

    def __init__(self, graph: Graph[..., Any], changed: GraphSpec) -> None:
        super().__init__(graph.fn, graph.name)
        self._changed = changed

    @property
    def spec(self) -> GraphSpec:
        """The changed form."""
        return self._changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate(GraphChange):
    """A change before it is planned, and the graph with it."""

    graph: GraphSpec


def agent_tasks(spec: GraphSpec) -> list[tuple[TaskNode, AgentSpec]]:
    """Return the tasks of agents, inner ones included, with the settings of each."""
    return [(node, node.target.spec) for node in spec.tasks() if node.target.spec is not None]
