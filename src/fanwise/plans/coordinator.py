"""The coordinator: an agent whose answer is a task plan, and the graph of it alone by which it is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel

from fanwise.blocks import Block
from fanwise.graph.agent import Agent, agent
from fanwise.graph.graphs import Graph

from .answered import answer_type
from .offer import Offer
from .taskplan import TaskPlan

MODEL = "claude-sonnet-5-5"
"""Where nobody says another one."""
MOST_TOKENS = 8_192
"""Of a plan: one of a hundred tasks has about six thousand."""
MOST_REPAIRS = 2
"""How often the mistakes of a plan go back with their places."""
EVERY_ROW = "every row"
INSTRUCTIONS = """\
You plan work that others do. Given a goal and a roster of agents, write a task plan: a DAG of agents that is carried
out for each row. You see no row, only the names and types of its fields.

A task has:
- name: small letters, digits and underscores; not a word of Python, and not the name of an agent's type.
- agent: one of the roster.
- gives: for each parameter of the agent a reference to what it is given. References are `row`, `row.field`, the name
  of another task (its answer), `task.field`, and inside a task with `over` also `item` and `item.field`. To show an
  agent a document give the parameter `context` the reference `block:NAME`.
- over: a reference to a list, where the agent is to run once for each of its items, which is `item` in gives; else
  null. The answer of such a task is a list.
- most: with `over`, how many items are taken at most. need: with `over`, how many must succeed, else null: all.
- when: null, or a condition {reference, compare, value} without which the task is left out; its answer is null then.

`returns` is a reference to the task, or to a part of its answer, that is the output. `reason` says in one sentence why
the plan is so.

Every task costs a request. Give an agent the fields that it needs and no more. Use as few tasks as reach the goal;
every task must be of use for what is returned. The agent `alone` does the whole row in one request: where the
parts need each other, or the shared context is large beside the work, plan the one task of it."""


class PlanRequest(BaseModel):
    """What one plan is for; a row of the planning run."""

    id: str
    plan_for: str
    """In words: every row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordinator:
    """Who is asked for plans."""

    agent: Agent[..., TaskPlan]
    graph: Graph[..., TaskPlan]
    """Over `PlanRequest`s."""


def coordinator(
    offer: Offer, shown: Block, stand_in: Callable[[Offer], TaskPlan], *, model: str = MODEL
) -> Coordinator:
    """Return the coordinator of an offer.

    Args:
        offer: What a plan may name.
        shown: What it is shown of that, see `roster_block`.
        stand_in: Answers offline, where no model does.
        model: Its model.
    """
    answer = answer_type(offer)

    def coordinate(plan_for: str) -> Any:
        return answer.model_validate(stand_in(offer).model_dump())

    coordinate.__annotations__ = {"plan_for": str, "return": answer}
    coordinate.__doc__ = INSTRUCTIONS
    asked: Agent[..., TaskPlan] = agent(
        name="coordinator", model=model, context=[shown], max_tokens=MOST_TOKENS, effort="default"
    )(coordinate)
    patient = Agent(asked.body, replace(asked.spec, most_repairs=MOST_REPAIRS))

    def planning(request: PlanRequest) -> Any:
        return patient(request.plan_for)

    planning.__annotations__ = {"request": PlanRequest, "return": answer}
    return Coordinator(agent=patient, graph=Graph(planning))
