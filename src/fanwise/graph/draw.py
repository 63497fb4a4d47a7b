"""A graph as a tree for the terminal, or as Mermaid, DOT or SVG text."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .dag import dag, generations, rounds
from .nodes import GraphSpec, TaskNode
from .settings import settings_data, settings_of, told
from .tools import McpServer, Source


def tree(spec: GraphSpec, notes: Mapping[str, Sequence[str]] | None = None) -> str:
    """Return the tasks in order, each with exactly what it is shown.

    Args:
        spec: The graph.
        notes: More lines about nodes, by path.
    """
    graph = dag(spec)
    lines = [f"{spec.name}({', '.join(spec.params)})"]
    names = [name for generation in generations(spec) for name in generation]
    for name in names:
        first, bar = ("└─", "   ") if name == names[-1] else ("├─", "│  ")
        title, *details = _task_lines(name, graph.nodes[name])
        lines.append(f"{first} {title}")
        lines += [f"{bar}   {detail}" for detail in (*details, *(notes or {}).get(name, ()))]
    depth = rounds(spec)
    lines.append(f"{len(names)} tasks in the graph, {depth} batch round{'s' if depth != 1 else ''} deep")
    return "\n".join(lines)


def _task_lines(name: str, data: Mapping[str, Any]) -> list[str]:
    """Return a task's title, and what it is shown and may use."""
    node: TaskNode = data["node"]
    agent = node.target.spec
    title = f"step {name}" if agent is None else f"{name}  {agent.model}"
    shown = [label if param not in node.blocks else f"{label} (block)" for param, label in data["shown"].items()]
    lines = [" ".join((*data["inside"], title)), f"shown: {', '.join(shown) or 'nothing'}"]
    if agent is not None and agent.context:
        lines.append(f"context: {', '.join(block.name for block in agent.context)}")
    if agent is not None and agent.examples:
        lines.append(f"{len(agent.examples)} example{'s' if len(agent.examples) != 1 else ''}")
    if agent is not None and agent.tools:
        lines.append(f"tools: {', '.join(map(_tool, agent.tools))}")
    if agent is not None and agent.without:
        lines.append(f"without: {', '.join(agent.without)}")
    if agent is not None:
        lines.append(f"settings: {told(settings_of(agent))}")
    return lines


def listing(spec: GraphSpec) -> dict[str, Any]:
    """Return the tasks in order with what each is shown and the settings of its agent, as JSON-ready data."""
    graph = dag(spec)
    names = [name for generation in generations(spec) for name in generation]
    tasks = [_task_data(name, graph.nodes[name]) for name in names]
    said = {"graph": spec.name, "params": list(spec.params), "tasks": tasks, "batch_rounds": rounds(spec)}
    return {**said, "task_plan": spec.task_plan} if spec.task_plan else said


def _task_data(name: str, data: Mapping[str, Any]) -> dict[str, Any]:
    node: TaskNode = data["node"]
    agent = node.target.spec
    task = {"task": name, "kind": data["kind"], "inside": list(data["inside"]), "shown": data["shown"],
            "row_blocks": list(dict.fromkeys(node.blocks.values()))}  # fmt: skip
    if agent is None:
        return task
    return task | {
        "agent": agent.name, "model": agent.model, "context": [block.name for block in agent.context],
        "examples": len(agent.examples), "tools": [source.name for source in agent.tools],
        "settings": settings_data(settings_of(agent)),
    }  # fmt: skip


def mermaid(spec: GraphSpec) -> str:
    """Return a Mermaid flow chart."""
    graph = dag(spec)
    ids = {name: f"n{index}" for index, name in enumerate(graph)}
    lines = ["flowchart TD"]
    for name, data in graph.nodes(data=True):
        left, right = {"agent": ("(", ")"), "step": ("[", "]"), "row": ("([", "])")}[data["kind"]]
        lines.append(f'  {ids[name]}{left}"{_mermaid(name)}"{right}')
    for source, target, data in graph.edges(data=True):
        lines.append(f'  {ids[source]} -->|"{_mermaid(", ".join(data["fields"]))}"| {ids[target]}')
    return "\n".join(lines)


def _mermaid(text: str) -> str:
    return html.escape(text, quote=True).replace("#", "#35;").replace("&#35;", "#")


def dot(spec: GraphSpec) -> str:
    """Return a Graphviz DOT graph."""

    def quote(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    graph = dag(spec)
    lines = [f"digraph {quote(spec.name)} {{", "  rankdir=TB;"]
    for name, data in graph.nodes(data=True):
        shape = {"agent": "ellipse", "step": "box", "row": "cylinder"}[data["kind"]]
        lines.append(f"  {quote(name)} [shape={shape}];")
    for source, target, data in graph.edges(data=True):
        lines.append(f"  {quote(source)} -> {quote(target)} [label={quote(', '.join(data['fields']))}];")
    return "\n".join([*lines, "}"])


_ARROW = (
    '<defs><marker id="a" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0 0L8 4L0 8z" fill="#777"/></marker></defs>'
)


_FONT = 'font-family="sans-serif" font-size="13"'
_ROW_HEIGHT = 110
_FILLS = {"agent": "#dbe9ff", "step": "#eeeeee", "row": "#fff3d1"}


def svg(spec: GraphSpec) -> str:
    """Return a drawing, one line of boxes per topological generation."""
    graph = dag(spec)
    levels = [[name for name, data in graph.nodes(data=True) if data["kind"] == "row"], *generations(spec)]
    width = max(240 * max(len(level) for level in levels), 300)
    place = {
        name: (round((index + 1) * width / (len(level) + 1)), 40 + number * _ROW_HEIGHT)
        for number, level in enumerate(levels)
        for index, name in enumerate(level)
    }
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {_ROW_HEIGHT * len(levels)}" {_FONT}>'
    arrows = [
        _svg_arrow(place[source], place[target], data["fields"]) for source, target, data in graph.edges(data=True)
    ]
    boxes = [_svg_box(name, middle, graph.nodes[name]) for name, middle in place.items()]
    return "\n".join([head, _ARROW, *arrows, *boxes, "</svg>"])


def _svg_arrow(source: tuple[int, int], target: tuple[int, int], fields: Sequence[str]) -> str:
    """Return an arrow between the middles of two boxes, titled with the fields that travel."""
    (x1, y1), (x2, y2) = source, target
    line = f'<line x1="{x1}" y1="{y1 + 18}" x2="{x2}" y2="{y2 - 18}" stroke="#777" marker-end="url(#a)">'
    return f"{line}<title>{html.escape(', '.join(fields))}</title></line>"


def _svg_box(name: str, middle: tuple[int, int], data: Mapping[str, Any]) -> str:
    """Return a box with the name of a task or a row, titled with what it is shown."""
    x, y = middle
    title = f"<title>{html.escape(', '.join(data['shown'].values()))}</title>"
    box = (
        f'<rect x="{x - 95}" y="{y - 18}" width="190" height="36" rx="6" fill="{_FILLS[data["kind"]]}" stroke="#777"/>'
    )
    text = f'<text x="{x}" y="{y + 4}" text-anchor="middle">{html.escape(name)}</text>'
    return f"<g>{title}{box}\n{text}</g>"


FORMATS: dict[str, Callable[[GraphSpec], str]] = {"tree": tree, "mermaid": mermaid, "dot": dot, "svg": svg}
"""Every way to draw a graph, by the name of the format."""


def _tool(source: Source) -> str:
    """Return a tool as the tree names it."""
    return f"those of MCP server {source.name}" if isinstance(source, McpServer) else source.name
