"""The arms of a run: roles, nodes, and what two arms have in common: nothing that a cache would hold."""

from __future__ import annotations

from pydantic import BaseModel

from fanwise import Block, agent, graph, step
from fanwise.dispatch.role import Roles
from fanwise.engine.arms import all_roles, build_arms
from fanwise.engine.nodes import AgentNode, StepNode
from fanwise.graph.agent import Agent
from fanwise.job.arms import arms_of

GUIDE = Block("guide", "Keep to the house style. " * 300)


class Ticket(BaseModel):
    id: str
    text: str


@agent(model="claude-haiku-5-5", context=[GUIDE])
def sort(text: str) -> str:
    """Say what it is about."""
    return text[:3]


@step
def tidy(text: str) -> str:
    return text.strip()


@graph
def desk(row: Ticket) -> str:
    return sort(sort(tidy(row.text)))


@graph
def other(row: Ticket) -> str:
    return sort.options(max_tokens=40)(row.text)


def test_an_agent_has_one_role_wherever_it_is_called_and_a_step_has_none() -> None:
    arm = build_arms({"fanout": desk.spec})["fanout"]
    assert [type(node) for node in arm.nodes.values()] == [StepNode, AgentNode, AgentNode]
    first, second = arm.agents()
    assert first.role is second.role and arm.roles() == (first.role,)
    assert (first.role.arm, first.role.agent, first.role.model) == ("fanout", "sort", "claude-haiku-5-5")
    assert first.static != second.static, "where it is called is part of a task's key"


def test_a_run_may_have_more_than_two_arms_and_they_share_no_role() -> None:
    arms = build_arms({**arms_of(desk, "auto"), "narrow": other.spec})
    assert list(arms) == ["fanout", "baseline", "narrow"]
    roles = all_roles(arms.values())
    assert len(roles) == len(set(roles)) == 3
    assert len({role.cache for role in roles}) == 3, "what one arm has written no other counts on"
    named = Roles(roles).named
    assert [named(role.arm, role.agent, role.model) for role in roles] == roles


def hash_of(asked: Agent[[str], str]) -> str:
    @graph
    def job(row: Ticket) -> str:
        return asked(row.text)

    (role,) = build_arms({"fanout": job.spec})["fanout"].roles()
    return role.hash


def test_the_hash_of_a_role_is_of_what_shapes_its_answers() -> None:
    assert hash_of(sort) == hash_of(sort.options(max_tokens=40))
    assert len({hash_of(sort), hash_of(sort.options(model="claude-sonnet-5")), hash_of(sort.options(context=[]))}) == 3
