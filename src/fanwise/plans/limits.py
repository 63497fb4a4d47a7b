"""PlanLimits of a task plan: what it may come to for one row, at worst."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fanwise.errors import Mistake
from fanwise.graph.agent import Agent
from fanwise.units import usd_text

from .taskplan import PlannedTask

MOST_TASKS = 100
"""Where nobody says another limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLimits:
    """Each None where there is none."""

    tasks: int | None = MOST_TASKS
    width: int | None = None
    """Items that a task may be run for."""
    depth: int | None = None
    """Tasks that may wait for each other in a chain: rounds, where they travel in batches."""
    calls: int | None = None
    """Requests of a row at worst: every item, and every round of tools."""
    pico: int | None = None
    """Picodollars of a row at worst."""
    call_pico: Mapping[str, int] = field(default_factory=dict[str, int])
    """Picodollars of one request at worst, by agent; a price that is missing is not known, and over any limit."""


@dataclass(frozen=True, slots=True)
class LimitedTask:
    """A task whose agent is there, with its depth."""

    task: PlannedTask
    agent: Agent[..., Any]
    depth: int


def limit_mistakes(limits: PlanLimits, tasks: Mapping[int, LimitedTask], count: int) -> Iterator[Mistake]:
    """Yield where a plan is over a limit.

    Args:
        limits: The limits.
        tasks: By their number in the plan.
        count: How many tasks the plan has.
    """
    if limits.tasks is not None and count > limits.tasks:
        yield Mistake("tasks", f"has {count:,} tasks, more than {limits.tasks:,}")
    for number, limited in tasks.items():
        if limits.depth is not None and limited.depth > limits.depth:
            text = f"stands {limited.depth:,} deep, and {limits.depth:,} is the most"
            yield Mistake(f"tasks[{number}]", f"{limited.task.name!r} {text}")
        if limited.task.over is not None:
            yield from _width(limits, limited.task, f"tasks[{number}].most")
    yield from _worst_case(limits, list(tasks.values()))


def _width(limits: PlanLimits, task: PlannedTask, place: str) -> Iterator[Mistake]:
    """Yield where a task may run for too many items."""
    is_bounded = limits.width is not None or limits.calls is not None or limits.pico is not None
    if task.most is None and is_bounded:
        yield Mistake(place, f"{task.name!r} runs for a list of any length", "give most")
    elif task.most is not None and limits.width is not None and task.most > limits.width:
        yield Mistake(place, f"{task.most:,} is more than {limits.width:,}, the most items")


def _worst_case(limits: PlanLimits, tasks: list[LimitedTask]) -> Iterator[Mistake]:
    """Yield where the requests or the dollars of a row may be too many; what has no bound is told elsewhere."""
    if any(limited.task.over is not None and limited.task.most is None for limited in tasks):
        return
    calls = [(limited, _calls(limited)) for limited in tasks]
    total = sum(count for _, count in calls)
    if limits.calls is not None and total > limits.calls:
        yield Mistake("tasks", f"may take {total:,} requests a row, more than {limits.calls:,}")
    if limits.pico is None:
        return
    unpriced = sorted({limited.task.agent for limited in tasks} - set(limits.call_pico))
    if unpriced:
        yield Mistake("tasks", f"may cost any sum: no price is known of {', '.join(unpriced)}")
        return
    worst = sum(count * limits.call_pico[limited.task.agent] for limited, count in calls)
    if worst > limits.pico:
        yield Mistake("tasks", f"may cost ${usd_text(worst)} a row, more than ${usd_text(limits.pico)}")


def _calls(limited: LimitedTask) -> int:
    return limited.agent.spec.most_requests * (1 if limited.task.over is None else limited.task.most or 1)
