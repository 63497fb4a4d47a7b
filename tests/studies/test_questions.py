"""Each question is a function of the library: it returns a record, prints nothing, and spends where it is told to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from fanwise import HaltedError, Job, RunDirectoryError, UsageError, agent, graph, when
from fanwise.studies.compare import compare
from fanwise.studies.diff import diff
from fanwise.studies.history import history
from fanwise.studies.plan.plan import SampleRun, carry_out, plan
from fanwise.studies.report import report, report_by
from support import lines, summary


class Row(BaseModel):
    id: str
    text: str


@agent(model="claude-haiku-5-5", max_tokens=100)
def shorten(text: str) -> str:
    """Make it short."""
    return text[:1]


@agent(model="claude-haiku-5-5", max_tokens=100)
def answer(shortened: str) -> str:
    """Answer."""
    return shortened.upper()


@graph
def job(row: Row) -> str:
    return answer(shorten(row.text))


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(f'{{"id": "{number}", "text": "text {number}", "right": "T"}}\n' for number in range(12)))
    return path


def test_a_plan_is_a_forecast_and_nothing_is_printed(rows: Path, capfd: pytest.CaptureFixture[str]) -> None:
    forecast = plan(job, rows=rows, simulate=4)
    assert (forecast.rows, forecast.sampled, forecast.simulated, forecast.paid) == (12, 4, True, False)
    price = forecast.price("live")
    assert price is not None and 0 < price.low <= price.expected <= price.high <= price.worst
    fanout = [agent for agent in forecast.agents if (agent.channel, agent.arm) == ("live", "fanout")]
    assert {agent.agent: agent.calls for agent in fanout} == {"shorten": 12, "answer": 12}
    assert capfd.readouterr() == ("", "")


def test_a_sample_is_carried_out_by_whoever_is_told_to_and_its_answers_are_kept(rows: Path, tmp_path: Path) -> None:
    asked: list[tuple[str, int]] = []

    def ask_first(sample: SampleRun) -> None:
        asked.append((sample.subject, sample.forecast().rows))
        carry_out(sample)

    forecast = plan(job, rows=rows, sample=3, out=tmp_path / "run", carry_out=ask_first)
    assert asked == [("the sample of 3 rows", 3)], "its price is that of its rows alone"
    assert (forecast.paid, forecast.sampled, forecast.rows) == (True, 3, 12)
    assert len(lines(tmp_path / "run" / "results.jsonl")) == 3


def test_whoever_refuses_to_carry_out_a_sample_ends_the_question(rows: Path, tmp_path: Path) -> None:
    def refuse(sample: SampleRun) -> None:
        raise UsageError("not started")

    with pytest.raises(UsageError, match="not started"):
        plan(job, rows=rows, sample=3, out=tmp_path / "run", carry_out=refuse)
    with pytest.raises(UsageError, match="not started"):
        compare(job, rows=rows, sample=3, out=tmp_path / "run", carry_out=refuse)
    assert not (tmp_path / "run").exists()


def test_a_budget_halts_a_sample(rows: Path, tmp_path: Path) -> None:
    with pytest.raises(HaltedError):
        compare(job, rows=rows, sample=5, out=tmp_path / "run", budget_usd="0.000001")
    assert summary(tmp_path / "run")["attempts"]["sent"] == 0


def test_a_comparison_scores_by_a_function_and_keeps_the_run_where_it_is_told_to(
    rows: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def half(output: str, row: Row, label: str) -> float:
        return 1.0 if output == label else 0.5

    comparison = compare(job, rows=rows, labels="right", score=half, sample=10, out=tmp_path / "run")
    assert (comparison.labelled, comparison.simulated, comparison.job_rows) == (True, True, 12)
    assert comparison.verdict.rows == 10
    assert (comparison.fanout.score, comparison.fanout.good) == (1.0, 10)
    assert comparison.shape == ("2 agents in 2 rounds, each waits for the one before",)
    assert summary(tmp_path / "run")["rows"]["succeeded"] == 10
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("question", "count"), [(plan, -1), (compare, 0)])
def test_a_sample_of_no_rows_is_refused(rows: Path, tmp_path: Path, question: Any, count: int) -> None:
    with pytest.raises(UsageError, match=f"^sample: {count} is not a whole number, [12] or more"):
        question(job, rows=rows, sample=count, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_runs_are_told_by_time_and_by_what_changed(
    rows: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / "runs" / "b", tmp_path / "runs" / "a"
    for out in (first, second):
        Job(job, rows=rows, out=out, channel="live").run_sync()
    past = history(tmp_path / "runs", labels="right", score=lambda output, row, label: 0.25, graph=job).runs
    assert [run.directory for run in past] == [str(first), str(second)]
    assert [(run.graph, run.quality, run.labelled_rows, run.changed) for run in past] == [("job", 0.25, 12, {})] * 2
    same = diff(first, second)
    assert same.rise_percent == 0
    assert same.before == same.after
    assert [(change.agent, change.changed) for change in same.agents] == [("shorten", ()), ("answer", ())]
    assert capfd.readouterr() == ("", "")


@graph
def short_where_long(row: Row) -> str:
    return when(row.text == "long", lambda: answer(shorten(row.text)), lambda: answer(row.text))


@graph
def alone(row: Row) -> str:
    return answer(row.text)


def test_who_was_not_asked_has_not_become_cheaper(tmp_path: Path) -> None:
    """An agent that a run did not come to ask had cost 100 % less than in the run before."""
    for name, asked, text in (
        ("both", short_where_long, "long"),
        ("one", short_where_long, "short"),
        ("gone", alone, "short"),
    ):
        Job(asked, rows=[{"id": "1", "text": text}], out=tmp_path / name, channel="live").run_sync()
    other, not_asked = diff(tmp_path / "both", tmp_path / "one").agents
    assert (other.agent, not_asked.agent) == ("answer", "shorten"), "last is what cannot be compared"
    assert not_asked.before and (not_asked.after, not_asked.difference, not_asked.calls_after) == (None, None, 0)
    gone = next(change for change in diff(tmp_path / "both", tmp_path / "gone").agents if change.agent == "shorten")
    assert gone.changed == ("gone",) and gone.after == 0, "what is not in the graph costs nothing"
    assert gone.difference == -not_asked.before


def test_a_report_is_the_account_of_a_run_with_its_bill_and_its_tables(
    rows: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    Job(job, rows=rows, out=tmp_path / "run", channel="live", reuse=False).run_sync()
    account = report(tmp_path / "run")
    none_set_aside = {"reasons": [], "other_reasons": 0, "other_rows": 0}
    assert account.summary == {**summary(tmp_path / "run"), "rejects": none_set_aside}
    assert account.summary["bill_usd"] == account.summary["cost_usd"], "the one that the session has fetched"
    assert {agent.agent: agent.attempts for agent in account.tables().agents} == {"shorten": 12, "answer": 12}
    assert len(list(account.results())) == 12
    groups = list(report_by(tmp_path / "run", "agent", "status"))
    assert {group.names: group.attempts for group in groups} == {
        ("shorten", "succeeded"): 12,
        ("answer", "succeeded"): 12,
    }
    assert capfd.readouterr() == ("", "")


def test_a_run_without_a_summary_file_is_reported_without_a_bill(rows: Path, tmp_path: Path) -> None:
    Job(job, rows=rows, out=tmp_path / "run", channel="live").run_sync()
    (tmp_path / "run" / "summary.json").unlink()
    for content in (None, "", "[1]", '{"bill_usd": 5}', "[" * 100_000):  # `[1]` was an AttributeError
        if content is not None:
            (tmp_path / "run" / "summary.json").write_text(content)
        account = report(tmp_path / "run")
        assert (account.summary["rows"]["succeeded"], account.summary["bill_usd"]) == (12, None)


def test_what_cannot_be_reported_is_told(tmp_path: Path) -> None:
    with pytest.raises(RunDirectoryError, match="no run directory"):
        report(tmp_path)
    with pytest.raises(RunDirectoryError, match="no run directory"):
        list(report_by(tmp_path, "agent"))
