"""Equal tasks are one call: in flight or done, in one session or over several, and their price is shared."""

from __future__ import annotations

import json
import signal
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest
from pydantic import BaseModel, field_validator

from fanwise import Job, agent, each, graph, resume, step, tool, when
from support import (
    bill,
    clear_faults,
    emulator,
    environment,
    fanwise,
    journal_value,
    lines,
    post,
    read_only,
    started,
    stored_bill,
    summary,
    wait_for,
)

GRAPH = """
from pydantic import BaseModel
from fanwise import agent, graph

class Letter(BaseModel):
    id: str
    body: str

@agent(model="claude-haiku-5-5")
def sort(body: str) -> str:
    '''Say what it is about.'''
    return f"about {body}"

@agent(model="claude-sonnet-5-5")
def draft(body: str, topic: str) -> str:
    '''Draft an answer.'''
    return f"{topic}: {body}"

@graph
def desk(letter: Letter) -> str:
    return draft(letter.body, sort(letter.body))
"""
AGENTS = ("fanout sort", "fanout draft", "baseline baseline")


class Letter(BaseModel):
    id: str
    body: str


def bodies(count: int, distinct: int) -> list[str]:
    """So many texts, of which so many are different; equal ones stand near and far."""
    return [f"letter {number if number < distinct else (number * 7) % distinct}" for number in range(count)]


def written(folder: Path, texts: Sequence[str]) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("".join(f"{json.dumps({'id': f'l{n}', 'body': text})}\n" for n, text in enumerate(texts)))
    return path


@pytest.fixture
def desk(tmp_path: Path) -> str:
    path = tmp_path / "equal_desk.py"
    path.write_text(GRAPH)
    return f"{path}:desk"


def calls(out: Path) -> dict[str, int]:
    """How many requests each agent has sent, by arm."""
    with read_only(out / "journal.db") as db:
        return dict(db.execute("SELECT arm||' '||agent, COUNT(*) FROM attempts GROUP BY arm, agent").fetchall())


def check_account(out: Path, rows: int) -> None:
    """Every row is done, once; what rows cost sums to the ledger, and that is the bill."""
    ended, account = lines(out / "results.jsonl"), summary(out)
    assert [line["row"] for line in ended] == list(range(1, rows + 1))
    assert {line["status"] for line in ended} == {"succeeded"}
    assert Decimal(account["cost_usd"]) == Decimal(account["cash"]["paid_usd"]) == Decimal(account["bill_usd"])
    assert sum(Decimal(line["cost_with_shared_usd"]) for line in ended) == Decimal(account["fanout_usd"])
    groups = fanwise("report", out, "--by", "side,row", "--json").stdout.splitlines()
    shares = sum(Decimal(json.loads(group)["cost_usd"] or 0) for group in groups)
    assert shares == Decimal(account["cost_usd"])


@pytest.mark.parametrize(
    "options", [("live", "--slots", 64), ("batch",), ("auto",)], ids=["live", "batch", "auto"]
)  # fmt: skip
@pytest.mark.parametrize(("count", "distinct"), [(60, 54), (60, 36), (40, 1)], ids=["10 %", "40 %", "all equal"])
def test_calls_are_distinct_tasks_and_all_results_are_there(
    tmp_path: Path, desk: str, count: int, distinct: int, options: tuple[Any, ...]
) -> None:
    texts, out = bodies(count, distinct), tmp_path / "run"
    run = ("run", desk, "--rows", written(tmp_path, texts), "--baseline", "auto", "--channel", *options)
    result = fanwise(*run, "--out", out)
    assert result.returncode == 0, result.stderr
    assert calls(out) == dict.fromkeys(AGENTS, distinct)
    assert len(stored_bill(out)) == 3 * distinct
    check_account(out, count)
    assert [line["output"] for line in lines(out / "results.jsonl")] == [f"about {text}: {text}" for text in texts]
    assert summary(out)["served_tasks"] == {
        "all": 3 * (count - distinct), "fanout": 2 * (count - distinct), "baseline": count - distinct,
    }  # fmt: skip
    assert f"{3 * (count - distinct):,} tasks more were served by those for equal ones" in result.stdout

    alone = tmp_path / "alone"
    assert fanwise(*run, "--out", alone, "--no-reuse").returncode == 0
    assert calls(alone) == dict.fromkeys(AGENTS, count)
    assert len(stored_bill(alone)) == 3 * count
    assert summary(alone)["served_tasks"] == {"all": 0, "fanout": 0, "baseline": 0}
    outputs = [[line["output"] for line in lines(folder / "results.jsonl")] for folder in (out, alone)]
    assert outputs[0] == outputs[1]


