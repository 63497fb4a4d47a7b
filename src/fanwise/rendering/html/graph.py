"""The graph of an arm, with tokens and dollars on its tasks and on what travels between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from fanwise.graph.places import Passing, Spot, columns
from fanwise.ledger.composition import Flow
from fanwise.ledger.report import GraphAccount
from fanwise.rendering.words import with_unknown

from .figures import compact, pico_dollars, short
from .vega import CARD, FAINT, INK, LINE, vega_svg

BOX_W, BOX_H, GAP_X, GAP_Y = 168, 60, 124, 18
PORT = 20
"""Least distance of two edges at a task."""
ARROW = 7
"""Pixels that its head takes of an edge."""
UNKNOWN = Flow(tokens=1.0)
"""What travelled along an edge where that is not known: a thin line."""
FILLS = {"agent": "var(--agent)", "row": "var(--row)", "step": CARD}


@dataclass(frozen=True, slots=True)
class _Box:
    x: float
    y: float
    height: float

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


@dataclass(slots=True)
class _Layout:
    """Where everything stands, in pixels."""

    boxes: dict[Spot, _Box] = field(default_factory=dict[Spot, _Box])
    width: float = 0.0
    height: float = 0.0


def draw(graph: GraphAccount) -> str:
    """Return the drawing of a graph as SVG."""
    layout = _layout(graph)
    lines = list(_lines(graph, layout))
    return vega_svg({
        "width": layout.width, "height": layout.height, "padding": 4,
        "data": [
            {"name": "nodes", "values": [_node(graph, name, layout.boxes[name]) for name in graph.nodes]},
            {"name": "lines", "values": lines, "transform": [
                {"type": "linkpath", "orient": "horizontal", "shape": "diagonal", "sourceX": "x1", "sourceY": "y1",
                 "targetX": "x2", "targetY": "y2"}]},
            {"name": "ends", "values": [line for line in lines if line["ends"]]},
        ],
        "marks": _MARKS,
    })  # fmt: skip


def _layout(graph: GraphAccount) -> _Layout:
    layout, edges = _Layout(), graph.edges
    places = columns(graph.nodes, ((source, target) for source, target, _ in edges))
    ins, outs = Counter[str](edge[1] for edge in edges), Counter[str](edge[0] for edge in edges)

    def height(spot: Spot) -> float:
        return PORT if isinstance(spot, Passing) else max(BOX_H, PORT * (max(ins[spot], outs[spot]) + 1))

    heights = [sum(map(height, column)) + GAP_Y * (len(column) - 1) for column in places]
    layout.height, layout.width = max(heights, default=0.0), len(places) * (BOX_W + GAP_X) - GAP_X
    for index, column in enumerate(places):
        y = (layout.height - heights[index]) / 2
        for spot in column:
            layout.boxes[spot] = _Box(index * (BOX_W + GAP_X), y, height(spot))
            y += height(spot) + GAP_Y
    return layout


def _node(graph: GraphAccount, name: str, box: _Box) -> dict[str, Any]:
    """Return a task with what it took."""
    node, account = graph.nodes[name], graph.accounts.get(name)
    inside = "".join(f"{word} " for word in node["inside"])
    what = {"row": "of the row", "step": f"{inside}step"}.get(node["kind"], f"{inside}{node.get('model', '')}")
    cost = ""
    if account is not None:
        amount = with_unknown(pico_dollars(account.cost), account.cost, account.unknown)
        tokens = compact(account.tokens) if account.tokens or not account.unknown else "unknown"
        cost = f"{account.calls:,} calls, {tokens}, {amount}"
    return {
        "x": box.x, "y": box.y, "height": box.height, "middle": box.middle, "name": short(name, 24),
        "what": short(what, 26), "told": cost, "fill": FILLS[node["kind"]],
        "full": f"{name}: {what}; {cost or 'asks nobody'}",
    }  # fmt: skip


def _lines(graph: GraphAccount, layout: _Layout) -> Iterator[dict[str, Any]]:
    """Yield the lines of all edges: each from column to column, the last of an edge with its figures."""
    boxes = layout.boxes
    chains = {(source, target): _chain(source, target, layout) for source, target, _ in graph.edges}
    leaving = _ports({edge: (edge[0], boxes[chain[1]].middle) for edge, chain in chains.items()}, boxes)
    coming = _ports({edge: (edge[1], boxes[chain[-2]].middle) for edge, chain in chains.items()}, boxes)
    for source, target, fields in graph.edges:
        chain, flow = chains[source, target], graph.flows.get((source, target), UNKNOWN)
        looks = {
            "told": _figures(flow),
            "wide": flow.tokens,
            "full": f"{source} to {target}: {', '.join(fields)}; {_figures(flow) or 'not known'}",
        }
        heights = [leaving[source, target], *(boxes[spot].middle for spot in chain[1:-1]), coming[source, target]]
        for segment in _segments([boxes[spot] for spot in chain], heights):
            yield {**segment, **looks}


def _figures(flow: Flow) -> str:
    """Return what travelled along an edge; empty where that is not known."""
    return "" if flow is UNKNOWN else f"{compact(flow.tokens)}, {pico_dollars(flow.cost) if flow.priced else 'unknown'}"


def _segments(boxes: Sequence[_Box], heights: Sequence[float]) -> Iterator[dict[str, Any]]:
    """Yield an edge from column to column; one that it passes over it crosses straight.

    Args:
        boxes: What it starts at, what it passes over and where it ends, in order.
        heights: Where it meets each of them, in pixels.
    """
    for place, (left, right) in enumerate(pairwise(boxes)):
        ends = place == len(boxes) - 2
        yield {
            "x1": left.x + BOX_W, "y1": heights[place], "x2": right.x - (ARROW if ends else 0),
            "y2": heights[place + 1], "ends": ends,
        }  # fmt: skip
        if not ends:
            yield {"x1": right.x, "y1": right.middle, "x2": right.x + BOX_W, "y2": right.middle, "ends": False}


def _chain(source: str, target: str, layout: _Layout) -> list[Spot]:
    """Return what an edge starts at, where it passes over columns, and where it ends."""
    over = [spot for spot in layout.boxes if isinstance(spot, Passing)]
    passed = [spot for spot in over if (spot.source, spot.target) == (source, target)]
    passed.sort(key=lambda spot: spot.column)
    return [source, *passed, target]


Edge = tuple[str, str]
"""Source and target."""


def _ports(ends: Mapping[Edge, tuple[str, float]], boxes: Mapping[Spot, _Box]) -> dict[Edge, float]:
    """Return at which height each edge meets a task: in the order of where they come from or go to.

    Args:
        ends: By edge the task, and the height of what is at its far end.
        boxes: Where the tasks stand.
    """
    by_node: dict[str, list[tuple[float, Edge]]] = {}
    for edge, (node, far_height) in ends.items():
        by_node.setdefault(node, []).append((far_height, edge))
    ports: dict[Edge, float] = {}
    for node, edges in by_node.items():
        for place, (_, edge) in enumerate(sorted(edges)):
            ports[edge] = boxes[node].middle + PORT * (place - (len(edges) - 1) / 2)
    return ports


def _text(field_: str, dy: float, size: int, colour: str, weight: str = "normal") -> dict[str, Any]:
    return {
        "type": "text", "from": {"data": "nodes"}, "encode": {"enter": {
            "x": {"field": "x", "offset": BOX_W / 2}, "y": {"field": "middle", "offset": dy},
            "text": {"field": field_}, "align": {"value": "center"}, "fontSize": {"value": size},
            "fill": {"value": colour}, "font": {"value": "inherit"}, "fontWeight": {"value": weight}}},
    }  # fmt: skip


_MARKS: list[dict[str, Any]] = [
    {"type": "path", "from": {"data": "lines"}, "encode": {"enter": {
        "path": {"field": "path"}, "stroke": {"value": FAINT}, "fill": {"value": "none"},
        "strokeOpacity": {"value": 0.6}, "description": {"field": "full"},
        "strokeWidth": {"signal": "datum.wide > 1 ? min(1 + log(datum.wide) / 5, 5) : 1"}}}},
    {"type": "symbol", "from": {"data": "ends"}, "encode": {"enter": {
        "x": {"field": "x2", "offset": 2}, "y": {"field": "y2"}, "shape": {"value": "triangle-right"},
        "size": {"value": 60}, "fill": {"value": FAINT}}}},
    {"type": "rect", "from": {"data": "nodes"}, "encode": {"enter": {
        "x": {"field": "x"}, "y": {"field": "y"}, "width": {"value": BOX_W}, "height": {"field": "height"},
        "cornerRadius": {"value": 8}, "description": {"field": "full"}, "stroke": {"value": LINE},
        "fill": {"field": "fill"}}}},
    _text("name", -10, 14, INK, "bold"),
    _text("what", 6, 12, FAINT),
    _text("told", 22, 12, INK),
    {"type": "text", "from": {"data": "ends"}, "encode": {"enter": {
        "x": {"field": "x2", "offset": -3}, "y": {"field": "y2", "offset": -5}, "text": {"field": "told"},
        "align": {"value": "right"}, "fontSize": {"value": 11}, "fill": {"value": INK}, "font": {"value": "inherit"}}}},
]  # fmt: skip
