"""A task plan without a model: agents joined by names and types, the stand-in of a coordinator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fanwise.errors import DefinitionError, Mistake, NoPlanError
from fanwise.graph import types as ty
from fanwise.graph.fits import fits

from .checking import check_plan
from .choosing import JoinRule
from .offer import Offer
from .order import depths
from .settling import Settling
from .taskplan import PlannedTask, TaskPlan

REASON = "joined by types; simulated"
RULES = (
    JoinRule(prefers_items=True),
    JoinRule(),
    JoinRule(gaps=False),
    JoinRule(loops=False),
    JoinRule(loops=False, gaps=False),
)
"""Tried in turn, until one has a plan: without loops and without gaps an answer is no list, and never None."""


def join(offer: Offer) -> TaskPlan:
    """Return a plan that the check accepts, of the agents that the output needs; equal offers have equal plans.

    Raises:
        NoPlanError: The agents lead from no row to the output; says which parameters have nothing that fits.
        DefinitionError: They do, and every plan has a mistake, such as a limit that it is over.
    """
    refused: DefinitionError | None = None
    settlings = [Settling(offer, rule) for rule in RULES]
    for settling in settlings:
        settling.run()
        for name in sorted(_ends(offer, settling), key=lambda name: _end_key(offer, settling, name)):
            plan = _plan(offer, settling, name)
            try:
                check_plan(plan, offer, "joined by types")
            except DefinitionError as error:
                refused = refused or error
            else:
                return plan
    if refused is not None:
        raise refused
    raise NoPlanError("the roster", tuple(_why(offer, settlings[0])))


def _ends(offer: Offer, settling: Settling) -> list[str]:
    """Return the tasks whose answer may be the output."""
    return [name for name in settling.tasks if fits(settling.types[name], offer.output)]


def _end_key(offer: Offer, settling: Settling, name: str) -> tuple[int, int, int, int]:
    """Return by what ends are put in order.

    Where any output will do, the end of the longest chain comes first. Otherwise the exact type does, then the plan
    with the fewest values that are met by chance, then the one with most tasks: who reads the answers of others can
    do more than who is shown the row alone.
    """
    needed = settling.needed(name)
    chances = sum(settling.by_chance(task) for task in needed)
    number = list(settling.tasks).index(name)
    if offer.output is ty.Unknown:
        depth = depths(list(settling.tasks), settling.reads())[name]
        return -depth, chances, -len(needed), -number
    is_exact = ty.strip(settling.types[name]) == ty.strip(offer.output)
    return int(not is_exact), chances, -len(needed), number


def _plan(offer: Offer, settling: Settling, name: str) -> TaskPlan:
    tasks = [settling.tasks[needed] for needed in settling.needed(name)]
    most = _most(offer, tasks)
    bounded = [task if task.over is None else task.model_copy(update={"most": most}) for task in tasks]
    return TaskPlan(tasks=tuple(bounded), returns=name, reason=REASON)


def _most(offer: Offer, tasks: list[PlannedTask]) -> int | None:
    """Return how many items each loop may run for within the limits, at least 1; None where there is no limit."""
    limits = offer.limits
    turns = {task.name: offer.agents[task.agent].spec.most_requests for task in tasks}
    pico = {task.name: turns[task.name] * limits.call_pico.get(task.agent, 0) for task in tasks}
    left = [_left(limits.calls, turns, tasks), _left(limits.pico, pico, tasks), limits.width]
    bounds = [bound for bound in left if bound is not None]
    return max(1, min(bounds)) if bounds else None


def _left(limit: int | None, weights: Mapping[str, int], tasks: list[PlannedTask]) -> int | None:
    """Return for how many items a limit has room beside the tasks without a loop; None where it bounds none."""
    item = sum(weights[task.name] for task in tasks if task.over is not None)
    if limit is None or not item:
        return None
    return (limit - sum(weights[task.name] for task in tasks if task.over is None)) // item


def _why(offer: Offer, settling: Settling) -> Iterator[Mistake]:
    """Yield what stands in the way: parameters for which there is nothing, and that no answer is the output."""
    for name, params in settling.unjoined().items():
        for param in params:
            expected = ty.name(offer.agents[name].spec.params[param])
            yield Mistake(f"{name}.{param}", f"nothing fits {expected}", f"there is {settling.shown()}")
    answers = [f"{name} answers {ty.name(offer.agents[name].spec.output)}" for name in offer.agents]
    message = f"no agent that could be joined answers {ty.name(offer.output)}"
    yield Mistake("output", message, ", ".join(answers) or "there is no agent")
