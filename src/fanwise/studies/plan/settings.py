"""How the agents of a job are asked, as a plan tells it."""

from __future__ import annotations

from collections.abc import Iterator

from fanwise.engine.arms import Arm
from fanwise.graph.settings import Setting, settings_of
from fanwise.ledger.forecast import PlannedSettings


def agent_settings(arm: Arm) -> Iterator[PlannedSettings]:
    """Yield the settings of an arm's agents, in the order of the graph; those of an agent that are equal once."""
    tasks: dict[tuple[str, tuple[Setting, ...]], list[str]] = {}
    for node in arm.agents():
        tasks.setdefault((node.spec.name, settings_of(node.spec)), []).append(node.node.path)
    for (agent, settings), paths in tasks.items():
        yield PlannedSettings(arm=arm.name, agent=agent, tasks=tuple(paths), settings=settings)
