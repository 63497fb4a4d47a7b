"""What was edited between two sessions of a run: which nodes, in words, and which arms. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fanwise.journal.records import ArmName


def changes(before: Mapping[str, str], present: Mapping[str, str]) -> str:
    """Return which nodes have been edited since the session before, in words: their answers do not hold any more."""
    if not before:
        return ""
    words = [f"{name} is new" for name in present if name not in before]
    words += [f"{name} has changed" for name, hash_ in present.items() if before.get(name, hash_) != hash_]
    words += [f"{name} is gone" for name in before if name not in present]
    return f"changed since the last session: {', '.join(words)}" if words else ""


def edited_arms(
    before: Mapping[str, str],
    present: Mapping[str, str],
    graphs_before: Mapping[ArmName, Mapping[str, Any]],
    graphs: Mapping[ArmName, Mapping[str, Any]],
) -> Iterator[ArmName]:
    """Yield the arms whose graph is not what it was, those that are gone among them; one that is new is none.

    Args:
        before: Hash of what shapes the answers of every node, by arm and path, of the session before.
        present: The same of this session.
        graphs_before: By arm the tasks and what travels between them, as `engine.described` has noted them.
        graphs: The same of this session.
    """
    for arm in dict.fromkeys(name.partition(" ")[0] for name in before):
        if _of_arm(arm, before) != _of_arm(arm, present) or _flow(graphs_before.get(arm)) != _flow(graphs.get(arm)):
            yield arm


def _of_arm(arm: ArmName, statics: Mapping[str, str]) -> dict[str, str]:
    return {name: hash_ for name, hash_ in statics.items() if name.partition(" ")[0] == arm}


def _flow(graph: Mapping[str, Any] | None) -> Any:
    """Return what travels from where to where, how nodes are repeated or chosen; None where there is no graph."""
    if graph is None:
        return None
    nodes = {path: (node["inside"], node.get("params")) for path, node in graph["nodes"].items()}
    return nodes, graph["edges"]