def test_what_equal_work_would_have_cost_is_a_lever_of_its_own(tmp_path: Path, desk: str) -> None:
    rows = written(tmp_path, ["a letter", "another", "a letter", "a letter"])
    for name, more in (("shared", ()), ("alone", ("--no-reuse",))):
        call = ("run", desk, "--rows", rows, "--out", tmp_path / name, "--channel", "live", *more)
        assert fanwise(*call).returncode == 0
    levers, alone = (summary(tmp_path / name)["levers"] for name in ("shared", "alone"))
    assert Decimal(alone["saved_usd"]["equal"]) == Decimal(alone["saved_in_reverse_usd"]["equal"]) == 0
    assert Decimal(levers["paid_usd"]) + Decimal(levers["saved_usd"]["equal"]) == Decimal(alone["paid_usd"])
    assert levers["naive_usd"] == alone["naive_usd"]
    for order in ("saved_usd", "saved_in_reverse_usd"):
        assert Decimal(levers["naive_usd"]) - sum(map(Decimal, levers[order].values())) == Decimal(levers["paid_usd"])
    assert "equal work paid once -$" in fanwise("report", tmp_path / "shared").stdout
    for account in (summary(tmp_path / name) for name in ("shared", "alone")):
        assert Decimal(account["floor_usd"]) <= Decimal(account["fanout_usd"])


def test_what_was_sent_for_another_is_said_to_have_served(tmp_path: Path, desk: str) -> None:
    out = tmp_path / "run"
    assert (
        fanwise("run", desk, "--rows", written(tmp_path, ["same", "same"]), "--out", out, "--slots", 1).returncode == 0
    )
    asked, served = (fanwise("show", out, row, "draft", "--graph", desk) for row in ("l0", "l1"))
    assert (asked.returncode, served.returncode) == (0, 0)
    assert asked.stderr.startswith("attempt 1: the same request\n")
    assert served.stderr.startswith("attempt 1: served by that of draft of row l0, the same request\n")
    assert fanwise("export", out, "--to", "jsonl", "--out", tmp_path / "tables").returncode == 0
    tasks = {(line["row_id"], line["task"]): line for line in lines(tmp_path / "tables" / "tasks.jsonl")}
    assert {key: (line["attempts"], line["served"]) for key, line in tasks.items()} == {
        ("l0", "sort"): (1, 0), ("l0", "draft"): (1, 0), ("l1", "sort"): (0, 1), ("l1", "draft"): (0, 1),
    }  # fmt: skip


# In flight, failed, in doubt -------------------------------------------------------------------------


def test_a_task_that_is_equal_to_one_under_way_waits_for_it(tmp_path: Path, desk: str) -> None:
    """Rows come while the first request is out, and its first try fails: both tries are shared by all."""
    rows = written(tmp_path, ["same"] * 200)
    out = tmp_path / "run"
    with emulator(graph=desk, latency_s=0.3) as url:
        post(f"{url}/_emulator/faults", {"status": 500, "count": 1, "path": "/v1/messages"})
        options = ("--base-url", url, "--channel", "live", "--slots", 2)
        result = fanwise("run", desk, "--rows", rows, "--out", out, *options, env=environment(ANTHROPIC_API_KEY="k"))
        assert result.returncode == 0, result.stderr
        assert bill(url)["totals"]["entries"] == 2
    assert calls(out) == {"fanout sort": 2, "fanout draft": 1}
    check_account(out, 200)
    with read_only(out / "journal.db") as db:
        assert {row[0] for row in db.execute("SELECT COUNT(*) FROM asks GROUP BY attempt")} == {200}
        counted = "SELECT COUNT(*) FROM asks b WHERE b.key=a.key AND b.attempt<=a.attempt"
        assert db.execute(f"SELECT COUNT(*) FROM asks a WHERE number<>({counted})").fetchone()[0] == 0


