"""What a plan says of tasks that are equal to others, which serve them, against what the job then does and costs."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from fanwise import Job, agent, each, graph, step, when
from fanwise.canonical import digest, dumps
from fanwise.job.spec import JobSpec
from fanwise.journal.records import Channel
from fanwise.ledger.forecast import CHANNELS, Forecast
from fanwise.rendering.console import standard_output
from fanwise.rendering.forecast import show_forecast
from fanwise.studies.plan.different import Different
from fanwise.studies.plan.drawn import draw_contents
from fanwise.studies.plan.forecast import forecast_job
from fanwise.studies.plan.plan import plan
from fanwise.units import pico_from_usd

ROWS = 60
FIRST = "Keep to what the desk has agreed on, and to nothing else. " * 4


class Mail(BaseModel):
    id: str
    subject: str
    body: str


@agent(model="claude-haiku-5-5", max_tokens=200)
def sort(subject: str) -> str:
    """Say what the mail is about."""
    return f"about {subject}"


@agent(model="claude-sonnet-5-5", max_tokens=4_000)
def draft(body: str, topic: str) -> str:
    """Draft an answer."""
    return f"On {topic}: " + body[: len(body) // 2]


@graph
def answered(mail: Mail) -> str:
    return draft(mail.body, sort(mail.subject))


def mails(seed: int, share: float, count: int = ROWS) -> list[dict[str, Any]]:
    """Rows of which a share repeats others: half of these are copies, and half have the subject of another alone."""
    chance = random.Random(f"{seed} {share}")
    rows: list[dict[str, Any]] = []
    for number in range(count):
        length = max(round(chance.lognormvariate(0, 0.7) * 300), 20)
        row = {"subject": f"subject {number} " + "so " * chance.randint(1, 9), "body": f"{number} " + "a b " * length}
        if rows and chance.random() < share:
            other = chance.choice(rows)
            row = {**(other if chance.random() < 0.5 else {**row, "subject": other["subject"]})}
        rows.append({**row, "id": f"m{number}"})
    return rows


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def calls_made(out: Path) -> dict[tuple[str, str], int]:
    db = sqlite3.connect(out / "journal.db")
    counts = {
        (arm, name): count for arm, name, count in db.execute("SELECT arm, agent, COUNT(*) FROM attempts GROUP BY 1, 2")
    }
    db.close()
    return counts


def calls_planned(forecast: Forecast, channel: Channel) -> dict[tuple[str, str], int]:
    return {(one.arm, one.agent): one.calls for one in forecast.agents if one.channel == channel}


@pytest.mark.parametrize("share", [0.0, 0.1, 0.25, 0.4])
@pytest.mark.parametrize("reuse", [True, False])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_plan_holds_bill_and_calls_of_rows_that_repeat_others(
    tmp_path: Path, share: float, reuse: bool, seed: int
) -> None:
    rows = written(tmp_path / "rows.jsonl", mails(seed, share))
    forecast = plan(answered, rows=rows, reuse=reuse)
    for channel in CHANNELS:
        out = tmp_path / channel
        account = Job(answered, rows=rows, out=out, channel=channel, baseline="auto", reuse=reuse).run_sync().summary
        assert calls_planned(forecast, channel) == calls_made(out)
        for arm in ("fanout", "baseline"):
            price, paid = forecast.price(channel, arm), pico_from_usd(account[f"{arm}_usd"])
            assert price is not None
            assert price.low <= paid <= price.high <= price.worst, (channel, arm)
            assert abs(price.expected / paid - 1) < 0.02, (channel, arm, price.expected / paid)


@pytest.mark.parametrize("share", [0.0, 0.25])
def test_rows_over_and_over_cost_no_less_in_all_and_no_more_each(tmp_path: Path, share: float) -> None:
    kinds, before = mails(3, share, 30), None
    for times in (1, 2, 3, 7):
        rows = [{**row, "id": f"{row['id']} {time}"} for time in range(times) for row in kinds]
        after = plan(answered, rows=written(tmp_path / "rows.jsonl", rows))
        if before is not None:
            for less, more in zip(before.prices, after.prices, strict=True):
                few, many = before.rows, after.rows
                assert more.expected >= less.expected - 1, "but for what is rounded"
                assert more.expected * few <= less.expected * many
                assert less.expected == pytest.approx(more.expected, rel=1e-6), "what repeats is served"
        before = after


class Note(BaseModel):
    id: str
    text: str
    urgent: bool = False
    lines: list[str] = []


@agent(model="claude-haiku-5-5")
def label(text: str) -> bool:
    """Is it a question?"""
    return text.endswith("?")


@agent(model="claude-haiku-5-5")
def reply(text: str, question: bool) -> str:
    """Reply."""
    return f"{question} {text}"


@agent(model="claude-haiku-5-5")
def by_label(question: bool) -> str:
    """Say it in a word."""
    return str(question)


@step
def shortened(text: str) -> str:
    return text[:3]


@graph
def parts(note: Note) -> list[str]:
    """What stands in lists, behind steps and behind conditions of the row is known before anybody is asked."""
    return each(note.lines, lambda line: reply(shortened(line), note.urgent))


@graph
def urgent(note: Note) -> str | None:
    return when(note.urgent, lambda: reply(note.text, note.urgent), lambda: None)


@graph
def labelled(note: Note) -> str:
    """What stands behind a label is known to be equal only where the texts are."""
    return by_label(label(note.text))


def notes(count: int) -> list[dict[str, Any]]:
    return [
        {
            "id": f"n{number}", "text": f"{number % 20} {'?' if number % 3 else '.'}", "urgent": number % 2 == 0,
            "lines": [f"{number % 7} line {place}" for place in range(number % 4)],
        }
        for number in range(count)
    ]  # fmt: skip


@pytest.mark.parametrize("job", [parts, urgent])
def test_calls_are_exact_where_equality_follows_from_what_rows_hold(tmp_path: Path, job: Any) -> None:
    rows = written(tmp_path / "rows.jsonl", notes(40))
    forecast = plan(job, rows=rows)
    Job(job, rows=rows, out=tmp_path / "run", channel="live").run_sync()
    planned = {key: calls for key, calls in calls_planned(forecast, "live").items() if key[0] == "fanout"}
    assert planned == calls_made(tmp_path / "run")


def test_answers_that_come_out_equal_lower_the_low_end_alone_and_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = written(tmp_path / "rows.jsonl", notes(60))
    forecast = plan(labelled, rows=rows)
    bill = pico_from_usd(Job(labelled, rows=rows, out=tmp_path / "run", channel="live").run_sync().summary["bill_usd"])
    price = forecast.price("live")
    assert price is not None
    assert price.low <= bill < price.expected
    (told,) = [one for one in forecast.agents if (one.channel, one.arm, one.agent) == ("live", "fanout", "by_label")]
    assert (told.tasks, told.calls, told.served, told.served_at_most) == (60, 40, 20, 58)
    assert calls_made(tmp_path / "run")["fanout", "by_label"] == 2
    show_forecast(forecast, standard_output())
    shown = " ".join(capsys.readouterr().out.split())
    assert "of 120 tasks of the fan-out 40 are equal to others and are served by them, 78 if answers come out" in shown
    alone = plan(labelled, rows=rows, reuse=False)
    assert {one.served_at_most for one in alone.agents} == {0}


def test_different_tasks_are_estimated_where_they_are_too_many_to_keep() -> None:
    chance = random.Random(4)
    works = [
        digest(str(chance.randrange(2_000) if chance.random() < 0.4 else f"{number} alone")) for number in range(9_000)
    ]
    counted, estimated, apart = Different(), Different(most=500), Different(most=500)
    for number, work in enumerate(works):
        counted.add(work)
        estimated.add(work)
        apart.add(digest(str(number)))
    assert (counted.different, counted.off) == (len(set(works)), 0.0)
    assert 0 < estimated.off < 0.2
    assert abs(estimated.different / counted.different - 1) <= estimated.off
    assert (apart.different, apart.tasks) == (9_000, 9_000), "where none is equal to another that is exact"


def test_a_single_agent_on_a_sample_is_served_by_what_is_in_the_sample(tmp_path: Path) -> None:
    rows = written(tmp_path / "rows.jsonl", mails(5, 0.4))
    spec = JobSpec(graph=answered, rows=rows, baseline="auto", sample=15, channel="live")
    forecast = forecast_job(spec, draw_contents(spec, 20), channels=("live",), alternatives=False)
    account = (
        Job(answered, rows=rows, out=tmp_path / "run", channel="live", baseline="auto", sample=15).run_sync().summary
    )
    assert calls_planned(forecast, "live") == calls_made(tmp_path / "run")
    price, paid = forecast.price("live", "baseline"), pico_from_usd(account["baseline_usd"])
    assert price is not None and price.low <= paid <= price.high
