"""The bill never passes the budget, whatever goes wrong."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from fanwise import Emulator, HaltedError, Job
from fanwise.engine.arms import build_arms
from fanwise.engine.load import load_graph
from fanwise.engine.standin import answerer
from gateway import gateway
from support import DESK, bill, emulator, environment, fanwise, summary, tickets

BUDGET = "0.004"
"""About a fifth of what the job would cost in all."""
GRAPH = f"{DESK}:triage"
FAULTS = (
    {"lost": True, "probability": 0.04, "path": "/v1/messages"},
    {"malformed": True, "probability": 0.04, "path": "/v1/messages"},
    {"status": 529, "probability": 0.05, "path": "/v1/messages"},
    {"item": "expired", "probability": 0.1},
    {"item": "missing", "probability": 0.05},
)


@pytest.mark.parametrize("channel", ["live", "batch", "auto"])
@pytest.mark.parametrize("seed", range(3))
def test_the_bill_never_passes_the_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, channel: str, seed: int
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    rows = tickets(tmp_path / "rows.jsonl", 60 + 20 * seed)
    answer = answerer(build_arms({"fanout": load_graph(GRAPH).spec}))
    with Emulator(answer=answer) as emulator:
        for fault in FAULTS:
            emulator.fault(**fault)
        job = Job(
            GRAPH, rows=rows, out=tmp_path / "run", channel=channel, base_url=emulator.url, budget_usd=BUDGET, slots=16
        )  # fmt: skip
        with pytest.raises(HaltedError, match="budget"):
            job.run_sync()
        paid = Decimal(emulator.bill()["totals"]["pico"]) / 10**12
    assert Decimal("0.0003") < paid <= Decimal(BUDGET)


@pytest.mark.parametrize("channel", ["live", "batch"])
def test_a_budget_in_tokens_halts_the_run_before_it_is_passed(tmp_path: Path, channel: str) -> None:
    rows = tickets(tmp_path / "rows.jsonl", 60)
    with pytest.raises(HaltedError, match="--budget-tokens"):
        Job(GRAPH, rows=rows, out=tmp_path / "run", channel=channel, budget_tokens=30_000, slots=16).run_sync()
    tokens = summary(tmp_path / "run")["tokens"]
    used = sum(tokens[kind] for kind in ("input", "cache_write_5m", "cache_write_1h", "cache_read", "output"))
    assert 10_000 < used <= 30_000


@pytest.mark.parametrize("channel", ["live", "batch"])
@pytest.mark.parametrize(("limit", "most"), [("usd", BUDGET), ("tokens", 60_000)])
def test_a_budget_halts_a_run_whose_replies_have_no_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, channel: str, limit: str, most: str | int
) -> None:
    """Such replies were once counted as free: 120 rows were sent under any budget, and the account said $0."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    rows, out = tickets(tmp_path / "rows.jsonl", 60), tmp_path / "run"
    with emulator(graph=GRAPH) as url, gateway(url, usage=False) as server:
        options = {"channel": channel, "base_url": server.url, "slots": 4, f"budget_{limit}": most}
        with pytest.raises(HaltedError, match=f"--budget-{limit}"):
            Job(GRAPH, rows=rows, out=out, **options).run_sync()
        paid = bill(url)["totals"]
        resumed = fanwise("resume", out, "--base-url", server.url, "--yes", env=environment(ANTHROPIC_API_KEY="k"))
        assert resumed.returncode == 3, resumed.stderr
        assert bill(url)["totals"] == paid, "a second session knows what the first one holds"
    account = summary(out)
    assert 0 < paid["pico"] <= Decimal(account["unpriced_upper_bound_usd"]) * 10**12
    if limit == "usd":
        assert Decimal(account["unpriced_upper_bound_usd"]) <= Decimal(most)
    attempts = account["attempts"]["succeeded"]
    assert account["unpriced_attempts"] == account["attempts_of_unknown_tokens"] == attempts > 0
    said = {line.partition("  ")[0]: line for line in fanwise("report", out).stdout.splitlines()}
    assert account["cash"]["paid_usd"] is None, "and not 0"
    state = fanwise("status", out).stdout
    assert ["cache", "unknown"] in [line.split() for line in state.splitlines()]
    assert said["cost"].split()[1] == "unknown" and f"of {attempts} attempts they are unknown" in said["tokens"]


@pytest.mark.parametrize("channel", ["live", "batch"])
def test_a_row_that_would_pass_its_own_budget_fails_and_the_others_go_on(tmp_path: Path, channel: str) -> None:
    path = tickets(tmp_path / "rows.jsonl", 20)
    long = {"id": "long", "subject": "s", "body": "Where is it? " * 900}
    with path.open("a") as file:
        file.write(json.dumps(long) + "\n")
    options = {"channel": channel, "row_budget_tokens": 12_000}
    account = Job(GRAPH, rows=path, out=tmp_path / "run", **options).run_sync()
    assert account.summary["rows"]["succeeded"] == 20
    failed = [line for line in account.results() if line["status"] == "failed"]
    assert [line["id"] for line in failed] == ["long"]
    assert "row_budget" in failed[0]["reason"] and "of 12000" in failed[0]["reason"].replace(",", "")