@pytest.mark.parametrize("channel", ["live", "batch"])
def test_a_failure_is_that_of_all_that_waited_and_is_asked_again_once(tmp_path: Path, desk: str, channel: str) -> None:
    rows, out = written(tmp_path, ["fine", "bad", "bad", "fine", "bad"]), tmp_path / "run"
    env = environment(ANTHROPIC_API_KEY="k")
    with emulator(graph=desk) as url:
        post(f"{url}/_emulator/faults", {"status": 400, "match": "bad", "message": "not this one"})
        options = ("--base-url", url, "--channel", channel)
        assert fanwise("run", desk, "--rows", rows, "--out", out, *options, env=env).returncode == 1
        ended = {line["id"]: line for line in lines(out / "results.jsonl")}
        assert [ended[f"l{n}"]["status"] for n in range(5)] == ["succeeded", "failed", "failed", "succeeded", "failed"]
        assert len({ended[name]["reason"] for name in ("l1", "l2", "l4")}) == 1
        assert "not this one" in ended["l4"]["reason"]
        assert calls(out) == {"fanout sort": 2, "fanout draft": 1}
        clear_faults(url)
        kept = fanwise("resume", out, *options, "--graph", desk, env=env)
        assert (kept.returncode, calls(out)) == (1, {"fanout sort": 2, "fanout draft": 1})
        again = fanwise("resume", out, *options, "--graph", desk, "--retry", "failed", env=env)
        assert again.returncode == 0, again.stderr
        assert calls(out) == {"fanout sort": 3, "fanout draft": 2}
        assert bill(url)["totals"]["entries"] == 4
    check_account(out, 5)


@agent(model="claude-opus-5-5", max_tokens=1_000)
def write(name: str) -> str:
    """Write a long letter."""
    return "a long letter " * 250


@agent(model="claude-haiku-5-5", max_tokens=50)
def note(name: str) -> str:
    """Write a note."""
    return "a note"


@agent(model="claude-opus-5-5", max_tokens=1_000)
def sign(body: str) -> str:
    """Sign it."""
    return f"{body}, yours"


@step
def after(first: str, body: str) -> str:
    return body


@graph
def signed(letter: Letter) -> str:
    first = when(letter.id == "long", lambda: write(letter.id), lambda: note(letter.id))
    return sign(after(first, letter.body))


def test_a_row_that_has_no_budget_left_takes_no_other_with_it(tmp_path: Path) -> None:
    """What the first row is asked for does not fit into what it may cost; an equal task of others has room."""
    rows = [{"id": name, "body": "same"} for name in ("long", "a", "b")]
    job = Job(signed, rows=rows, out=tmp_path / "run", channel="live", slots=1, row_budget_usd="0.045")
    account = job.run_sync().summary
    ended = [(line["id"], line["status"]) for line in lines(tmp_path / "run" / "results.jsonl")]
    assert ended == [("long", "failed"), ("a", "succeeded"), ("b", "succeeded")]
    assert calls(tmp_path / "run") == {"fanout write": 1, "fanout note": 2, "fanout sign": 1}
    assert account["failed_tasks"] == {"row_budget": 1}
    assert account["cost_usd"] == account["bill_usd"]


# Over sessions ---------------------------------------------------------------------------------------


@agent(model="claude-haiku-5-5")
def classify(body: str) -> str:
    """Say what it is about."""
    return f"about {body}"


@graph
def single(letter: Letter) -> str:
    return classify(letter.body)


def carried_out(folder: Path, texts: Sequence[str], *, again: bool = False, flow: Any = single, **fields: Any) -> Any:
    rows = written(folder, texts)
    if again:
        return anyio.run(lambda: resume(folder / "run", graph=flow, **fields)).summary
    return Job(flow, rows=rows, out=folder / "run", **{"channel": "live", **fields}).run_sync().summary


@pytest.mark.parametrize("channel", ["live", "batch"])
def test_an_edited_row_is_served_by_what_an_earlier_session_has_paid(tmp_path: Path, channel: str) -> None:
    carried_out(tmp_path, ["one", "two", "three"], channel=channel)
    after = carried_out(tmp_path, ["one", "one", "three", "two"], again=True)
    assert calls(tmp_path / "run") == {"fanout classify": 3}
    assert [line["output"] for line in lines(tmp_path / "run" / "results.jsonl")] == [
        "about one", "about one", "about three", "about two",
    ]  # fmt: skip
    assert after["served_tasks"]["all"] == 1
    assert after["cost_usd"] == after["cash"]["paid_usd"] == after["bill_usd"]


