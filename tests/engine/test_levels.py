"""Who shares a prefix: told alike by the tree of a plan and by the drawing of a graph."""

from __future__ import annotations

from pydantic import BaseModel

from fanwise import Block, agent, graph
from fanwise.engine.arms import build_arms
from fanwise.engine.shown import request_lines
from fanwise.studies.plan.prefixes import prefix_tree

GUIDE = Block("guide", "Keep to every rule of this guide. " * 200)


class Row(BaseModel):
    text: str


@agent(model="claude-haiku-5-5", context=[GUIDE])
def quick(text: str) -> str:
    """Read it."""
    return text


@agent(model="claude-haiku-5-5", context=[GUIDE])
def also_quick(text: str) -> str:
    """Read it too."""
    return text


@agent(model="claude-haiku-5-5", context=[GUIDE], effort="high")
def thorough(text: str) -> str:
    """Read it with care."""
    return text


@graph
def three(row: Row) -> list[str]:
    return [quick(row.text), also_quick(row.text), thorough(row.text)]


def test_another_effort_is_another_prefix() -> None:
    """Found: the tree put agents of one model and one text together, whatever else keys the cache."""
    plan = build_arms({"fanout": three.spec})["fanout"]
    roots = prefix_tree(plan, {role.name: 10 for role in plan.roles()})
    assert [one.agents for one in roots] == [["quick", "also_quick"], ["thorough"]]
    assert [one.calls for one in roots] == [20, 10]
    lines = {path: told[0] for path, told in request_lines(plan).items()}
    assert "cached with also_quick" in lines["quick"]
    assert "cached with" not in lines["thorough"]
