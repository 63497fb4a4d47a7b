"""What a successful row costs on both sides, what is not known of a run that was stopped."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from fanwise import Block, HaltedError, Job, agent, graph
from support import summary

GUIDE = Block("guide", "Keep to the house style, always. " * 800)


class Letter(BaseModel):
    id: str
    body: str


@agent(model="claude-haiku-5-5", context=[GUIDE], max_tokens=60)
def sort(body: str) -> str:
    """Say what it is about."""
    return "about a thing"


@agent(model="claude-haiku-5-5", context=[GUIDE], max_tokens=60)
def answer(body: str, about: str) -> str:
    """Answer it."""
    return "thank you for it"


@graph
def desk(letter: Letter) -> str:
    return answer(letter.body, sort(letter.body))


def account(out: Path, **options: Any) -> dict[str, Any]:
    """The account of 20 rows that are alike, ended or stopped."""
    rows = [Letter(id=f"r{number}", body="Where is it?") for number in range(20)]
    with suppress(HaltedError):
        Job(desk, rows=rows, out=out, channel="live", baseline="auto", slots=2, **options).run_sync()
    return summary(out)


def per_row_ratio(found: dict[str, Any]) -> Decimal:
    names = ("cost_per_successful_row_usd", "baseline_cost_per_successful_row_usd")
    fanout, baseline = (Decimal(found[name]) for name in names)
    return fanout / baseline


def test_per_good_row_says_what_the_multiplier_says(tmp_path: Path) -> None:
    """A sample of 5 of 20 rows bore the whole write of the single agent's prefix, so its row cost twice as much."""
    whole, sampled = account(tmp_path / "whole"), account(tmp_path / "sampled", sample=5)
    assert float(per_row_ratio(whole)) == pytest.approx(whole["per_success"]["ratio"], abs=1e-6), "of the same rows"
    assert float(per_row_ratio(sampled)) == pytest.approx(sampled["per_success"]["ratio"], rel=0.03), "rows are alike"
    each = [float(found["baseline_cost_per_successful_row_usd"]) for found in (whole, sampled)]
    assert each[1] == pytest.approx(each[0], rel=0.03), "rows are alike"
    assert whole["cost_per_successful_row_usd"] == sampled["cost_per_successful_row_usd"]
    assert Decimal(whole["cost_per_successful_row_usd"]) * 20 == Decimal(whole["fanout_usd"]), "where all were asked"


def test_of_a_run_that_was_stopped_the_single_agents_bill_is_not_known(tmp_path: Path) -> None:
    """It was what all was paid, unfinished rows in it, over the ratio of the rows that had ended."""
    whole = account(tmp_path / "whole", reuse=False)
    half = Decimal(whole["cost_usd"]) * 2 / 3
    stopped = account(tmp_path / "stopped", budget_usd=f"{half:.9f}", reuse=False)
    assert stopped["halted"] and stopped["levers"] is not None
    assert sum(stopped["rows_left_out"].values()) > 0, "it was null"
    assert stopped["levers"]["alone_usd"] is None
    assert whole["levers"]["alone_usd"] == whole["baseline_usd"]
