"""Rows and answers of every shape take the whole way: request, stand-in, reply, journal, result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest
import shapes

from fanwise import Graph, Job, UsageError, resume

ROWS = [{"id": str(number), "n": number, "tags": ["b", "a"][: number % 3]} for number in range(6)]
EXPECTED: dict[str, list[Any]] = {
    "steps_only": [0, 2, 4],
    "may_be_missing": [{"text": [1]}, None, {"text": [1]}],
    "two_parameters": [
        {"table": {}, "pair": [0, "x"], "who": "me"},
        {"table": {"b": 1}, "pair": [1, "x"], "who": None},
        {"table": {"a": 2, "b": 2}, "pair": [2, "x"], "who": None},
    ],
    "indexed": [[], ["bb"], ["bb", "ab"]],
}


@pytest.mark.parametrize("channel", ["live", "batch"])
@pytest.mark.parametrize("name", EXPECTED)
def test_every_shape_takes_the_whole_way(tmp_path: Path, name: str, channel: str) -> None:
    """Found: an async stand-in could not be rehearsed for the baseline inside of a running loop."""
    job: Graph[..., Any] = getattr(shapes, name)
    account = Job(job, rows=ROWS, out=tmp_path / "run", channel=channel, baseline="auto").run_sync()
    assert account.summary["offline"] is True
    assert account.summary["cost_usd"] == account.summary["bill_usd"]
    assert account.summary["rows"]["succeeded"] == 6
    assert [line["output"] for line in account.results()][:3] == EXPECTED[name]
    assert (account.summary["multiplier"] is None) == (name == "steps_only")
    again = anyio.run(resume, tmp_path / "run")
    assert again.summary["attempts"] == account.summary["attempts"], "what was answered is read back as it was"
    assert [line["output"] for line in again.results()] == [line["output"] for line in account.results()]


def test_what_is_absent_in_a_row_is_an_outcome_of_its_task(tmp_path: Path) -> None:
    account = Job(shapes.absent, rows=ROWS, out=tmp_path / "run", channel="live").run_sync()
    found = [line["status"] for line in account.results()]
    assert found == ["failed", "failed", "succeeded"] * 2
    reason = next(account.results())["reason"]
    assert "pick: absent: there is no item 1 in a value of type list" in reason


@pytest.mark.parametrize("channel", ["live", "batch"])
def test_an_invalid_answer_is_asked_again_once_and_counted(tmp_path: Path, channel: str) -> None:
    account = Job(shapes.invalid, rows=ROWS, out=tmp_path / "run", channel=channel).run_sync()
    assert account.summary["attempts"]["sent"] == 12
    assert account.summary["attempts"]["retried"] == 6
    assert account.summary["failed_tasks"] == {"invalid_output": 6}
    assert account.summary["cost_usd"] == account.summary["bill_usd"] != "0", "both answers are paid"


def test_a_truncated_answer_is_kept_until_it_is_to_be_asked_again(tmp_path: Path) -> None:
    account = Job(shapes.truncated, rows=ROWS, out=tmp_path / "run", channel="live").run_sync()
    assert account.summary["failed_tasks"] == {"truncated": 6}
    assert "raise the agent's max_tokens" in next(account.results())["reason"]
    assert account.summary["attempts"]["sent"] == 12, "each is asked once more with a higher cap"
    assert anyio.run(resume, tmp_path / "run").summary["attempts"]["sent"] == 12

    async def retry(kind: str) -> int:
        return int((await resume(tmp_path / "run", retry=[kind])).summary["attempts"]["sent"])

    assert anyio.run(retry, "refused") == 12
    assert anyio.run(retry, "truncated") == 24


@pytest.mark.parametrize("channel", ["live", "batch"])
def test_an_answer_that_was_cut_off_fits_under_a_higher_cap(tmp_path: Path, channel: str) -> None:
    account = Job(shapes.tight, rows=ROWS, out=tmp_path / "run", channel=channel).run_sync()
    assert account.summary["rows"]["succeeded"] == 6
    assert (account.summary["attempts"]["sent"], account.summary["attempts"]["retried"]) == (12, 6)
    assert account.summary["cost_usd"] == account.summary["bill_usd"], "both attempts are paid and counted"


def test_a_resume_without_its_rows_or_its_graph_says_so(tmp_path: Path) -> None:
    rows, graph = tmp_path / "rows.jsonl", tmp_path / "mine.py"
    rows.write_text('{"id": "a", "n": 1, "tags": []}\n')
    graph.write_text(Path(shapes.__file__).read_text())
    Job(f"{graph}:steps_only", rows=rows, out=tmp_path / "run").run_sync()
    rows.unlink()
    with pytest.raises(UsageError, match="there is no rows file"):
        anyio.run(resume, tmp_path / "run")
    graph.unlink()
    with pytest.raises(UsageError, match="there is no file"):
        anyio.run(resume, tmp_path / "run")
