"""What is to be said of the agent files of a graph: what was not read, and who runs without what."""

from __future__ import annotations

from collections.abc import Sequence

from .nodes import GraphSpec


def file_notes(spec: GraphSpec) -> tuple[str, ...]:
    """Return what of the agents' files was not read, or read otherwise, each remark once with its place."""
    notes = (note for node in spec.tasks() if node.target.spec is not None for note in node.target.spec.notes)
    return tuple(dict.fromkeys(map(str, notes)))


def tools_missing(spec: GraphSpec) -> dict[str, tuple[str, ...]]:
    """Return by agent the tools that its file names and that it runs without."""
    agents = (node.target.spec for node in spec.tasks() if node.target.spec is not None)
    return {agent.name: agent.without for agent in agents if agent.without}


def without_words(agent: str, tools: Sequence[str]) -> str:
    """Return the sentence that an agent runs without tools."""
    return f"agent {agent} runs without {', '.join(tools)}, which its file names"
