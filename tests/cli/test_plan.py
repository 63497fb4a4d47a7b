"""`fanwise plan`: what a job will cost, held against what it then does cost on the emulator."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gateway import gateway
from support import DESK, ROOT, emulator, environment, example_rows, fanwise, summary, tickets

GRAPH = f"{DESK}:triage"
LEVELS = f"{ROOT / 'tests' / 'sample' / 'levels.py'}:levels"
EXAMPLES = ROOT / "examples"


def made(graph: str, rows: Path, *options: object, env: dict[str, str] | None = None) -> dict[str, Any]:
    result = fanwise("plan", graph, "--rows", rows, "--json", *options, env=env)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def price(plan: dict[str, Any], channel: str, arm: str = "fanout") -> dict[str, Decimal]:
    (found,) = [one for one in plan["prices"] if (one["channel"], one["side"]) == (channel, arm)]
    return {name.removesuffix("_usd"): Decimal(text) for name, text in found.items() if name.endswith("_usd")}


def pages(path: Path, count: int) -> Path:
    chance = random.Random(1)
    rows = [
        {
            "id": str(number),
            "title": f"Page {number}",
            "text": f"Page {number}. " + "It says this and that. " * chance.randint(20, 300),
        }
        for number in range(count)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


# Ten jobs in three channels, seven draws each: bench/plan.py.
def job(name: str, folder: Path) -> tuple[str, Path, tuple[object, ...]]:
    """Graph, rows and options of a job."""
    folder.mkdir()
    if name == "levels":
        return LEVELS, pages(folder / "rows.jsonl", 120), ()
    if name == "tickets":
        return f"{EXAMPLES / name / 'graph.py'}:triage", example_rows(name, folder, 150), ()
    return f"{EXAMPLES / name / 'graph.py'}:review", example_rows(name, folder, 80), ()


@pytest.mark.parametrize(("name", "channel"), [("tickets", "batch"), ("stdlib_review", "live"), ("levels", "batch")])
def test_a_plan_holds_the_bill_and_a_sample_comes_within_three_percent(tmp_path: Path, name: str, channel: str) -> None:
    graph, rows, options = job(name, tmp_path / "job")
    before = price(made(graph, rows, *options), channel)
    how = ("--channel", channel)
    sampled = ("--sample", 30, "--out", tmp_path / "run", *how, "--json")
    result = fanwise("plan", graph, "--rows", rows, *options, *sampled)
    assert result.returncode == 0, result.stderr
    assert "the sample of 30 rows will cost about $" in result.stderr, "it says so first"
    after = price(json.loads(result.stdout), channel)
    paid_for = summary(tmp_path / "run")
    assert paid_for["rows"]["succeeded"] + paid_for["rows"]["partial"] == 30

    assert fanwise("resume", tmp_path / "run", *how).returncode in (0, 1)
    assert summary(tmp_path / "run")["attempts"]["retried"] == 0, "what was paid is not asked again"
    whole = fanwise("run", graph, "--rows", rows, *options, "--out", tmp_path / "all", *how)
    assert whole.returncode in (0, 1)
    assert summary(tmp_path / "run")["attempts"]["sent"] == summary(tmp_path / "all")["attempts"]["sent"]
    bill = Decimal(summary(tmp_path / "all")["bill_usd"])
    assert before["low"] <= bill <= before["high"] <= before["worst"]
    assert after["low"] <= bill <= after["high"] <= after["worst"]
    assert abs(after["expected"] / bill - 1) < Decimal("0.03"), (after, bill)


@pytest.mark.parametrize("channel", ["live", "batch"])
def test_the_single_agent_stands_beside_it(tmp_path: Path, channel: str) -> None:
    rows, out = tickets(tmp_path / "rows.jsonl", 120), tmp_path / "run"
    plan = made(GRAPH, rows, "--simulate", 20)
    assert (plan["rows"], plan["sampled"], plan["simulated"]) == (120, 20, True)
    run = fanwise("run", GRAPH, "--rows", rows, "--out", out, "--channel", channel, "--baseline", "auto")
    assert run.returncode == 0
    account = summary(out)
    for arm, paid in (("fanout", account["fanout_usd"]), ("baseline", account["baseline_usd"])):
        assert abs(price(plan, channel, arm)["expected"] / Decimal(paid) - 1) < Decimal("0.03"), arm
    calls = sum(one["calls"] for one in plan["agents"] if one["channel"] == channel)
    assert calls == pytest.approx(account["attempts"]["sent"], rel=0.03)


def test_the_plan_shows_who_shares_what_and_what_strict_schemas_would_cost(tmp_path: Path) -> None:
    plan = made(LEVELS, pages(tmp_path / "rows.jsonl", 40))
    haiku = next(one for one in plan["prefixes"]["fanout"] if one["model"] == "claude-haiku-5-5")
    assert haiku["agents"] == ["lawful", "readable"]
    assert (haiku["writes"], haiku["reads"]) == (1, 79)
    assert "guide" in haiku["blocks"]
    assert Decimal(haiku["live_usd"]) < Decimal(haiku["live_usd_uncached"]) / 5
    assert plan["batch_rounds"] == 3
    assert plan["live_minutes_at_least"]["start"] > plan["live_minutes_at_least"]["scale"] > 0
    four = f"{ROOT / 'tests' / 'engine' / 'test_schemas.py'}:four"
    rows = tmp_path / "texts.jsonl"
    rows.write_text("".join(json.dumps({"id": str(number), "text": f"text {number}"}) + "\n" for number in range(8)))
    shown = made(four, rows, env=environment(PYTHONPATH=str(ROOT / "tests")))
    assert Decimal(shown["with_strict_schemas_usd"]["live"]) > price(shown, "live")["expected"]
    text = fanwise("plan", four, "--rows", rows, env=environment(PYTHONPATH=str(ROOT / "tests"))).stdout
    assert "with a strict schema per agent, each with a cache of its own: $" in text
    assert "judge, score, label, length: 1 write, 31 reads" in text


def test_the_plan_shows_what_texts_would_cost_in_the_other_way(tmp_path: Path) -> None:
    """Plain where they are enclosed, and enclosed where they are plain; nothing where there is no other way."""
    rows, env = tmp_path / "rows.jsonl", environment(PYTHONPATH=str(ROOT / "tests"))
    rows.write_text("".join(json.dumps({"id": str(number), "text": f"text {number}"}) + "\n" for number in range(6)))
    family = f"{ROOT / 'tests' / 'sample' / 'texts.py'}:texts"
    plain = made(family, rows, env=env)
    assert plain["with_plain_texts"] is None
    assert plain["with_enclosed_texts"]["agents"] == ["said", "safe"]
    assert Decimal(plain["with_enclosed_texts"]["usd"]["live"]) != price(plain, "live")["expected"]
    enclosed = made(family, rows, "--schemas", "shared", env=env)
    assert enclosed["with_enclosed_texts"] is None
    assert enclosed["with_plain_texts"]["agents"] == ["said", "safe"]
    assert enclosed["with_plain_texts"]["usd"].keys() == {"live", "batch"}
    text = fanwise("plan", family, "--rows", rows, "--schemas", "shared", env=env).stdout
    assert "with the text of said, safe answered in plain text, beside the envelope of schemas: $" in text
    alone = made(f"{ROOT / 'tests' / 'sample' / 'texts.py'}:again", rows, env=env)
    assert (alone["with_plain_texts"], alone["with_enclosed_texts"]) == (None, None)


def test_a_plan_sends_nothing_though_there_is_a_key(tmp_path: Path) -> None:
    env = environment(ANTHROPIC_API_KEY="k", ANTHROPIC_BASE_URL="http://127.0.0.1:9")
    assert made(GRAPH, tickets(tmp_path / "rows.jsonl", 5), env=env)["rows"] == 5


def test_broken_rows_are_counted_and_a_file_without_a_good_one_is_told(tmp_path: Path) -> None:
    rows = tickets(tmp_path / "rows.jsonl", 5)
    with rows.open("a") as file:
        file.write("no json\n" * 3)
    plan = made(GRAPH, rows)
    assert (plan["rows"], plan["rejected"]) == (5, 3)
    text = fanwise("plan", GRAPH, "--rows", rows)
    assert "PLAN: nothing was sent or paid; 5 of 5 rows (3 set aside) were" in text.stdout
    rows.write_text("no json\n")
    result = fanwise("plan", GRAPH, "--rows", rows)
    assert result.returncode == 2
    assert "no row of" in result.stderr


def test_a_sample_needs_a_place_for_its_answers(tmp_path: Path) -> None:
    result = fanwise("plan", GRAPH, "--rows", tickets(tmp_path / "rows.jsonl", 5), "--sample", 2)
    assert result.returncode == 2
    assert result.stderr == (
        "fanwise: --out: no folder is named, and what a sample is paid for is kept; name one for the run\n"
    )


REAL = {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": "http://127.0.0.1:9"}
"""Nobody answers there, so that nothing says that it would be simulated."""


def test_a_run_says_its_total_first_and_asks_above_a_threshold(tmp_path: Path) -> None:
    rows, out = tickets(tmp_path / "rows.jsonl", 30), tmp_path / "run"
    args = ("run", GRAPH, "--rows", rows, "--out", out)
    asked = fanwise(*args, "--ask-above-usd", "0.001", env=environment(**REAL))
    assert asked.returncode == 5
    assert "the run over 30 rows will cost about $0.0" in asked.stderr
    assert "more than $0.0010 needs a yes: add --yes" in asked.stderr
    assert not out.exists(), "nothing has begun"
    for more in (("--yes",), ("--ask-above-usd", "5"), ("--budget-usd", "0.0005")):
        said = fanwise(*args, "--ask-above-usd", "0.001", *more, env=environment(**REAL))
        assert "needs a yes" not in said.stderr
        assert "nobody answers at" in said.stderr


def test_rows_whose_cost_cannot_be_foretold_need_a_yes(tmp_path: Path) -> None:
    text = tickets(tmp_path / "rows.jsonl", 3).read_text()
    said = fanwise("run", GRAPH, "--rows", "-", "--out", tmp_path / "run", stdin=text, env=environment(**REAL))
    assert said.returncode == 5
    assert "what it costs is not known" in said.stderr


def test_simulated_runs_never_ask(tmp_path: Path) -> None:
    rows = tickets(tmp_path / "rows.jsonl", 3)
    with emulator(graph=GRAPH) as url:
        env = environment(ANTHROPIC_API_KEY="k")
        options = ("--base-url", url, "--ask-above-usd", "0")
        said = fanwise("run", GRAPH, "--rows", rows, "--out", tmp_path / "run", *options, env=env)
    assert said.returncode == 0
    assert "will cost" not in said.stderr, "nothing can be spent"


def test_a_resumed_run_says_what_is_left_and_asks_too(tmp_path: Path) -> None:
    """It spent without a word: the question of `run` was the only one."""
    rows, out = tickets(tmp_path / "rows.jsonl", 12), tmp_path / "run"
    with emulator(graph=GRAPH) as upstream, gateway(upstream, shows=False) as one:
        env = environment(ANTHROPIC_API_KEY="k", ANTHROPIC_BASE_URL=one.url)
        said = fanwise("plan", GRAPH, "--rows", rows, "--sample", 3, "--out", out, "--yes", env=env)
        assert said.returncode == 0, said.stderr
        asked = fanwise("resume", out, "--ask-above-usd", "0", env=env)
        assert asked.returncode == 5
        assert "the rest of the run, 9 rows of 12, will cost about $0.0" in asked.stderr
        assert "needs a yes" in asked.stderr
        assert summary(out)["rows"]["succeeded"] == 3, "nothing was spent"
        done = fanwise("resume", out, "--yes", env=env)
        assert done.returncode == 0, done.stderr
    assert summary(out)["rows"]["succeeded"] == 12
