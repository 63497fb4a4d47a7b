"""A graph as a tree for the terminal, or as Mermaid, DOT or SVG text."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .dag import dag, generations, rounds
from .nodes import GraphSpec
from .tools import McpServer, Source


def tree(spec: GraphSpec, notes: Mapping[str, Sequence[str]] | None = None) -> str:
    """Return the tasks in order, each with exactly what it is shown.

    Args:
        spec: The graph.
        notes: More lines about nodes, by path.
    """
    graph = dag(spec)
    params = ", ".join(spec.params)
    lines = [f"{spec.name}({params})"]
    names = [name for generation in generations(spec) for name in generation]
    for index, name in enumerate(names):
        data: Any = graph.nodes[name]
        last = index == len(names) - 1
        node = data["node"]
        agent = node.target.spec
        title = f"step {name}" if agent is None else f"{name}  {agent.model}, at most {agent.max_tokens} tokens"
        inside = "".join(f"{word} " for word in data["inside"])
        lines.append(f"{'└─' if last else '├─'} {inside}{title}")
        bar = "   " if last else "│  "
        shown = [label if param not in node.blocks else f"{label} (block)" for param, label in data["shown"].items()]
        lines.append(f"{bar}   shown: {', '.join(shown) or 'nothing'}")
        if agent is not None and agent.context:
            lines.append(f"{bar}   context: {', '.join(block.name for block in agent.context)}")
        if agent is not None and agent.tools:
            lines.append(f"{bar}   tools: {', '.join(map(_tool, agent.tools))}, at most {agent.max_turns} requests")
        lines += [f"{bar}   {note}" for note in (notes or {}).get(name, ())]
    deep = rounds(spec)
    lines.append(f"{len(names)} tasks in the graph, {deep} batch round{'s' if deep != 1 else ''} deep")
    return "\n".join(lines)


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


def svg(spec: GraphSpec) -> str:
    """Return a drawing, one line of boxes per topological generation."""
    graph = dag(spec)
    rows = [[name for name, data in graph.nodes(data=True) if data["kind"] == "row"], *generations(spec)]
    width, step = max(240 * max(len(row) for row in rows), 300), 110
    place = {
        name: (round((index + 1) * width / (len(row) + 1)), 40 + level * step)
        for level, row in enumerate(rows)
        for index, name in enumerate(row)
    }
    font = 'font-family="sans-serif" font-size="13"'
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {step * len(rows)}" {font}>', _ARROW]
    for source, target, data in graph.edges(data=True):
        (x1, y1), (x2, y2) = place[source], place[target]
        line = f'<line x1="{x1}" y1="{y1 + 18}" x2="{x2}" y2="{y2 - 18}" stroke="#777" marker-end="url(#a)">'
        parts.append(f"{line}<title>{html.escape(', '.join(data['fields']))}</title></line>")
    for name, (x, y) in place.items():
        data: Any = graph.nodes[name]
        fill = {"agent": "#dbe9ff", "step": "#eeeeee", "row": "#fff3d1"}[data["kind"]]
        box = f'<rect x="{x - 95}" y="{y - 18}" width="190" height="36" rx="6" fill="{fill}" stroke="#777"/>'
        parts.append(f"<g><title>{html.escape(', '.join(data['shown'].values()))}</title>{box}")
        parts.append(f'<text x="{x}" y="{y + 4}" text-anchor="middle">{html.escape(name)}</text></g>')
    return "\n".join([*parts, "</svg>"])


FORMATS: dict[str, Callable[[GraphSpec], str]] = {"tree": tree, "mermaid": mermaid, "dot": dot, "svg": svg}
"""Every way to draw a graph, by the name of the format."""


def _tool(source: Source) -> str:
    return f"those of MCP server {source.name}" if isinstance(source, McpServer) else source.name
