"""Answers of other runs: taken where a task is equal, at the price that was paid there, and at none here."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from fanwise import Block, Emulator, Job, agent, graph, resume, step
from fanwise.errors import FanwiseError
from fanwise.job.otherruns import answers_priced
from fanwise.job.spec import JobSpec
from fanwise.job.watcher import Watcher
from fanwise.studies.plan.rest import rest_of_new_run
from support import fanwise, lines, read_only, summary


class Letter(BaseModel):
    id: str
    body: str


@agent(model="claude-haiku-5-5")
def sort(body: str) -> str:
    """Say what it is about."""
    return f"about {body}"


@agent(model="claude-sonnet-5-5")
def draft(body: str, topic: str) -> str:
    """Draft an answer."""
    return f"{topic}: {body}"


@graph
def desk(letter: Letter) -> str:
    return draft(letter.body, sort(letter.body))


@step
def shout(text: str) -> str:
    return text.upper()


@graph
def sorting(letter: Letter) -> str:
    """Another graph, another node, the same agent."""
    return shout(sort(letter.body))


def ran(out: Path, bodies: Sequence[str], flow: Any = desk, **fields: Any) -> dict[str, Any]:
    rows = [{"id": f"{out.name}{number}", "body": body} for number, body in enumerate(bodies)]
    return Job(flow, rows=rows, out=out, **{"channel": "live", **fields}).run_sync().summary


def sent(out: Path) -> int:
    """Requests that the run has sent itself, by its journal."""
    with read_only(out / "journal.db") as db:
        return db.execute("SELECT COUNT(*) FROM attempts WHERE NOT taken").fetchone()[0]


def outputs(out: Path) -> list[Any]:
    return [line["output"] for line in lines(out / "results.jsonl")]


@pytest.mark.parametrize("channel", ["live", "batch", "auto"])
@pytest.mark.parametrize("baseline", ["none", "auto"])
def test_what_another_run_has_answered_is_not_paid_again(tmp_path: Path, channel: str, baseline: str) -> None:
    """By hand: the account is what both have paid for what this one needs, cash what it has paid itself."""
    how: dict[str, Any] = {"channel": channel, "baseline": baseline}
    first = ran(tmp_path / "first", ["a", "b", "c"], **how)
    out = tmp_path / "second"
    second = ran(out, ["c", "new", "a", "b"], reuse_from=[tmp_path / "first"], **how)
    assert outputs(out) == [f"about {body}: {body}" for body in ("c", "new", "a", "b")]
    assert sent(out) == (2 if baseline == "none" else 3)
    taken = second["cash"]["taken"]
    (run,) = taken["from"]
    assert (run["directory"], run["attempts"]) == (str((tmp_path / "first").resolve()), taken["attempts"])
    assert Decimal(taken["usd"]) == Decimal(first["cost_usd"]), "all of it is needed"
    assert Decimal(second["cost_usd"]) == Decimal(second["cash"]["paid_usd"]) + Decimal(taken["usd"])
    assert Decimal(second["cash"]["paid_usd"]) == Decimal(second["bill_usd"])
    assert Decimal(second["cash"]["replaced"]["usd"]) == 0
    rows = sum(Decimal(line["cost_with_shared_usd"]) for line in lines(out / "results.jsonl"))
    assert rows == Decimal(second["fanout_usd"])
    assert Decimal(second["floor_usd"]) <= Decimal(second["fanout_usd"])
    text = fanwise("report", out).stdout
    assert "of the cost was paid in" in text
    assert "paid in all $" in text


def test_an_agent_serves_another_graph_and_equal_tasks_there_once(tmp_path: Path) -> None:
    ran(tmp_path / "first", ["a", "b"])
    out = tmp_path / "second"
    after = ran(out, ["a", "a", "b", "c", "a"], sorting, reuse_from=[tmp_path / "first"])
    assert outputs(out) == ["ABOUT A", "ABOUT A", "ABOUT B", "ABOUT C", "ABOUT A"]
    assert sent(out) == 1
    assert (after["served_tasks"]["all"], after["cash"]["taken"]["attempts"]) == (2, 2)
    with read_only(tmp_path / "first" / "journal.db") as db:
        there = db.execute("SELECT SUM(cost) FROM all_paid WHERE agent='sort'").fetchone()[0]
    assert Decimal(after["cash"]["taken"]["usd"]) == Decimal(there).scaleb(-12)


def test_it_is_taken_once_for_good(tmp_path: Path) -> None:
    """A resumed run has what it has taken, though the other is gone; what is missing is asked, and that is said."""
    ran(tmp_path / "first", ["a", "b"])
    out, rows = tmp_path / "second", tmp_path / "rows.jsonl"
    rows.write_text('{"id": "x", "body": "a"}\n')
    begun = Job(desk, rows=rows, out=out, channel="live", reuse_from=[tmp_path / "first"]).run_sync().summary
    assert sent(out) == 0
    assert begun["cash"]["paid_usd"] == "0"
    shutil.rmtree(tmp_path / "first")
    rows.write_text('{"id": "x", "body": "a"}\n{"id": "y", "body": "b"}\n')
    watcher = Watcher()
    account = anyio.run(lambda: resume(out, watcher, graph=desk))
    assert sent(out) == 2
    assert outputs(out) == ["about a: a", "about b: b"]
    assert any("unless --reuse names it again" in note for note in watcher.notes)
    assert Decimal(account.summary["cost_usd"]) > Decimal(account.summary["cash"]["paid_usd"]) > 0
    rows.write_text('{"id": "y", "body": "b"}\n')
    left = anyio.run(lambda: resume(out, graph=desk)).summary
    assert left["cost_usd"] == left["cash"]["paid_usd"], "what was taken for a row that left is in no figure"
    assert left["cash"]["taken"]["attempts"] == left["cash"]["left"]["attempts"] == 0


def test_simulated_and_real_answers_are_not_mixed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran(tmp_path / "first", ["a"])
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    with closing(sqlite3.connect(tmp_path / "first" / "journal.db")) as db:
        db.execute("UPDATE meta SET value='false' WHERE key='offline'")
        db.commit()
    with Emulator() as emulator, pytest.raises(FanwiseError, match="never mixed"):
        ran(tmp_path / "second", ["a"], reuse_from=[tmp_path / "first"], base_url=emulator.url)
    assert not (tmp_path / "second").exists(), "a start that is refused leaves nothing behind"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"reuse_from": ["none"]}, "no run directory"),
        ({"reuse_from": "first"}, "put it into a list"),
        ({"reuse_from": [""]}, "is no path"),
        ({"reuse_from": ["first"], "reuse": False}, "leave one of them out"),
    ],
    ids=["none", "one text", "nothing", "no reuse"],
)
def test_what_cannot_be_taken_from_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    ran(tmp_path / "first", ["a"])
    with pytest.raises(FanwiseError, match=said):
        ran(tmp_path / "second", ["a"], **fields)
    assert not (tmp_path / "second").exists()


def test_the_command_line_takes_directories(tmp_path: Path) -> None:
    (tmp_path / "desk.py").write_text(
        "from fanwise import agent, graph\n\n\n@agent(model='claude-haiku-5-5')\ndef sort(body: str) -> str:\n"
        '    """Say what it is about."""\n    return f\'about {body}\'\n\n\n'
        "@graph\ndef sorting(body: str) -> str:\n    return sort(body)\n"
    )
    graph_of, runs = f"{tmp_path / 'desk.py'}:sorting", [tmp_path / name for name in ("first", "second", "third")]
    for number, out in enumerate(runs):
        rows = tmp_path / f"{number}.jsonl"
        rows.write_text("".join(json.dumps({"body": body}) + "\n" for body in ("abc"[number], "abc"[number - 1])))
        others = [word for other in runs[:number] for word in ("--reuse", other)]
        result = fanwise("run", graph_of, "--rows", rows, "--out", out, *others)
        assert result.returncode == 0, result.stderr
    assert [sent(out) for out in runs] == [2, 1, 0]
    assert [run["attempts"] for run in summary(runs[2])["cash"]["taken"]["from"]] == [1, 1]
    shown = fanwise("show", runs[2], "1", "sort", "--graph", graph_of)
    assert shown.stderr.startswith(f"attempt 1: taken of {runs[0]}, the same request\n"), shown.stderr
    assert fanwise("export", runs[2], "--to", "jsonl", "--out", tmp_path / "tables").returncode == 0
    assert [line["taken"] for line in lines(tmp_path / "tables" / "attempts.jsonl")] == [1, 2]


@pytest.mark.parametrize(("bodies", "owed"), [("abcabc", 0), ("abcx", 1), ("axyzz", 4)])
@pytest.mark.parametrize("baseline", ["none", "auto"])
def test_the_price_before_a_run_takes_off_what_will_be_taken(
    tmp_path: Path, bodies: str, owed: int, baseline: str
) -> None:
    ran(tmp_path / "first", ["a", "b", "c"], baseline=baseline)
    rows = [{"id": f"r{number}", "body": body} for number, body in enumerate(bodies)]
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    how: dict[str, Any] = {"channel": "live", "baseline": baseline, "reuse_from": [tmp_path / "first"]}
    spec = JobSpec(graph=desk, rows=file, out=tmp_path / "second", **how)
    with answers_priced(spec) as elsewhere:
        assert elsewhere is not None
        rest = rest_of_new_run(spec, 20, elsewhere)
    total = rest.forecast.total()
    assert total is not None
    paid = Decimal(Job(desk, rows=file, out=tmp_path / "second", **how).run_sync().summary["cash"]["paid_usd"])
    assert rest.rows == owed
    assert total.low <= paid * 10**12 <= total.high
    assert (total.worst == 0) == (owed == 0) == (paid == 0)


@agent(model="claude-haiku-5-5", pack=4)
def packed(body: str) -> str:
    """Say what it is about."""
    return f"about {body}"


@graph
def packing(letter: Letter) -> str:
    return packed(letter.body)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=9),
    st.lists(st.sampled_from("abcdefghij"), min_size=1, max_size=9),
    st.sampled_from([desk, packing]),
    st.sampled_from(["live", "batch"]),
)
def test_any_two_runs_cost_what_their_distinct_tasks_cost(
    tmp_path_factory: pytest.TempPathFactory, first: list[str], second: list[str], flow: Any, channel: str
) -> None:
    """What the second pays are the tasks that the first has not; of a pack, a part of its price is taken."""
    folder = tmp_path_factory.mktemp("taken")
    ran(folder / "first", first, flow, channel=channel)
    after = ran(folder / "second", second, flow, channel=channel, reuse_from=[folder / "first"])
    assert len(outputs(folder / "second")) == len(second)
    assert all(output.endswith(body) for output, body in zip(outputs(folder / "second"), second, strict=True))
    agents = 2 if flow is desk else 1
    with read_only(folder / "second" / "journal.db") as db:
        works = db.execute(
            "SELECT COUNT(DISTINCT k.work) FROM asks k JOIN attempts a ON a.id=k.attempt WHERE NOT taken"
        )
        assert works.fetchone()[0] == agents * len({*second} - {*first})
        assert db.execute("SELECT COUNT(*) FROM attempts WHERE taken").fetchone()[0] == agents * len(
            {*second} & {*first}
        )
    with read_only(folder / "first" / "journal.db") as db:
        price: dict[str, int] = {}
        for work, cost, size in db.execute(
            "SELECT k.work, e.cost, (SELECT COUNT(DISTINCT o.work) FROM asks o WHERE o.attempt=k.attempt)"
            " FROM asks k JOIN ends e ON e.attempt=k.attempt GROUP BY k.work"
        ):
            price[work] = cost // size
    with read_only(folder / "second" / "journal.db") as db:
        for work, cost in db.execute(
            "SELECT DISTINCT k.work, e.cost FROM asks k JOIN attempts a ON a.id=k.attempt"
            " JOIN ends e ON e.attempt=a.id WHERE a.taken"
        ):
            assert cost - price[work] in (0, 1), "whole picodollars"
    assert Decimal(after["cost_usd"]) == Decimal(after["cash"]["paid_usd"]) + Decimal(after["cash"]["taken"]["usd"])
    assert Decimal(after["cash"]["paid_usd"]) == Decimal(after["bill_usd"] or 0)


@pytest.mark.parametrize(
    ("wrong", "sent_here"),
    [
        ("UPDATE asks SET sizes='txt'", 2), ("UPDATE asks SET sizes=x'00'", 2), ("UPDATE asks SET work=x'ff00'", 2),
        ("UPDATE asks SET work='no hash'", 2), ("UPDATE attempts SET sent=100000000000000", 2),
        ("UPDATE ends SET cost=''", 2), ("UPDATE ends SET cost=-5", 2), ("UPDATE ends SET output='many'", 2),
        ("UPDATE attempts SET reserved=''", 2), ("UPDATE attempts SET taken=7", 2), ("UPDATE texts SET text='txt'", 2),
        ("UPDATE texts SET text=x'00'", 2), ("UPDATE attempts SET why='because'", 2), ("DELETE FROM ends", 2),
        ("UPDATE attempts SET model='claude-opus-4-5', agent='evil'", 0),
    ],
)  # fmt: skip
@pytest.mark.parametrize("flow", [desk, packing], ids=["single", "packed"])
def test_another_run_is_data_from_somebody_else(tmp_path: Path, wrong: str, sent_here: int, flow: Any) -> None:
    """Found: such values ended the run, or stayed in it, so that it could not be reported or resumed any more."""
    ran(tmp_path / "first", ["a", "b"], flow)
    with closing(sqlite3.connect(tmp_path / "first" / "journal.db")) as db:
        db.execute(wrong)
        db.commit()
    out = tmp_path / "second"
    after = ran(out, ["a", "b"], flow, reuse_from=[tmp_path / "first"])
    assert {line["status"] for line in lines(out / "results.jsonl")} == {"succeeded"}
    with read_only(out / "journal.db") as db:
        asked = db.execute("SELECT COUNT(DISTINCT work) FROM asks k JOIN attempts a ON a.id=k.attempt WHERE NOT taken")
        assert asked.fetchone()[0] == sent_here * (2 if flow is desk else 1)
        models = {row[0] for row in db.execute("SELECT DISTINCT model FROM attempts")}
    assert models == ({"claude-haiku-5-5", "claude-sonnet-5-5"} if flow is desk else {"claude-haiku-5-5"})
    assert Decimal(after["cost_usd"]) == Decimal(after["cash"]["paid_usd"]) + Decimal(after["cash"]["taken"]["usd"])
    assert fanwise("report", out).returncode == 0


def test_who_has_paid_is_said_along_a_chain(tmp_path: Path) -> None:
    """Found: what the second run had taken of the first was said to be paid by the second."""
    for name, bodies, others in (("A", "ab", ""), ("B", "abc", "A"), ("C", "abcd", "B"), ("D", "abcd", "CA")):
        after = ran(tmp_path / name, list(bodies), reuse_from=[tmp_path / other for other in others])
    runs = {Path(run["directory"]).name: run["attempts"] for run in after["cash"]["taken"]["from"]}
    assert runs == {"C": 2, "B": 2, "A": 4}
    assert sent(tmp_path / "D") == 0


def test_two_copies_of_a_run_are_two_directories_and_ones_own_is_refused(tmp_path: Path) -> None:
    ran(tmp_path / "A", ["a", "b"])
    shutil.copytree(tmp_path / "A", tmp_path / "copy")
    ran(tmp_path / "first", ["a"], reuse_from=[tmp_path / "A"])
    after = ran(tmp_path / "second", ["a", "b"], reuse_from=[tmp_path / "copy", tmp_path / "A"])
    assert [run["attempts"] for run in after["cash"]["taken"]["from"]] == [4, 0]
    with pytest.raises(FanwiseError, match="is this run, or a copy of it"):
        anyio.run(lambda: resume(tmp_path / "A", graph=desk, reuse_from=[tmp_path / "copy"]))


GUIDE = Block("guide", "Keep to every rule of this guide, and to its spirit too. " * 900)


@agent(model="claude-haiku-5-5", context=[GUIDE])
def guided(body: str) -> str:
    """Say what the guide says."""
    return f"about {body}"


@graph
def guides(letter: Letter) -> str:
    return guided(letter.body)


def test_what_was_read_in_another_cache_is_no_waste_of_the_write_here(tmp_path: Path) -> None:
    """Found: the one write that a run had to pay was 3.87 times the floor, since taken requests had read before it."""
    ran(tmp_path / "first", list("abcdef"), guides)
    after = ran(tmp_path / "second", list("bcxy"), guides, reuse_from=[tmp_path / "first"])
    assert after["input_over_floor"] == pytest.approx(1.0, abs=1e-4)
    assert Decimal(after["floor_usd"]) <= Decimal(after["fanout_usd"])


def test_that_nothing_could_be_taken_is_said(tmp_path: Path) -> None:
    ran(tmp_path / "first", ["a"], reuse=False)
    after = ran(tmp_path / "second", ["a"], reuse_from=[tmp_path / "first"])
    assert any("nothing was taken of" in note for note in after["notes"])
