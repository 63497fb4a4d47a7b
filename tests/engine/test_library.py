"""The library: the same job in code."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest
from desk import Ticket, single, triage

from fanwise import HaltedError, Job, RunDirectoryError, resume


def test_a_job_in_code_gives_the_account(tmp_path: Path) -> None:
    rows = [Ticket(id=f"t{number}", subject=f"s{number}", body="One? Two?") for number in range(5)]
    account = Job(triage, rows=rows, out=tmp_path / "run", channel="live", baseline="auto").run_sync()
    assert account.ended == "completed"
    assert next(account.results())["output"]["text"] == "s0: other; About One? About Two?"
    assert account.summary["multiplier"]["rows"] == 5
    again = anyio.run(resume, tmp_path / "run")
    assert again.summary["attempts"] == account.summary["attempts"]


def test_errors_are_ours(tmp_path: Path) -> None:
    rows = [{"id": "a", "subject": "s", "body": "b"}]
    with pytest.raises(HaltedError, match="budget"):
        Job(single, rows=rows, out=tmp_path / "run", channel="live", budget_usd="0.000000001").run_sync()
    with pytest.raises(RunDirectoryError, match="resume"):
        Job(single, rows=rows, out=tmp_path / "run").run_sync()


def test_the_sample_of_the_baseline_is_the_same_every_time(tmp_path: Path) -> None:
    rows = [{"id": f"t{number}", "subject": "s", "body": "One?"} for number in range(30)]
    chosen: list[list[str]] = []
    for name in ("a", "b"):
        account = Job(triage, rows=rows, out=tmp_path / name, channel="live", baseline="auto", sample=7).run_sync()
        chosen.append([line["id"] for line in account.results() if line["multiplier"]])
    assert chosen[0] == chosen[1]
    assert len(chosen[0]) == 7
    other = Job(triage, rows=rows, out=tmp_path / "c", channel="live", baseline="auto", sample=7, seed=1).run_sync()
    drawn = [line["id"] for line in other.results() if line["multiplier"]]
    assert len(drawn) == 7
    assert drawn != chosen[0], "another seed draws other rows"


def test_neither_side_reads_the_others_cache(tmp_path: Path) -> None:
    rows = [{"id": f"t{number}", "subject": "s", "body": "One?"} for number in range(6)]
    account = Job(triage, rows=rows, out=tmp_path / "run", channel="live", baseline="auto", slots=1).run_sync()
    tokens = account.summary["tokens"]
    assert tokens["fanout"]["cache_write_5m"] > 512
    assert tokens["baseline"]["cache_write_5m"] > 512, "the handbook is written again for the baseline"


def test_one_agent_against_itself_has_a_multiplier_of_one(tmp_path: Path) -> None:
    """Found: a block that told the baseline apart was on its side alone; it is told by its own instructions now."""
    rows = [{"id": f"t{number}", "subject": f"s{number}", "body": "b"} for number in range(40)]
    graph = "tests/sample/desk.py:single"
    account = Job(single, rows=rows, out=tmp_path / "run", channel="live", baseline=graph).run_sync()
    tokens = account.summary["tokens"]
    assert tokens["baseline"] == tokens["fanout"]
    assert account.summary["attempts"]["baseline"]["sent"] == 40
    assert account.summary["fanout_usd"] == account.summary["baseline_usd"]
