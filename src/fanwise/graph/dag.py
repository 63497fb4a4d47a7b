"""The task DAG of a traced graph as a networkx graph.

networkx is imported where it is used first, here and in `places` and `stages`: it is a tenth of the time in which the
program starts, and most commands never draw or measure a graph.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from .expr import Expr, gets
from .nodes import EachNode, GivenNode, GraphSpec, Node, TaskNode, Template, WhenNode, parts, reads

if TYPE_CHECKING:
    import networkx as nx

_WORDS: dict[type[Node], str] = {EachNode: "each", WhenNode: "when", GivenNode: "given"}
"""What a user writes for a node that has nodes inside."""


def dag(spec: GraphSpec) -> nx.DiGraph[str]:
    """Return the DAG of tasks: nodes by path, an edge where an output is shown to a task.

    Node attributes: `kind` ("agent", "step" or "row"), `node` (the `TaskNode`, not on rows),
    `shown` (the fields in its slice, parameter to label), `inside` (how it is repeated or
    chosen, outermost first). Edge attributes: `fields`, the labels that travel, and `params`, the
    parameters that take them.
    """
    import networkx as nx

    graph: nx.DiGraph[str] = nx.DiGraph()
    origins: dict[int, set[str]] = {}
    for name, slot in spec.params.items():
        graph.add_node(f"row {name}", kind="row", shown={}, inside=())
        origins[slot] = {f"row {name}"}
    _Builder(graph, origins).add_template(spec.template, set(), ())
    return graph


def tasks_before(spec: GraphSpec) -> dict[str, set[str]]:
    """Return by path of a task all that what it is shown depends on, directly or not: tasks by path, and rows."""
    import networkx as nx

    graph, ancestors = dag(spec), cast("Any", nx.ancestors)
    return {path: ancestors(graph, path) for path in graph}


class _Builder:
    """Adds the tasks of templates to a DAG, and the edges to them."""

    def __init__(self, graph: nx.DiGraph[str], origins: dict[int, set[str]]) -> None:
        self._graph = graph
        self._origins = origins
        """Tasks and rows that the value in a slot comes from."""

    def add_template(self, template: Template, conditions: set[str], inside: tuple[str, ...]) -> None:
        """Add all tasks of a template.

        Args:
            template: Nodes in topological order.
            conditions: Tasks and rows on which it depends whether the template runs at all.
            inside: How it is repeated or chosen, outermost first.
        """
        for node in template.nodes:
            sources = self._sources(*reads(node))
            if isinstance(node, TaskNode):
                self._add_task(node, conditions - sources, inside)
            else:
                self._add_bodies(node, sources, conditions, inside)

    def _sources(self, *exprs: Expr) -> set[str]:
        """Return the tasks and rows that expressions read."""
        return {source for expr in exprs for get in gets(expr) for source in self._origins.get(get.slot, ())}

    def _add_task(self, node: TaskNode, conditions: set[str], inside: tuple[str, ...]) -> None:
        kind = "step" if node.target.spec is None else "agent"
        self._graph.add_node(node.path, kind=kind, node=node, shown=dict(node.labels), inside=inside)
        for param, expr in node.args.items():
            for get in gets(expr):
                for source in self._origins.get(get.slot, ()):
                    self._add_edge(source, node.path, node.labels[param], param)
        for source in conditions:
            self._add_edge(source, node.path, "condition")
        self._origins[node.slot] = {node.path}

    def _add_bodies(self, node: Node, sources: set[str], conditions: set[str], inside: tuple[str, ...]) -> None:
        """Add what is inside of a node; its value comes from there, or from what it reads where nothing is inside."""
        if isinstance(node, EachNode | GivenNode):
            self._origins[node.item] = sources
        if isinstance(node, WhenNode):
            conditions = conditions | sources
        outputs: set[str] = set()
        for part in parts(node):
            self.add_template(part, conditions, (*inside, _WORDS[type(node)]))
            outputs |= self._sources(part.output)
        self._origins[node.slot] = outputs or sources

    def _add_edge(self, source: str, target: str, label: str, param: str | None = None) -> None:
        if not self._graph.has_edge(source, target):
            self._graph.add_edge(source, target, fields=[], params=[])
        edge: Any = self._graph.edges[source, target]
        if label not in edge["fields"]:
            edge["fields"].append(label)
        if param is not None and param not in edge["params"]:
            edge["params"].append(param)


def generations(spec: GraphSpec) -> list[list[str]]:
    """Return the topological generations of agent and step tasks, rows left out."""
    import networkx as nx

    graph = dag(spec)
    graph.remove_nodes_from([name for name, data in graph.nodes(data=True) if data["kind"] == "row"])
    return [sorted(generation) for generation in nx.topological_generations(graph)]


def rounds(spec: GraphSpec) -> int:
    """Return the number of agents on the longest path: a row's batch rounds, since steps run at once."""
    return max(_agents_by_round(spec), default=0)


