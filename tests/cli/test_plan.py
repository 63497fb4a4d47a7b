"""`fanwise plan`: what a job will cost, held against what it then does cost on the emulator."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from support import DESK, environment, fanwise, summary, tickets

GRAPH = f"{DESK}:triage"


def made(rows: Path, *options: object, env: dict[str, str] | None = None) -> dict[str, Any]:
    result = fanwise("plan", GRAPH, "--rows", rows, "--json", *options, env=env)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.mark.parametrize("channel", ["live", "batch"])
def test_a_plan_is_within_three_percent_of_the_bill(tmp_path: Path, channel: str) -> None:
    rows, out = tickets(tmp_path / "rows.jsonl", 120), tmp_path / "run"
    plan = made(rows, "--simulate", 20)
    assert (plan["rows"], plan["sampled"], plan["simulated"]) == (120, 20, True)
    run = fanwise("run", GRAPH, "--rows", rows, "--out", out, "--channel", channel, "--baseline", "auto")
    assert run.returncode == 0
    account = summary(out)
    for side, paid in (("fanout", account["fanout_usd"]), ("baseline", account["baseline_usd"])):
        (price,) = [one for one in plan["prices"] if (one["channel"], one["side"]) == (channel, side)]
        assert abs(Decimal(price["expected_usd"]) / Decimal(paid) - 1) < Decimal("0.03"), (side, price, paid)
        assert Decimal(price["worst_usd"]) > Decimal(paid)
    calls = sum(one["calls"] for one in plan["agents"] if one["channel"] == channel)
    assert calls == pytest.approx(account["attempts"]["sent"], rel=0.03)


def test_a_plan_sends_nothing_though_there_is_a_key(tmp_path: Path) -> None:
    env = environment(ANTHROPIC_API_KEY="k", ANTHROPIC_BASE_URL="http://127.0.0.1:9")
    assert made(tickets(tmp_path / "rows.jsonl", 5), env=env)["rows"] == 5


def test_broken_rows_are_counted_and_a_file_without_a_good_one_is_told(tmp_path: Path) -> None:
    rows = tickets(tmp_path / "rows.jsonl", 5)
    with rows.open("a") as file:
        file.write("no json\n" * 3)
    plan = made(rows)
    assert (plan["rows"], plan["rejected"]) == (5, 3)
    text = fanwise("plan", GRAPH, "--rows", rows)
    assert "PLAN: nothing was sent or paid; 5 of 5 rows (3 set aside) were" in text.stdout
    rows.write_text("no json\n")
    result = fanwise("plan", GRAPH, "--rows", rows)
    assert result.returncode == 2
    assert "no row of" in result.stderr
