"""The arms of a run: roles, nodes, and what two arms have in common: nothing that a cache would hold."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from fanwise import Block, Job, agent, graph, step
from fanwise.context.tags import unfence
from fanwise.dispatch.role import Roles
from fanwise.engine.arms import Arm, all_roles, build_arms
from fanwise.engine.nodes import AgentNode, StepNode
from fanwise.engine.standin import answerer
from fanwise.graph.agent import Agent
from fanwise.job.arms import arms_of
from fanwise.journal.records import ArmName

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
    assert len({(role.arm, role.model) for role in roles}) == 3, "what one arm has written no other counts on"
    named = Roles(roles).named
    assert [named(role.name) for role in roles] == roles


def hash_of(asked: Agent[[str], str]) -> str:
    @graph
    def job(row: Ticket) -> str:
        return asked(row.text)

    (role,) = build_arms({"fanout": job.spec})["fanout"].roles()
    return role.hash


def test_the_hash_of_a_role_is_of_what_shapes_its_answers() -> None:
    assert hash_of(sort) == hash_of(sort.options(max_tokens=40))
    assert len({hash_of(sort), hash_of(sort.options(model="claude-sonnet-5")), hash_of(sort.options(context=[]))}) == 3


@agent(model="claude-haiku-5-5", context=[GUIDE])
def weigh(text: str) -> str:
    """Say what it is about."""
    return f"weighed {text}"


@graph
def alike(row: Ticket) -> str:
    return weigh(sort(row.text))


def bodies(arms: Mapping[ArmName, Arm], arm: ArmName) -> list[dict[str, Any]]:
    """The requests of all agents of an arm, as if each were shown the same text."""
    return [
        node.composer.request(dict.fromkeys(node.spec.params, "x"), 100).body(run_id="r") for node in arms[arm].agents()
    ]


def test_a_request_says_a_name_only_where_nothing_else_tells_who_is_asked() -> None:
    plain, both = build_arms({"fanout": desk.spec}), build_arms({"fanout": alike.spec})
    assert [body["messages"][0]["content"][-1]["text"] for body in bodies(plain, "fanout")] == ["text: x"] * 2
    said = [body["messages"][0]["content"][-1]["text"].split("\n")[0] for body in bodies(both, "fanout")]
    assert said == ["Answer as the agent sort.", "Answer as the agent weigh."]
    answers = [answerer(both)(body) for body in bodies(both, "fanout")]
    assert answers == ["x", "weighed x"]


def test_an_arm_is_sent_as_much_as_another_and_shares_no_prefix_with_it() -> None:
    """Found: the baseline was sent a block of its own, which made it dearer and its prompt another one."""
    arms = build_arms({"fanout": desk.spec, "baseline": other.spec})
    fanout, baseline = bodies(arms, "fanout")[0], bodies(arms, "baseline")[0]
    assert bodies(build_arms({"fanout": desk.spec}), "fanout")[0] == fanout, "it is as if the other were not there"
    shown = [[len(block["text"]) for block in body["system"]] for body in (fanout, baseline)]
    assert shown[0] == shown[1]
    texts = [body["system"][0]["text"] for body in (fanout, baseline)]
    assert texts[0] != texts[1]
    assert [(block.name, block.text) for text in texts if (block := unfence(text, (0, 1)))] == [
        (GUIDE.name, GUIDE.text)
    ] * 2
    assert unfence(texts[1]) is None
    assert {answerer(arms)(body) for body in (fanout, baseline)} == {"x"}


def test_the_cache_of_one_side_serves_the_other_nothing(tmp_path: Path) -> None:
    rows = [{"id": f"r{number}", "text": f"text {number}"} for number in range(12)]
    account = Job(other, rows=rows, out=tmp_path / "run", channel="live", baseline=f"{__file__}:other").run_sync()
    tokens = account.summary["tokens"]
    assert tokens["fanout"] == tokens["baseline"]
    assert tokens["fanout"]["cache_write_5m"] > 512
