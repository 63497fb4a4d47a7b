"""The task plan as a coordinator answers it: names of agents are an enum, and the checks are part of its type."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, create_model, model_validator

from fanwise.canonical import dumps
from fanwise.errors import DefinitionError

from .checking import check_plan
from .offer import Offer
from .taskplan import MOST_TASKS_EVER, PlannedTask, TaskPlan, plan_from


def answer_type(offer: Offer) -> type[TaskPlan]:
    """Return the type of a coordinator's answer: a task plan that the checks let through.

    Its schema admits no agent beyond those that are offered. A plan with mistakes is an answer that cannot be used;
    the reason has all of them, each with its place, and the plan, which the next request does not show otherwise.

    Args:
        offer: What a plan may name.
    """
    agents: Any = Literal[tuple(offer.agents)]
    task = create_model("PlannedTask", __base__=PlannedTask, agent=(agents, ...))

    def checked(data: Any) -> Any:
        """Check an answer as a whole, before its parts are: all mistakes are told at once, not those of its form."""
        try:
            check_plan(plan_from(data), offer)
        except DefinitionError as error:
            mistakes = "\n".join(f"- {mistake}" for mistake in error.mistakes)
            raise ValueError(f"the task plan has mistakes:\n{mistakes}\nIt was {dumps(data)}") from None
        return data

    tasks: Any = (tuple[task, ...], Field(strict=False, max_length=MOST_TASKS_EVER))
    validators: Any = {"checked": model_validator(mode="before")(checked)}
    return create_model("TaskPlan", __base__=TaskPlan, __validators__=validators, tasks=tasks)


def plain(plan: TaskPlan) -> TaskPlan:
    """Return a plan as one that knows nothing of an offer; its hash is the same."""
    return TaskPlan.model_validate(plan.model_dump())