def test_what_is_left_of_two_rows_pays_the_whole(tmp_path: Path) -> None:
    first = carried_out(tmp_path, ["same", "same", "other"])
    costs = {line["id"]: Decimal(line["cost_usd"]) for line in lines(tmp_path / "run" / "results.jsonl")}
    assert abs(costs["l0"] - costs["l1"]) <= Decimal("1e-12")
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(rows.read_text().splitlines(keepends=True)[1:]))
    after = anyio.run(lambda: resume(tmp_path / "run", graph=single)).summary
    left = {line["id"]: Decimal(line["cost_usd"]) for line in lines(tmp_path / "run" / "results.jsonl")}
    assert left == {"l1": costs["l0"] + costs["l1"], "l2": costs["l2"]}
    assert after["cost_usd"] == first["cost_usd"] == after["cash"]["paid_usd"]
    assert (after["cash"]["left"]["attempts"], after["cash"]["left"]["usd"]) == (0, "0")
    assert after["served_tasks"]["all"] == 0
    rows.write_text('{"id": "l2", "body": "other"}\n')
    gone = anyio.run(lambda: resume(tmp_path / "run", graph=single)).summary
    assert (gone["cash"]["left"]["attempts"], Decimal(gone["cash"]["left"]["usd"])) == (1, left["l1"])
    assert Decimal(gone["cost_usd"]) + left["l1"] == Decimal(gone["cash"]["paid_usd"])


def test_answers_of_a_session_without_reuse_serve_nobody(tmp_path: Path) -> None:
    carried_out(tmp_path, ["one", "two"], reuse=False)
    after = carried_out(tmp_path, ["one", "two", "one", "one"], again=True, reuse=True)
    assert calls(tmp_path / "run") == {"fanout classify": 3}
    assert after["served_tasks"]["all"] == 1
    again = carried_out(tmp_path, ["one", "two", "one", "one", "one"], again=True)
    assert calls(tmp_path / "run") == {"fanout classify": 4}, "a session that names nothing goes on as the run began"
    assert again["served_tasks"]["all"] == 1


MOMENTS = {
    "live": "SELECT COUNT(*)>30 FROM ends",
    "batch": "SELECT COUNT(*) FROM batches WHERE state='created'",
}


@pytest.mark.parametrize("then", ["live", "batch"])
@pytest.mark.parametrize("channel", ["live", "batch"])
def test_a_run_that_was_killed_serves_nothing_twice(tmp_path: Path, desk: str, channel: str, then: str) -> None:
    texts, out = bodies(300, 180), tmp_path / "run"
    options = ("--batch-delay-s", 1, "--latency-s", 0.05, "--graph", desk)
    rows = written(tmp_path, texts)
    run = started("run", desk, "--rows", rows, "--out", out, "--channel", channel, *options[:4])
    wait_for(lambda: journal_value(out, MOMENTS[channel]), channel)
    run.send_signal(signal.SIGKILL)
    run.wait()
    resumed = fanwise("resume", out, "--channel", then, *options)
    assert resumed.returncode == 0, resumed.stderr
    account = summary(out)
    lost = account["attempts"]["lost"]
    assert [line["output"] for line in lines(out / "results.jsonl")] == [f"about {text}: {text}" for text in texts]
    with read_only(out / "journal.db") as db:
        served = dict(
            db.execute("SELECT agent, COUNT(DISTINCT work) FROM asks k JOIN attempts a ON a.id=k.attempt GROUP BY 1")
        )
        answered = "SELECT COUNT(*) FROM attempts a JOIN ends e ON e.attempt=a.id WHERE e.status='succeeded'"
        assert served == {"sort": 180, "draft": 180}
        assert db.execute(answered).fetchone()[0] == 360
        doubled = "SELECT COUNT(*) FROM (SELECT 1 FROM asks GROUP BY attempt, key HAVING COUNT(*)>1)"
        assert db.execute(doubled).fetchone()[0] == 0
        assert db.execute("SELECT COUNT(*) FROM tasks WHERE status='done'").fetchone()[0] == 600
    if channel == "batch":
        assert lost == 0
    if not lost:
        check_account(out, 300)
    assert sum(entry["pico"] for entry in stored_bill(out)) >= Decimal(account["cost_usd"]) * 10**12
    known = sum(Decimal(line["cost_with_shared_usd"] or 0) for line in lines(out / "results.jsonl"))
    assert known == Decimal(account["fanout_usd"])


def test_an_answer_that_is_still_in_a_batch_is_waited_for_by_an_equal_task(tmp_path: Path, desk: str) -> None:
    """The row that it was sent for has left the file meanwhile; an equal one has come."""
    out, rows = tmp_path / "run", written(tmp_path, ["one", "two", "one"])
    options = ("--batch-delay-s", 2, "--channel", "batch")
    detached = fanwise("run", desk, "--rows", rows, "--out", out, *options, "--detach")
    assert "resume" in detached.stderr + detached.stdout
    rows.write_text(
        "".join(f"{json.dumps({'id': name, 'body': body})}\n" for name, body in (("n0", "one"), ("l1", "two")))
    )
    resumed = fanwise("resume", out, *options, "--graph", desk)
    assert resumed.returncode == 0, resumed.stderr
    assert calls(out) == {"fanout sort": 2, "fanout draft": 2}
    account = summary(out)
    assert account["cost_usd"] == account["cash"]["paid_usd"] == account["bill_usd"]
    assert [line["output"] for line in lines(out / "results.jsonl")] == ["about one: one", "about two: two"]


