"""Two runs that differ in one prompt: the agent is named, and what it did to the price of a row."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fanwise import Job
from fanwise.ledger.by import DIMENSIONS, by
from fanwise.studies.history import history
from gateway import gateway
from support import emulator, fanwise, lines, read_only, summary

GRAPH = '''
from pydantic import BaseModel
from fanwise import agent, graph

class Row(BaseModel):
    id: str
    text: str

@agent(model="claude-haiku-5-5", max_tokens=100)
def first(text: str) -> str:
    """Read the text."""
    return f"read {{text}}"

@agent(model="{model}", max_tokens=100)
def second(first: str) -> str:
    """{instructions}"""
    return "{answer}"

@graph
def job(row: Row) -> str:
    return second(first(row.text))
'''
CALM = {"model": "claude-haiku-5-5", "instructions": "Answer in a word.", "answer": "yes"}


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps({"id": f"r{n}", "text": f"text {n}"}) + "\n" for n in range(6)))
    return path


def run(rows: Path, name: str, channel: str = "live", *options: object, status: int = 0, **changes: str) -> Path:
    file, out = rows.parent / f"{name}.py", rows.parent / "runs" / name
    file.write_text(GRAPH.format(**{**CALM, **changes}))
    finished = fanwise("run", f"{file}:job", "--rows", rows, "--out", out, "--channel", channel, *options)
    assert finished.returncode == status, finished.stderr
    return out


def told(*args: object) -> dict[str, Any]:
    return json.loads(fanwise("diff", *args, "--json").stdout)


def test_the_agent_whose_prompt_has_changed_is_named_with_its_dollars(rows: Path) -> None:
    one = run(rows, "one")
    two = run(rows, "two", instructions="Answer in a word, and give three reasons.", answer="yes, since " + "so " * 40)
    found = told(one, two)
    agents = {agent["agent"]: agent for agent in found["agents"]}
    assert [agent["agent"] for agent in found["agents"]] == ["second", "first"], "what moved the price most is first"
    assert agents["second"]["changed"] == ["instructions"]
    assert agents["first"]["changed"] == []
    assert "-Answer in a word." in agents["second"]["instructions"]
    assert "+Answer in a word, and give three reasons." in agents["second"]["instructions"]
    costs = [Decimal(amount) for amount in found["figures"]["per successful row"]]
    moved = sum(Decimal(agent["difference_usd"]) for agent in found["agents"])
    assert abs(moved - (costs[1] - costs[0])) < Decimal("1e-11"), "the agents' differences are the whole"
    assert Decimal(agents["first"]["difference_usd"]) == 0
    printed = fanwise("diff", one, two).stdout
    assert "second  instructions" in printed
    assert "+Answer in a word, and give three reasons." in printed
    assert f"a successful row costs {found['rise_percent']:.1f} % more" in printed


def test_other_changes_are_named_and_the_limit_is_for_ci(rows: Path) -> None:
    one, two = run(rows, "one"), run(rows, "two", model="claude-opus-5-5")
    found = told(one, two)
    assert {"model"} <= set(found["agents"][0]["changed"])
    assert fanwise("diff", one, two, "--fail-above", 5).returncode == 1
    assert fanwise("diff", two, one, "--fail-above", 5).returncode == 0, "cheaper is no failure"
    assert fanwise("diff", one, one, "--fail-above", 0).returncode == 0
    for none in ("nan", "inf"):  # `nan` was a traceback of InvalidOperation
        finished = fanwise("diff", one, two, "--fail-above", none)
        assert (finished.returncode, finished.stdout) == (2, "")
        assert finished.stderr.startswith(f"fanwise: Invalid value for '--fail-above': {none} is not a number")
    assert all(agent["changed"] == [] for agent in told(one, one)["agents"])


def test_a_change_of_channel_is_named(rows: Path) -> None:
    """Two runs of one graph, live and by batch, differed in price for a reason that nothing named."""
    live, batch = run(rows, "live"), run(rows, "batch", "batch")
    for agent in told(live, batch)["agents"]:
        assert agent["changed"] == ["channel"]
        assert (agent["channels_before"], agent["channels_after"]) == (["live"], ["batch"])
    assert "channel (live to batch)" in fanwise("diff", live, batch).stdout
    assert "channel (batch to live)" in fanwise("diff", batch, live).stdout


def test_history_shows_runs_by_time(rows: Path) -> None:
    first, second = run(rows, "late"), run(rows, "early")
    said = [json.loads(line) for line in fanwise("history", rows.parent / "runs", "--json").stdout.splitlines()]
    assert [one["directory"] for one in said] == [str(first), str(second)]
    assert said[0]["success"] == 1.0
    table = fanwise("history", rows.parent / "runs").stdout
    assert "100 %" in table and "simulated" in table
    nothing = fanwise("history", rows.parent / "runs" / "late" / "lock")
    assert nothing.returncode == 2


def test_history_tells_what_changed_and_how_right_it_was(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    rights = ("yes", "no", "yes", "yes")
    file.write_text(
        "".join(json.dumps({"id": str(n), "text": "t", "right": right}) + "\n" for n, right in enumerate(rights))
    )
    run(file, "one")
    run(file, "two", instructions="Answer in a word, loudly.", answer="no")
    finished = fanwise("history", tmp_path / "runs", "--labels", "right", "--json")
    first, second = [json.loads(line) for line in finished.stdout.splitlines()]
    assert (first["changed"], second["changed"]) == ({}, {"second": ["instructions"]})
    assert first["models"] == ["claude-haiku-5-5"]
    assert (first["quality"], second["quality"]) == (0.75, 0.25)
    assert first["labelled_rows"] == 4
    table = fanwise("history", tmp_path / "runs", "--labels", "right").stdout
    assert "quality" in table
    assert "instructions of second" in table


def test_the_ledger_by_anything_sums_to_the_ledger(rows: Path) -> None:
    out = run(rows, "by")
    with read_only(out / "journal.db") as db:
        whole = db.execute("SELECT SUM(cost) FROM ends").fetchone()[0]
        for names in (*([name] for name in DIMENSIONS), ["tier", "channel", "hour"]):
            groups = list(by(db, names))
            assert sum(group.cost for group in groups) == whole, names
            assert len({group.names for group in groups}) == len(groups), names
            costs = [group.cost for group in groups]
            assert costs == sorted(costs, reverse=True), names
    finished = fanwise("report", out, "--by", "agent,hour", "--json")
    told_ = [json.loads(line) for line in finished.stdout.splitlines()]
    assert sum(Decimal(record["cost_usd"]) for record in told_) * 10**12 == whole
    assert {record["agent"] for record in told_} == {"first", "second"}
    assert "cost" in fanwise("report", out, "--by", "agent").stdout
    wrong = fanwise("report", out, "--by", "colour")
    assert wrong.returncode == 2
    assert "'colour'" in wrong.stderr and "prefix" in wrong.stderr


def without_costs(out: Path, condition: str) -> None:
    """As it is behind a gateway whose replies have no usage."""
    with closing(sqlite3.connect(out / "journal.db")) as db:
        unknown = "cost=NULL, input=0, cache_write_5m=0, cache_write_1h=0, cache_read=0, output=0"
        db.execute(f"UPDATE ends SET {unknown} WHERE attempt IN (SELECT id FROM attempts WHERE {condition})")
        db.commit()


def test_what_is_not_known_is_no_lower_price(rows: Path) -> None:
    """A run whose replies had no usage was 100 % cheaper than the one before."""
    before, partly, wholly = (run(rows, name) for name in ("before", "partly", "wholly"))
    without_costs(partly, "agent='second'")
    without_costs(wholly, "1")
    finished = fanwise("diff", before, partly, "--fail-above", "5")
    assert finished.returncode == 1, "it is not known that it is not more"
    assert "(6 unknown)" in finished.stdout and "% less" not in finished.stdout
    assert "how much more a successful row costs is unknown: the cost of some attempts is unknown" in finished.stdout
    second = next(line for line in finished.stdout.splitlines() if line.startswith("second"))
    assert second.split()[-2:] == ["unknown", "unknown"], "what it cost after, and the difference"
    figures = told(before, partly)
    assert figures["rise_percent"] is None and figures["figures"]["attempts of unknown cost"] == [0, 6]
    assert told(before, wholly)["figures"]["per successful row"][1] is None
    cost = next(line for line in fanwise("status", partly).stdout.splitlines() if line.startswith("cost"))
    assert "at least $" in cost and "(6 unknown)" in cost


def test_a_run_whose_replies_have_no_usage_has_no_price_wherever_it_is_read(
    rows: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its rows, what each that succeeded cost, and its line of the history said $0."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    file, out = rows.parent / "job.py", rows.parent / "runs" / "run"
    file.write_text(GRAPH.format(**CALM))
    with emulator(graph=f"{file}:job") as url, gateway(url, usage=False) as server:
        Job(f"{file}:job", rows=rows, out=out, channel="live", base_url=server.url).run_sync()
    costs = {(line["cost_usd"], line["attempts_of_unknown_cost"]) for line in lines(out / "results.jsonl")}
    assert costs == {(None, 2)}
    account = summary(out)
    assert account["attempts_of_unknown_cost"]["fanout"] == 12 and account["cost_per_successful_row_usd"] is None
    assert fanwise("export", out, "--out", rows.parent / "tables", "--to", "jsonl").returncode == 0
    exported = lines(rows.parent / "tables" / "rows.jsonl")
    assert {(line["own_usd"], line["cost_usd"]) for line in exported} == {(None, None)}
    (past,) = history(rows.parent / "runs").runs
    assert (past.cost_per_successful_row_usd, past.attempts_of_unknown_cost) == (None, 12)
    printed = fanwise("history", rows.parent / "runs").stdout
    assert printed.count("unknown") == 3 and "$" not in printed, "of a good row, in all, and what was read"


def test_a_run_in_which_nothing_succeeded_has_no_price_of_a_row(rows: Path) -> None:
    """Its costs were those of one row, and an agent that nobody had come to ask had become cheaper by all it cost."""
    whole = run(rows, "whole")
    stopped = run(rows, "stopped", "live", "--budget-usd", "0.000105", status=3)  # one call of the first agent fits
    assert summary(stopped)["rows"] == {**summary(whole)["rows"], "succeeded": 0, "unfinished": 6}
    first, second = told(whole, stopped)["agents"]
    assert (first["agent"], second["agent"]) == ("first", "second")
    for agent in (first, second):
        assert [agent[name] for name in ("after_usd", "difference_usd", "calls_after")] == [None] * 3
        assert Decimal(agent["before_usd"]) > 0 and agent["calls_before"] == 1
    printed = fanwise("diff", whole, stopped).stdout
    assert "0 of 6 succeeded, 6 unfinished" in printed and "0.00 to" not in printed
    assert "how much more a successful row costs is unknown: no row has succeeded after" in printed
    assert fanwise("diff", whole, stopped, "--fail-above", "5").returncode == 1, "it is not known that it is not more"


def test_what_unfinished_rows_have_cost_makes_no_row_dearer(rows: Path) -> None:
    """A run that was stopped held what was paid for rows without an end against the rows that had ended."""
    whole, stopped = run(rows, "whole"), run(rows, "stopped")
    with closing(sqlite3.connect(stopped / "journal.db")) as db:
        db.execute("DELETE FROM results WHERE row>4")
        db.commit()
    printed = fanwise("diff", whole, stopped, "--fail-above", "5")
    assert printed.returncode == 1, "it is not known that it is not more"
    why = "what was paid for rows that have not ended is in it (2 after); resume that run"
    assert f"how much more a successful row costs is unknown: {why}" in " ".join(printed.stdout.split())
    assert told(whole, stopped)["rise_percent"] is None and told(whole, whole)["rise_percent"] == 0