def side_by_side(spec: GraphSpec) -> int:
    """Return the most agents that stand in one round of a row."""
    return max(_agents_by_round(spec).values(), default=0)


def independent_parts(spec: GraphSpec) -> int:
    """Return how many groups of agents are connected by nothing but the row and a last step over what they made."""
    import networkx as nx

    graph, library = dag(spec), cast("Any", nx)
    nodes: Any = graph.nodes
    kinds = {name: nodes[name]["kind"] for name in graph}
    last = [name for name, kind in kinds.items() if kind == "step" and not list(graph.successors(name))]
    graph.remove_nodes_from([*last, *(name for name, kind in kinds.items() if kind == "row")])
    groups = library.weakly_connected_components(graph)
    return sum(any(kinds[name] == "agent" for name in group) for group in groups)


def longest_path(spec: GraphSpec, weights: Mapping[str, float]) -> float:
    """Return the greatest sum of weights along a path of tasks, by node; what has none counts nothing."""
    return _longest_path(dag(spec), weights)


class AnswersBehind(NamedTuple):
    """Whether agents stand behind a task."""

    shown: bool
    """Whether what it is shown comes from agents, by way of steps too."""
    listed: bool
    """Whether it is in an `each` that depends on what agents outside of it answer."""


def answers_behind(spec: GraphSpec) -> dict[str, AnswersBehind]:
    """Return by path whether what agents answer goes into the task of an agent, and how often it is asked."""
    import networkx as nx

    graph, library = dag(spec), cast("Any", nx)  # its types are known in part
    nodes: Any = graph.nodes
    behind: dict[str, AnswersBehind] = {}
    for name in graph:
        if nodes[name]["kind"] == "agent":
            agents = [path for path in library.ancestors(graph, name) if nodes[path]["kind"] == "agent"]
            inside = nodes[name]["inside"]
            outer = any(len(nodes[path]["inside"]) < len(inside) for path in agents)
            behind[name] = AnswersBehind(bool(agents), "each" in inside and outer)
    return behind


def _agents_by_round(spec: GraphSpec) -> Counter[int]:
    """Return the number of agents by the round in which they are asked, from 1."""
    graph = dag(spec)
    agents = {name: 1 for name, data in graph.nodes(data=True) if data["kind"] == "agent"}
    lengths = _path_lengths(graph, agents)
    return Counter(round(lengths[name]) for name in agents)


def _longest_path(graph: nx.DiGraph[str], weights: Mapping[str, float]) -> float:
    return max(_path_lengths(graph, weights).values(), default=0.0)


def _path_lengths(graph: nx.DiGraph[str], weights: Mapping[str, float]) -> dict[str, float]:
    """Return the greatest sum of weights along a path to each node, its own among them."""
    import networkx as nx

    lengths: dict[str, float] = {}
    for name in nx.topological_sort(graph):
        before = max((lengths[source] for source in graph.predecessors(name)), default=0.0)
        lengths[name] = before + weights.get(name, 0.0)
    return lengths
