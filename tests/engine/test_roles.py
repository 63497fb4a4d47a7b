"""A role is one agent on one model on one arm: what is learnt is its own, the order of a request is a node's."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel

from fanwise import Block, agent, graph
from fanwise.api.replies import Reply
from fanwise.context.frame import Frame
from fanwise.context.parts import Part
from fanwise.context.request import Request
from fanwise.dispatch.channel import Chooser
from fanwise.dispatch.errand import Ask, Errand
from fanwise.dispatch.role import Role
from fanwise.engine.arms import build_arms
from fanwise.engine.nodes import AgentNode
from fanwise.journal.meta import CHOICES
from fanwise.journal.sqlite import SqliteJournal
from fanwise.ledger.standing import standing

SMALL, LARGE = "claude-haiku-5-5", "claude-sonnet-5-5"


class Row(BaseModel):
    id: str
    page: Annotated[str, Block]
    note: str


@agent(model=SMALL)
def write(text: str) -> str:
    """Write a claim."""
    return text


@agent(model=SMALL)
def check(text: str, claim: str) -> str:
    """Check the claim against the text."""
    return claim


@graph
def checked(row: Row) -> list[str]:
    claim = write(row.page)
    return [check(row.page, claim), check(row.note, claim)]


def test_one_role_may_have_requests_in_two_orders() -> None:
    nodes = build_arms({"fanout": checked.spec})["fanout"].nodes
    on_page, on_note = nodes["check"], nodes["check#2"]
    assert isinstance(on_page, AgentNode)
    assert isinstance(on_note, AgentNode)
    assert on_page.role is on_note.role
    assert (on_page.shape.marked_row_blocks, on_note.shape.marked_row_blocks) == (("row.page",), ())


class Cold:
    """Batches that never read."""

    def hits(self, errand: Errand) -> float:
        return 0.0

    def learnt(self) -> bool:
        return True

    def worth(self, gain: int) -> bool:
        return False


def sent(chooser: Chooser, role: Role, row: int) -> None:
    request = Request(frame=Frame(model=role.model, max_tokens=50), content=(Part(f"row {row}"),))
    errand = Errand(role=role, asks=(Ask(f"key {row}", row, "check", "check"),), compose=lambda _: request)
    assert chooser.channel(errand) == "batch"
    errand.begin(row)
    chooser.replied(errand, Reply(text="", stop_reason="end_turn", usage={"output_tokens": 9}, request_id="r"))


def test_choices_are_kept_by_model_and_told_by_agent(tmp_path: Path) -> None:
    """They were kept by agent alone: two models of one agent could not be told apart in a journal."""
    chooser = Chooser("auto", Cold(), {})
    for row, model in enumerate((SMALL, SMALL, LARGE)):
        sent(chooser, Role(arm="fanout", agent="check", model=model), row)
    took = [{"channel": "live", "why": "price", "calls": 4}]
    kept = chooser.reasons([{"side": "fanout", "agent": "gone", "took": took, "expected": {}}])
    calls = [(choice["agent"], choice["model"], sum(way["calls"] for way in choice["took"])) for choice in kept]
    assert calls == [("check", SMALL, 2), ("check", LARGE, 1), ("gone", "", 4)]
    with closing(SqliteJournal(tmp_path / "journal.db")) as journal:
        CHOICES.keep(journal, kept)
        by_agent = standing(journal.db).choices
    assert [(choice["agent"], choice["took"]) for choice in by_agent] == [
        ("check", [{"channel": "batch", "why": "price", "calls": 3}]),
        ("gone", took),
    ]
    assert all("model" not in choice for choice in by_agent)
