"""Blocks of the row that many rows show: they are written to the cache, whoever reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import anyio
import pytest
from pydantic import BaseModel

from fanwise import Block, Job, agent, graph, resume
from fanwise.engine.arms import build_arms
from fanwise.engine.records import Record
from fanwise.engine.repeated import repeated_blocks
from fanwise.job.arms import arms_of


class Question(BaseModel):
    id: str
    text: str
    document: Annotated[str, Block]


@agent(model="claude-haiku-5-5", max_tokens=50)
def look(text: str, document: str) -> str:
    """Look the answer up in the document."""
    return f"{text}: {len(document)}"


@agent(model="claude-haiku-5-5", max_tokens=50)
def phrase(answer: str) -> str:
    """Write it as a sentence."""
    return f"It is {answer}."


@graph
def ask(question: Question) -> str:
    return phrase(look(question.text, question.document))


@graph
def ask_apart(text: str, document: Annotated[str, Block]) -> str:
    return phrase(look(text, document))


def questions(rows: int, documents: int) -> list[dict[str, Any]]:
    """Rows about so many long documents."""
    return [
        {"id": f"q{number}", "text": f"What {number}", "document": f"{number % documents} and so on. " * 400}
        for number in range(rows)
    ]


@pytest.mark.parametrize(
    ("documents", "repeated"), [(4, ("question.document",)), (18, ("question.document",)), (19, ()), (24, ())]
)
def test_a_block_repeats_where_a_write_and_reads_cost_less_than_to_send_it(
    documents: int, repeated: tuple[str, ...]
) -> None:
    records = [Record(number, number, row, "") for number, row in enumerate(questions(24, documents))]
    assert repeated_blocks(records, ask.spec.param_types) == repeated
    assert repeated_blocks(records, ask_apart.spec.param_types) == tuple(name.split(".")[1] for name in repeated)


def test_it_is_marked_behind_the_instructions_on_both_sides() -> None:
    plain, again = (build_arms(arms_of(ask, "auto"), repeated=names) for names in ((), ("question.document",)))
    for arm in ("fanout", "baseline"):
        shapes = [arms[arm].agents()[0].shape for arms in (plain, again)]
        assert [shape.marked_row_blocks for shape in shapes] == [(), shapes[1].row_blocks]
        assert not shapes[1].row_first


def test_the_single_agent_reads_what_rows_repeat(tmp_path: Path) -> None:
    """Found: a fan-out of two readers read such a block from the cache, and one agent paid for it on every row."""
    tokens: dict[int, Any] = {}
    for documents in (2, 24):
        job = Job(ask, rows=questions(24, documents), out=tmp_path / f"run{documents}", channel="live",
                  baseline="auto", slots=1)  # fmt: skip
        tokens[documents] = job.run_sync().summary["tokens"]
    for arm in ("fanout", "baseline"):
        assert tokens[24][arm]["cache_read"] == 0
        assert tokens[2][arm]["cache_read"] > 0.8 * (tokens[24][arm]["input"] - tokens[2][arm]["input"])


def test_rows_that_come_later_are_seen_to_repeat_what_others_show(tmp_path: Path) -> None:
    """Found by three rows of three documents that became twelve: the single agent, asked on all of them, wrote no
    document, and cost 1.74 times what it did in a fresh run. The fan-out looked cheaper by that."""
    rows, summaries = tmp_path / "rows.jsonl", list[dict[str, Any]]()

    def write(count: int) -> None:
        rows.write_text("".join(json.dumps(row) + "\n" for row in questions(count, 3)))

    for first in (3, 12):
        write(first)
        out = tmp_path / f"from{first}"
        account = Job(ask, rows=rows, out=out, channel="live", baseline="auto", slots=1).run_sync()
        if first == 3:
            write(12)
            account = anyio.run(lambda out=out: resume(out, graph=ask))
        summaries.append(account.summary)
    reads = [summary["tokens"]["baseline"]["cache_read"] for summary in summaries]
    assert 0 < reads[0] < reads[1], "the first three answers stay, and were asked as it was right for three rows"
    ratios = [summary["multiplier"]["usd"]["ratio"] for summary in summaries]
    assert ratios[0] == pytest.approx(ratios[1], rel=0.1)
