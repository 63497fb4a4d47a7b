"""How one agent becomes a task: what each parameter is given, and whether it runs for each item of a list."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fanwise.graph import types as ty
from fanwise.graph.agent import Agent

from .offer import ITEM
from .sources import BY_CHANCE, BY_ITEM, BY_NAME, BY_TYPE, Source, is_exact, items, may_be_missing, meets, sources
from .taskplan import Give, PlannedTask


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinRule:
    """What a try may do."""

    prefers_items: bool = False
    """Whether items of an answer's list come before other values that are met by chance."""
    loops: bool = True
    gaps: bool = True
    """Whether a task may be given what may be missing, and be None then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """A parameter with what it is given."""

    source: Source
    rank: int
    """From `BY_NAME`, the best, to `BY_CHANCE`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """What the parameters of an agent are given."""

    meetings: dict[str, Meeting]
    """Those that are given something."""
    over: str | None
    missing: tuple[str, ...]
    """Parameters without a default for which there is nothing."""

    @property
    def ranks(self) -> tuple[int, ...]:
        """Return how the parameters are met, the worst first."""
        return tuple(sorted((meeting.rank for meeting in self.meetings.values()), reverse=True))

    def task(self, name: str, agent: str) -> PlannedTask:
        """Return it as a task."""
        gives = tuple(Give(parameter=param, reference=met.source.text) for param, met in self.meetings.items())
        return PlannedTask(name=name, agent=agent, gives=gives, over=self.over)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fitting:
    """How a source fits a parameter."""

    rank: int
    has_gap: bool
    is_exact: bool


def _fit(source: Source, name: str, expected: Any) -> _Fitting | None:
    rank = meets(source, name, expected)
    if rank is None:
        return None
    return _Fitting(rank=rank, has_gap=may_be_missing(source, expected), is_exact=is_exact(source, expected))


class GiveChooser:
    """Chooses for one agent."""

    def __init__(self, agent: Agent[..., Any], needs: Collection[str], rule: JoinRule) -> None:
        """Begin.

        Args:
            agent: The agent.
            needs: Its parameters without a default.
            rule: What may be done.
        """
        self._params, self._needs, self._rule = agent.spec.params, needs, rule
        self._items: dict[str, list[Source]] = {}
        """Sources of the items of lists, by the references of these."""
        self._fits: dict[tuple[int, str], _Fitting | None] = {}
        """By the identity of a source, which lives as long as this, and the parameter."""

    def joined(self, there: Sequence[Source], held: Collection[str]) -> Joined:
        """Return the best that can be given.

        Args:
            there: What there is.
            held: Lists that an agent takes as they are, by their references.
        """
        choices = [self._choice(there, [], None, BY_CHANCE)]
        for source in there if self._rule.loops else ():
            if source.text not in self._items:
                self._items[source.text] = items(source)
            parts = self._items[source.text]
            if parts and self._may_loop(source):
                is_preferred = self._rule.prefers_items and source.order > 0 and source.text not in held
                by_item = BY_ITEM if is_preferred else BY_CHANCE
                choices.append(self._choice(there, parts, source, by_item))
        looped = [choice for choice in choices[1:] if _uses_item(choice)]
        return min([choices[0], *looped], key=_choice_key)

    def _may_loop(self, source: Source) -> bool:
        return self._rule.gaps or not (source.has_gap or ty.may_be_none(source.tp))

    def _choice(self, there: Sequence[Source], parts: Sequence[Source], over: Source | None, by_item: int) -> Joined:
        meetings: dict[str, Meeting] = {}
        used = set[str]()
        for name in self._params:
            best = min(self._meetings(name, [*there, *parts], by_item), key=lambda pair: _key(pair, used), default=None)
            if best is None or (name not in self._needs and best[0].rank > BY_TYPE):
                continue
            meetings[name] = best[0]
            used.add(best[0].source.text)
        missing = tuple(name for name in self._params if name in self._needs and name not in meetings)
        return Joined(meetings=meetings, over=None if over is None else over.text, missing=missing)

    def _meetings(self, name: str, there: Sequence[Source], by_item: int) -> Iterator[tuple[Meeting, tuple[int, ...]]]:
        """Yield what may be given to a parameter, with what goes before what of one rank."""
        for number, source in enumerate(there):
            key = id(source), name
            if key not in self._fits:
                self._fits[key] = _fit(source, name, self._params[name])
            fit = self._fits[key]
            if fit is None or (fit.has_gap and not self._rule.gaps):
                continue
            is_item = source.text.partition(".")[0] == ITEM
            rank = by_item if is_item and fit.rank == BY_CHANCE else fit.rank
            is_behind = source.order > 0 if rank == BY_NAME else not is_item
            order = (int(is_behind), int(fit.has_gap), int(not fit.is_exact), -source.order, number)
            yield Meeting(source=source, rank=rank), order

    def promised(self, name: str, agent: str, output: Any) -> int | None:
        """Return how well an answer that is not there yet would meet a parameter; None where it would not."""
        answers = list(sources(agent, output, {agent}, 1))
        parts = [part for source in answers for part in items(source)] if self._rule.loops else []
        loop = sources(agent, list[output], {agent}, 1, is_loop=True) if self._rule.loops else ()
        ranks = [meets(source, name, self._params[name]) for source in (*answers, *parts, *loop)]
        return min((rank for rank in ranks if rank is not None), default=None)


def _uses_item(choice: Joined) -> bool:
    return any(meeting.source.text.partition(".")[0] == ITEM for meeting in choice.meetings.values())


def _choice_key(choice: Joined) -> tuple[int, tuple[int, ...], int, bool]:
    """Return by what choices are put in order: all that is needed, the best met, no loop where none is needed."""
    return len(choice.missing), choice.ranks, -len(choice.meetings), choice.over is not None


def _key(pair: tuple[Meeting, tuple[int, ...]], used: Collection[str]) -> tuple[int, ...]:
    """Return by what sources are put in order; what another parameter has comes behind the others of its rank."""
    meeting, order = pair
    return meeting.rank, int(meeting.source.text in used), *order