# What varies on purpose ------------------------------------------------------------------------------


class Mood(BaseModel):
    words: list[str]


@step
def noted(mood: Mood) -> list[str]:
    mood.words.append("noted")
    return mood.words


def test_every_task_has_a_value_of_its_own(tmp_path: Path) -> None:
    """What a step does to one row's value is seen in no other."""

    @agent(model="claude-haiku-5-5")
    def feel(body: str) -> Mood:
        """Say how it sounds."""
        return Mood(words=[body])

    @graph
    def moods(letter: Letter) -> list[str]:
        return noted(feel(letter.body))

    carried_out(tmp_path, ["same"] * 5, flow=moods)
    assert calls(tmp_path / "run") == {"fanout feel": 1}
    assert [line["output"] for line in lines(tmp_path / "run" / "results.jsonl")] == [["same", "noted"]] * 5


@pytest.mark.parametrize("pack", [None, 4], ids=["alone", "packed"])
def test_a_validator_of_another_mind_costs_one_row(tmp_path: Path, pack: int | None) -> None:
    """Found: a task that was served by an equal one's input of a pack, whose own value was refused, had no outcome.

    The run was halted: 1 row waited for 0 requests.
    """
    read: list[str] = []

    class Said(BaseModel):
        text: str

        @field_validator("text")
        @classmethod
        def is_new(cls, text: str) -> str:
            read.append(text)
            if text == "same" and read.count(text) == 3:  # by the stand-in, for the first task, and for the second
                raise ValueError("of another mind")
            return text

    @agent(model="claude-haiku-5-5", pack=pack)
    def say(body: str) -> Said:
        """Say it again."""
        return Said.model_construct(text=body)

    @graph
    def said(letter: Letter) -> Said:
        return say(letter.body)

    carried_out(tmp_path, ["same", "one", "same", "two", "same"], flow=said)
    ended = lines(tmp_path / "run" / "results.jsonl")
    assert [line["status"] for line in ended].count("failed") == 1
    assert {line["row"] for line in ended} == {1, 2, 3, 4, 5}
    (failed,) = (line for line in ended if line["status"] == "failed")
    assert "invalid_output" in failed["reason"]
    assert "of another mind" in failed["reason"]


def draws(**settings: Any) -> Any:
    """A graph that draws three times for each row, by an agent of these settings."""

    def draw(body: str) -> str:
        """Draw one."""
        return body

    drawing = agent(model="claude-haiku-5-5", **settings)(draw)

    def drawn(letter: Letter) -> list[str]:
        return joined(drawing(letter.body), drawing(letter.body), each(split(letter.body), drawing))

    return graph(drawn)


@step
def split(body: str) -> list[str]:
    return [body, body]


@step
def joined(first: str, second: str, more: list[str]) -> list[str]:
    return [first, second, *more]


@tool
def look_up(name: str) -> str:
    """Look it up."""
    return name


@pytest.mark.parametrize(
    ("settings", "sent"),
    [({}, 1), ({"reuse": False}, 8), ({"tools": [look_up]}, 8), ({"tools": [look_up], "reuse": True}, 1)],
    ids=["equal", "not to be reused", "with tools", "with tools, to be reused"],
)
def test_tasks_of_other_nodes_and_items_are_equal_where_their_agent_allows_it(
    tmp_path: Path, settings: dict[str, Any], sent: int
) -> None:
    after = carried_out(tmp_path, ["same", "same"], flow=draws(**settings))
    assert calls(tmp_path / "run") == {"fanout draw": sent}
    assert after["served_tasks"]["all"] == 8 - sent
    assert after["cost_usd"] == after["bill_usd"]
    assert [line["output"] for line in lines(tmp_path / "run" / "results.jsonl")] == [["same"] * 4] * 2


def test_one_agent_does_not_reuse_where_the_fan_out_does_not(tmp_path: Path) -> None:
    varied = draws(reuse=False)
    carried_out(tmp_path, ["same", "same"], flow=varied, baseline="auto")
    assert calls(tmp_path / "run") == {"fanout draw": 8, "baseline baseline": 2}
