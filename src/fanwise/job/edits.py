"""What was edited since the last session of a run: which nodes, in words, and which arms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fanwise.engine.arms import Arm, statics
from fanwise.engine.described import tasks_before, tasks_of
from fanwise.journal.meta import EDITED, STATICS, MetaStore, Source
from fanwise.journal.records import ArmName


@dataclass(frozen=True, slots=True)
class Edits:
    """What is not what it was in the last session of a run."""

    words: str
    """Which nodes have been edited, in words: their answers do not hold any more. Empty where none has."""
    arms: tuple[ArmName, ...]
    """The arms whose graph is not what it was, those that are gone among them; one that is new is none."""


def edits_of(source: Source, arms: Mapping[ArmName, Arm]) -> Edits:
    """Return what was edited since the last session of a run; nothing where there was none.

    Args:
        source: Its journal.
        arms: Its arms as they are now.
    """
    before, present = STATICS.of(source), statics(arms)
    return Edits(_words(before, present), tuple(_edited_arms(before, present, tasks_before(source), tasks_of(arms))))


def keep_edited(journal: MetaStore, arms: Mapping[ArmName, Arm], at: float) -> None:
    """Keep since when agents are as they are that were edited since the last session, before that one is forgotten.

    Args:
        journal: Of the run.
        arms: Its arms as they are now.
        at: When this session has begun, in seconds since 1970.
    """
    before = STATICS.of(journal)
    edited = {
        f"{name} {node.role.agent}": at
        for name, arm in arms.items()
        for node in arm.agents()
        if before.get(f"{name} {node.node.path}", node.static) != node.static
    }
    if edited:
        EDITED.keep(journal, {**EDITED.of(journal), **edited})


def is_edited(source: Source, arms: Mapping[ArmName, Arm]) -> bool:
    """Return whether answers of a run do not hold any more, since what shapes them was edited.

    Args:
        source: The journal of the run; a run that has not begun has no answers.
        arms: Its arms as they are now.
    """
    before = STATICS.of(source)
    return bool(before) and before != statics(arms)


def _words(before: Mapping[str, str], present: Mapping[str, str]) -> str:
    if not before:
        return ""
    words = [f"{name} is new" for name in present if name not in before]
    words += [f"{name} has changed" for name, hash_ in present.items() if before.get(name, hash_) != hash_]
    words += [f"{name} is gone" for name in before if name not in present]
    return f"changed since the last session: {', '.join(words)}" if words else ""


def _edited_arms(
    before: Mapping[str, str],
    present: Mapping[str, str],
    graphs_before: Mapping[ArmName, Mapping[str, Any]],
    graphs: Mapping[ArmName, Mapping[str, Any]],
) -> Iterator[ArmName]:
    """Yield the arms whose graph is not what it was.

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
