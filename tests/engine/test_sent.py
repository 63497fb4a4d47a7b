"""What was sent to whom, and how near to the floor of its price a run comes."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from fanwise import Block, Job, agent, graph
from fanwise.context.repeats import Piece, Repeats
from fanwise.job.account import Account
from fanwise.job.job import resume

MODEL = "claude-opus-5-5"
GUIDE = Block("guide", "Every rule of this guide is to be kept by whoever reviews. " * 255)  # 6,000 tokens


class Page(BaseModel):
    text: Annotated[str, Block]


@agent(model=MODEL, context=[GUIDE], max_tokens=100)
def security(text: str) -> str:
    """Review the text for security."""
    return "safe"


@agent(model=MODEL, context=[GUIDE], max_tokens=100)
def style(text: str) -> str:
    """Review the text for style."""
    return "fine"


@agent(model=MODEL, context=[GUIDE], max_tokens=100)
def facts(text: str) -> str:
    """Review the text for facts."""
    return "true"


@agent(model="claude-haiku-5-5", max_tokens=100)
def join(security: str, style: str, facts: str) -> str:
    """Join the reviews."""
    return f"{security}, {style}, {facts}"


@graph
def review(page: Page) -> str:
    return join(security(page.text), style(page.text), facts(page.text))


def carried_out(out: Path, *, rows: int = 24, **options: Any) -> Account:
    pages = [{"id": str(number), "text": f"Document {number}. " + "It says this. " * 540} for number in range(rows)]
    return Job(review, rows=pages, out=out, slots=64, latency_s=0.03, **options).run_sync()


def test_behind_the_gate_every_prefix_is_written_once_and_the_input_is_near_its_floor(tmp_path: Path) -> None:
    with_gate = carried_out(tmp_path / "on", channel="live").summary
    assert with_gate["cache"]["writes"] == 24, "the first of a row writes its document, the very first the guide too"
    assert with_gate["cache"]["reads"] == 24 * 3 - 1
    assert 1.0 <= with_gate["input_over_floor"] <= 1.06
    without = carried_out(tmp_path / "off", channel="live", gate=False).summary
    assert without["cache"]["writes"] > 24 * 2
    assert Decimal(without["cost_usd"]) > 2 * Decimal(with_gate["cost_usd"])
    floors = [float(account["floor_usd"]) for account in (with_gate, without)]
    assert floors[0] == pytest.approx(floors[1], rel=1e-4), "of the tokens, whoever wrote them when; but for rounding"


@pytest.mark.parametrize("channel", ["live", "batch"])
def test_the_account_says_what_was_sent_to_whom(tmp_path: Path, channel: str) -> None:
    account = carried_out(tmp_path / "run", rows=6, channel=channel).summary
    by_agent = {slice_["agent"]: slice_ for slice_ in account["slices"]}
    assert by_agent["style"]["fields"] == ["page.text"]
    assert by_agent["style"]["blocks"] == ["guide"]
    assert by_agent["join"]["fields"] == ["security", "style", "facts"]
    reviewers = [by_agent[name] for name in ("security", "style", "facts")]
    assert sum(slice_["duplicated_tokens"] for slice_ in reviewers) == pytest.approx(6 * 2 * 9_050, rel=0.02)
    assert by_agent["join"]["duplicated_tokens"] < 6 * 70, "its schema alone, which is that of the others"
    for slice_ in account["slices"]:
        parts = slice_["cache_read_tokens"] + slice_["cache_write_tokens"] + slice_["fresh_tokens"]
        assert parts == slice_["input_tokens"]
    assert sum(slice_["input_tokens"] for slice_ in account["slices"]) == sum(
        account["tokens"][kind] for kind in ("input", "cache_write_5m", "cache_write_1h", "cache_read")
    )


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_resumed_run_has_no_floor_above_its_bill(tmp_path: Path, anyio_backend: str) -> None:
    pages = [{"id": str(number), "text": f"Document {number}. " + "It says this. " * 540} for number in range(12)]
    await Job(review, rows=pages, out=tmp_path / "run", limit=6, channel="live").run()
    account = await resume(tmp_path / "run", graph=review, limit=12, channel="live")
    assert account.summary["rows"]["succeeded"] == 12
    assert Decimal(account.summary["floor_usd"]) <= Decimal(account.summary["cost_usd"])


pieces = st.lists(st.builds(Piece, st.integers(1, 6), st.just(7)), max_size=3).map(tuple)
sends = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1), pieces), max_size=30)


@given(st.tuples(pieces, pieces), sends)
def test_what_is_sent_again_is_what_was_sent_before(
    nodes: tuple[tuple[Piece, ...], ...], sends: list[tuple[int, int, tuple[Piece, ...]]]
) -> None:
    repeats = Repeats()
    by_row = set[tuple[int, int]]()
    for row, node, own in sends:
        parts = (*nodes[node], *own)
        counted = repeats.count(row, "fanout", nodes[node], own)
        repeated = 0
        for part in parts:
            repeated += 7 * ((row, part.key) in by_row)
            by_row.add((row, part.key))
        assert (counted.chars, counted.repeated) == (7 * len(parts), repeated)
