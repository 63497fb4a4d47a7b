"""Agents settled as tasks, the best met first, each behind those that it reads: so there are no circles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fanwise.graph import types as ty
from fanwise.graph.fits import fits

from .choosing import GiveChooser, Joined, JoinRule
from .offer import ROW, Offer
from .order import needed_for
from .references import parse
from .sources import BY_CHANCE, BY_TYPE, Source, meets, row_sources, sources
from .taskchecks import TaskCheck
from .taskplan import PlannedTask

WAITS, WAITS_FOR_NEEDED, WAITS_FOR_NOTHING = range(3)
"""For what an agent waits that another one promises: for every parameter, for those without a default, for none."""


class Settling:
    """The tasks that the agents of an offer can be, under one rule."""

    def __init__(self, offer: Offer, rule: JoinRule) -> None:
        self._offer = offer
        self._sources = row_sources(offer.row)
        self._choosers = {name: _chooser(offer, name, rule) for name in offer.agents}
        self._left = list(self._choosers)
        self._are_held: dict[str, bool] = {}
        self._promises: dict[tuple[str, str, str], int | None] = {}
        self.tasks: dict[str, PlannedTask] = {}
        """By their names, each behind those that it reads."""
        self.types: dict[str, Any] = {ROW: offer.row}
        self.joined: dict[str, Joined] = {}

    def run(self) -> None:
        """Settle every agent that can be, one at a time: its answer may meet another one better than what there is."""
        while self._left:
            held = set(self._held())
            joined = {name: self._choosers[name].joined(self._sources, held) for name in self._left}
            ready = [name for name in self._left if not joined[name].missing]
            if not ready:
                return
            name = min(ready, key=lambda name: (self._level(name, joined[name]), joined[name].ranks[:1]))
            self._left.remove(name)
            self._settle(name, joined[name])

    def unjoined(self) -> dict[str, tuple[str, ...]]:
        """Return the agents that are no task, with the parameters for which there is nothing."""
        return {name: self._choosers[name].joined(self._sources, ()).missing for name in self._left}

    def shown(self) -> str:
        """Return what there is, in words."""
        return ", ".join(f"{source.text} ({ty.name(source.tp)})" for source in self._sources)

    def reads(self) -> dict[str, list[str]]:
        """Return for each task the tasks that it reads."""
        return {name: [base for base in _bases(task) if base in self.tasks] for name, task in self.tasks.items()}

    def needed(self, name: str) -> list[str]:
        """Return a task and all that it reads, directly or not, in order."""
        needed = needed_for(name, self.reads())
        return [task for task in self.tasks if task in needed]

    def by_chance(self, name: str) -> int:
        """Return how many parameters of a task are met by no more than that something fits."""
        return self.joined[name].ranks.count(BY_CHANCE)

    # One agent ---------------------------------------------------------------------------------

    def _level(self, name: str, joined: Joined) -> int:
        """Return the least patient level at which an agent waits for nothing."""
        agent = self._offer.agents[name]
        needs = self._offer.needs(agent)
        waiting = [param for param in agent.spec.params if self._is_promised(name, param, joined)]
        if not waiting:
            return WAITS
        return WAITS_FOR_NOTHING if any(param in needs for param in waiting) else WAITS_FOR_NEEDED

    def _is_promised(self, name: str, param: str, joined: Joined) -> bool:
        """Return whether an agent that is no task yet would meet a parameter better."""
        met = joined.meetings.get(param)
        rank = BY_TYPE + 1 if met is None else met.rank
        for other in self._left:
            key = (name, param, other)
            if key not in self._promises:
                output = self._offer.agents[other].spec.output
                self._promises[key] = self._choosers[name].promised(param, other, output)
            promise = self._promises[key]
            if other != name and promise is not None and promise < rank:
                return True
        return False

    def _settle(self, name: str, joined: Joined) -> None:
        """Make a task of an agent, unless the check of tasks finds a mistake in it."""
        agent = self._offer.agents[name]
        task = joined.task(task_name(name, self._offer, self.tasks), name)
        check = TaskCheck(number=len(self.tasks), task=task, offer=self._offer, types=self.types)
        check.run()
        if check.mistakes:
            return
        self.tasks[task.name], self.types[task.name], self.joined[task.name] = task, check.output, joined
        names = {name, task.name, agent.name}
        order = len(self.tasks)
        self._sources += sources(task.name, check.output, names, order, is_loop=task.over is not None)

    def _held(self) -> Iterator[str]:
        """Yield the lists that an agent takes as they are, by the same name or the same type."""
        for source in self._sources:
            if source.text not in self._are_held:
                self._are_held[source.text] = self._is_held(source)
            if self._are_held[source.text]:
                yield source.text

    def _is_held(self, source: Source) -> bool:
        if ty.unclear(source.tp) or ty.item_type(ty.without_none(source.tp)) is None:
            return False
        params = [pair for name in self._offer.agents for pair in self._offer.agents[name].spec.params.items()]
        ranks = [meets(source, param, tp) for param, tp in params if not fits(str, tp)]
        return any(rank is not None and rank <= BY_TYPE for rank in ranks)


def _chooser(offer: Offer, name: str, rule: JoinRule) -> GiveChooser:
    agent = offer.agents[name]
    return GiveChooser(agent, offer.needs(agent), rule)


def _bases(task: PlannedTask) -> list[str]:
    """Return what the references of a task begin with."""
    texts = [give.reference for give in task.gives] + ([] if task.over is None else [task.over])
    return list(dict.fromkeys(parse(text).name for text in texts))


def task_name(agent: str, offer: Offer, tasks: dict[str, PlannedTask]) -> str:
    """Return a name of its own for the task of an agent."""
    letters = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in agent.lower())
    stem = letters.strip("_")[:30]
    stem = stem if stem[:1].isalpha() else f"task_{stem}".rstrip("_")
    name, number = stem, 1
    while name in tasks or offer.fault_of_name(name):
        number += 1
        name = f"{stem}_{number}"
    return name
