"""The bill never passes the budget, whatever goes wrong."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from fanwise import Emulator, HaltedError, Job
from fanwise.engine.load import load_graph
from fanwise.engine.plan import make_plans
from fanwise.engine.standin import answerer
from support import DESK, tickets

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
    answer = answerer(make_plans({"fanout": load_graph(GRAPH).spec}))
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
