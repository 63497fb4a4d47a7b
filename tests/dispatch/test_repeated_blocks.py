"""`--channel auto` sees that rows share a block of theirs, which live calls read from the cache and batches do not."""

from __future__ import annotations

import math
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from fanwise import Block, Job, agent, graph, plan
from fanwise.context.frame import Frame
from fanwise.context.parts import Part
from fanwise.context.request import Request
from fanwise.dispatch.errand import Ask, Errand, never_composed
from fanwise.dispatch.jobpart import JobPart
from fanwise.dispatch.prices import prices
from fanwise.dispatch.role import Role
from fanwise.dispatch.row_blocks import MOST_ROWS, Readers, RowBlocks
from fanwise.engine.arms import build_arms
from fanwise.engine.readers import row_readers
from fanwise.units import now


class Question(BaseModel):
    id: str
    text: str
    page: Annotated[str, Block]


@agent(model="claude-sonnet-5-5", max_tokens=300)
def find(text: str, page: str) -> str:
    """Find what the text asks for in the page."""
    return "found it " * 5


@agent(model="claude-sonnet-5-5", max_tokens=300)
def check(found: str, page: str) -> str:
    """Check against the page what was found."""
    return "it is so " * 5


@graph
def answered(question: Question) -> str:
    return check(find(question.text, question.page), question.page)


def questions(rows: int, pages: int) -> list[Question]:
    """Questions on pages of about 5,000 tokens, in turns."""
    return [
        Question(
            id=str(number), text=f"text {number}", page=f"Page {number % pages}. " + "It says this and that. " * 800
        )
        for number in range(rows)
    ]


@pytest.mark.parametrize("pages", [3, 30, 60])
def test_auto_is_no_dearer_than_either_channel_however_often_pages_repeat(tmp_path: Path, pages: int) -> None:
    """Found: where 150 rows asked about few pages, auto took $0.452 and live calls $0.120."""
    paid: dict[str, Decimal] = {}
    for channel in ("live", "batch", "auto"):
        job = Job(answered, rows=questions(60, pages), out=tmp_path / channel, channel=channel)
        account = job.run_sync().summary
        assert account["rows"]["succeeded"] == 60
        paid[channel] = Decimal(account["cost_usd"])
    assert (paid["live"] < paid["batch"]) == (pages < 60)
    assert paid["auto"] <= min(paid["live"], paid["batch"]) * Decimal("1.1"), paid


def test_more_questions_on_the_same_pages_cost_no_less_in_all(tmp_path: Path) -> None:
    """Found: ten rows of three pages were to cost less live than five, and under `auto` more than twenty."""
    prices_before: list[int] = []
    for count in (5, 10, 20):
        rows = tmp_path / f"{count}.jsonl"
        rows.write_text("".join(f"{question.model_dump_json()}\n" for question in questions(count, 3)))
        expected = [price.expected for price in plan(answered, rows=rows).prices]
        assert all(less <= more for less, more in zip(prices_before, expected, strict=False))
        prices_before = expected


ROLE = Role(arm="fanout", agent="find", model="claude-sonnet-5-5")
FRAME = Frame(model="claude-sonnet-5-5", max_tokens=300, system=(Part("a guide " * 900, True),))


def asked(row: int, page: str, *, marked: bool = True) -> tuple[Errand, Request]:
    errand = Errand(role=ROLE, asks=(Ask(f"key {row}", row, "find", "find"),), compose=never_composed)
    return errand, Request(frame=FRAME, content=(Part(page, marked), Part("instructions"), Part(f"text {row}")))


@given(st.floats(2, 200), st.floats(2, 200), st.integers(1, 4_000))
def test_the_more_calls_show_a_page_the_less_it_costs_live_and_a_batch_knows_nothing_of_it(
    first: float, second: float, output: int
) -> None:
    _, request = asked(1, "a page " * 4_000)
    few = prices(request, now(), output=output, row_uses=min(first, second))
    many = prices(request, now(), output=output, row_uses=max(first, second))
    assert few is not None
    assert many is not None
    assert many["live"] <= few["live"]
    assert many["batch"] == few["batch"]


def test_rows_are_counted_by_what_they_show_once_each() -> None:
    blocks = RowBlocks({(ROLE, "find"): Readers(2)}, JobPart(scale=10.0))

    def uses(row: int, page: str, *, marked: bool = True) -> float:
        errand, request = asked(row, page, marked=marked)
        return blocks.uses(errand, blocks.note(errand, request))

    for row in (1, 1, 2, 3):
        page = blocks.note(*asked(row, "a page"))
    assert uses(4, "another page") == 2, "the tasks of its own row"
    assert uses(2, "a page") == 2 * (1 + 2 * 10)
    assert blocks.note(*asked(5, "a page", marked=False)) is None
    assert uses(5, "a page", marked=False) == 1
    assert page is not None
    blocks.sent_live(page)
    assert uses(2, "a page") == math.inf, "it is written, and whoever comes only reads it"
    for row in range(1_000):
        blocks.note(*asked(row, "a third page"))
    assert uses(1, "a third page") == 2 * (1 + (MOST_ROWS - 1) * 10)


def test_tasks_that_read_one_block_of_a_row_are_counted_before_the_first_row() -> None:
    assert set(row_readers(build_arms({"fanout": answered.spec}).values()).values()) == {Readers(2, of_every_row=True)}
