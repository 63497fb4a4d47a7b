"""The graph of a arm, with tokens and dollars on its tasks and on what travels between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from fanwise.graph.places import Passing, Spot, columns
from fanwise.journal.reader import Book
from fanwise.journal.records import ArmName
from fanwise.ledger.composition import Composition, tasks
from fanwise.ledger.tasks import NodeAccount, node_accounts
from fanwise.rendering.words import with_unknown

from .figures import compact, short, usd
from .vega import CARD, FAINT, INK, LINE, raw

BOX_W, BOX_H, GAP_X, GAP_Y = 168, 60, 124, 18
PORT = 20
"""Least distance of two edges at a task."""
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


def graph(db: Book, arm: ArmName, made: Composition) -> str | None:
    """Return the drawing as SVG, or None where the journal does not have the graph."""
    drawn = tasks(db).get(arm)
    if not drawn:
        return None
    nodes, edges = drawn["nodes"], [edge for edge in drawn["edges"] if edge[0] in drawn["nodes"]]
    layout = _layout(nodes, edges)
    paid = node_accounts(db, arm)
    lines = list(_edges(arm, edges, layout, made))
    return raw({
        "width": layout.width, "height": layout.height, "padding": 4,
        "data": [
            {"name": "nodes", "values": [_node(name, nodes[name], layout, paid.get(name)) for name in nodes]},
            {"name": "lines", "values": lines, "transform": [
                {"type": "linkpath", "orient": "horizontal", "shape": "diagonal", "sourceX": "x1", "sourceY": "y1",
                 "targetX": "x2", "targetY": "y2"}]},
            {"name": "ends", "values": [line for line in lines if line["ends"]]},
        ],
        "marks": _MARKS,
    })  # fmt: skip


def _layout(nodes: Mapping[str, Any], edges: list[Any]) -> _Layout:
    found, layout = columns(nodes, ((source, target) for source, target, _ in edges)), _Layout()
    ins, outs = Counter[str](edge[1] for edge in edges), Counter[str](edge[0] for edge in edges)

    def height(spot: Spot) -> float:
        return PORT if isinstance(spot, Passing) else max(BOX_H, PORT * (max(ins[spot], outs[spot]) + 1))

    heights = [sum(map(height, column)) + GAP_Y * (len(column) - 1) for column in found]
    layout.height, layout.width = max(heights, default=0.0), len(found) * (BOX_W + GAP_X) - GAP_X
    for index, column in enumerate(found):
        y = (layout.height - heights[index]) / 2
        for spot in column:
            layout.boxes[spot] = _Box(index * (BOX_W + GAP_X), y, height(spot))
            y += height(spot) + GAP_Y
    return layout


def _node(name: str, one: Mapping[str, Any], layout: _Layout, paid: NodeAccount | None) -> dict[str, Any]:
    box = layout.boxes[name]
    inside = "".join(f"{word} " for word in one["inside"])
    what = {"row": "of the row", "step": f"{inside}step"}.get(one["kind"], f"{inside}{one.get('model', '')}")
    told = ""
    if paid is not None:
        _, calls, tokens, cost, unknown = paid
        told = f"{calls:,} calls, {compact(tokens)}, {with_unknown(usd(cost), cost, unknown)}"
    return {
        "x": box.x, "y": box.y, "height": box.height, "middle": box.middle, "name": short(name, 24),
        "what": short(what, 26), "told": told, "fill": FILLS[one["kind"]],
        "full": f"{name}: {what}; {told or 'asks nobody'}",
    }  # fmt: skip


def _edges(arm: ArmName, edges: list[Any], layout: _Layout, made: Composition) -> Iterator[dict[str, Any]]:
    """Yield the lines of all edges: one from column to column, the last with its figures."""
    boxes = layout.boxes
    chains = {(source, target): _chain(source, target, layout) for source, target, _ in edges}
    leaving = _ports({edge: (edge[0], boxes[chain[1]].middle) for edge, chain in chains.items()}, boxes)
    coming = _ports({edge: (edge[1], boxes[chain[-2]].middle) for edge, chain in chains.items()}, boxes)
    for source, target, fields in edges:
        chain, flow = chains[source, target], made.edges.get((arm, source, target))
        told = "" if flow is None else f"{compact(flow.tokens)}, {usd(flow.cost) if flow.priced else 'unknown'}"
        full = f"{source} to {target}: {', '.join(fields)}; {told or 'not known'}"
        for place, (one, two) in enumerate(pairwise(chain)):
            ends = place == len(chain) - 2
            # An edge that passes over a column goes straight through it.
            start = boxes[one].x + BOX_W
            yield {
                "x1": start, "y1": leaving[source, target] if place == 0 else boxes[one].middle,
                "x2": boxes[two].x - (7 if ends else 0),
                "y2": coming[source, target] if ends else boxes[two].middle,
                "told": told, "wide": 1.0 if flow is None else flow.tokens, "full": full, "ends": ends,
            }  # fmt: skip
            if not ends:
                y = boxes[two].middle
                yield {
                    "x1": boxes[two].x, "y1": y, "x2": boxes[two].x + BOX_W, "y2": y, "told": "", "full": full,
                    "wide": 1.0 if flow is None else flow.tokens, "ends": False,
                }  # fmt: skip


def _chain(source: str, target: str, layout: _Layout) -> list[Spot]:
    over = [spot for spot in layout.boxes if isinstance(spot, Passing)]
    mine = [spot for spot in over if (spot.source, spot.target) == (source, target)]
    mine.sort(key=lambda spot: spot.column)
    return [source, *mine, target]


def _ports(
    edges: Mapping[tuple[str, str], tuple[str, float]], boxes: Mapping[Spot, _Box]
) -> dict[tuple[str, str], float]:
    """Return at which height each edge meets a task: in the order of their other ends."""
    found: dict[tuple[str, str], float] = {}
    by_node: dict[str, list[tuple[float, tuple[str, str]]]] = {}
    for edge, (node, other) in edges.items():
        by_node.setdefault(node, []).append((other, edge))
    for node, some in by_node.items():
        for place, (_, edge) in enumerate(sorted(some)):
            found[edge] = boxes[node].middle + PORT * (place - (len(some) - 1) / 2)
    return found


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
