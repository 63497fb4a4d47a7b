"""What never was sent: it is in no count of choices, and a halt says which limit kept it back."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import BaseModel

from fanwise import Block, HaltedError, Job, agent, graph
from fanwise.dispatch.channel import ChannelChoice
from support import DESK, journal_value, summary, tickets


class Row(BaseModel):
    id: str
    text: str


@agent(model="claude-sonnet-5-5", context=[Block("guide", "Keep to every rule of it. " * 1_300)], max_tokens=300)
def read(text: str) -> str:
    """Read the text by the guide."""
    return "seen"


@graph
def guided(row: Row) -> str:
    return read(row.text)


@pytest.mark.parametrize("budget", ["0.002", "0.004", "0.008"])
def test_choices_that_were_never_sent_are_not_counted(tmp_path: Path, budget: str) -> None:
    """A run that halted at its budget said of hundreds of calls why they went by batch; they had not gone."""
    rows, out = tickets(tmp_path / "rows.jsonl", 300), tmp_path / "run"
    with pytest.raises(HaltedError):
        Job(f"{DESK}:triage", rows=rows, out=out, channel="auto", budget_usd=budget).run_sync()
    chosen = sum(way["calls"] for choice in summary(out)["choices"] for way in choice["took"])
    sent = journal_value(out, "SELECT COUNT(DISTINCT key) FROM asks")
    assert 0 < chosen == sent


@pytest.mark.parametrize("channel", ["live", "batch"])
@pytest.mark.parametrize("budget", ["0.03", "0.05", "0.06", "0.08"])
def test_a_halt_names_the_limit_that_bound(tmp_path: Path, channel: ChannelChoice, budget: str) -> None:
    """A batch whose first request writes for an hour was halted with "0 of the budget are left" in tokens, of none.

    That write was reserved, and what was named was the price of the same request without it, for which there was room.
    """
    rows = [{"id": f"r{number}", "text": f"text {number}"} for number in range(60)]
    with pytest.raises(HaltedError) as halted:
        Job(guided, rows=rows, out=tmp_path / "run", channel=channel, budget_usd=budget).run_sync()
    assert "--budget-tokens" not in str(halted.value)
    said = re.search(r"may cost up to \$([0-9.]+), \$([0-9.]+) of the budget is left", str(halted.value))
    assert said is not None, halted.value
    assert Decimal(said[1]) > Decimal(said[2])


def test_of_two_limits_the_one_that_bound_is_named(tmp_path: Path) -> None:
    rows = tickets(tmp_path / "rows.jsonl", 40)
    for limits, name in (
        ({"budget_usd": "100", "budget_tokens": 20_000}, "--budget-tokens"),
        ({"budget_usd": "0.001", "budget_tokens": 10**9}, "--budget-usd"),
    ):
        with pytest.raises(HaltedError, match=name):
            Job(f"{DESK}:triage", rows=rows, out=tmp_path / name, channel="batch", **limits).run_sync()
