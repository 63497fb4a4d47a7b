"""What a plan is made from: rows by their contents, sums by a yardstick, and the rest of a run without what is kept."""

from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanwise.engine.load import load_graph
from fanwise.job.directory import peeking
from fanwise.job.manifest import Manifest
from fanwise.job.spec import JobSpec
from fanwise.ledger.forecast import PLANNED, Forecast
from fanwise.studies.plan.drawn import draw_contents
from fanwise.studies.plan.forecast import forecast_job
from fanwise.studies.plan.reach import OWN, Reach, reach_of
from fanwise.studies.plan.rehearsed import Yardstick
from fanwise.studies.plan.rest import rest_of_run
from fanwise.studies.plan.sums import Population, scale_up
from fanwise.units import pico_from_usd
from inprocess import own_modules
from support import DESK, ROOT, fanwise, summary, tickets

DESK_GRAPH = f"{DESK}:triage"
LISTED = '''
from pydantic import BaseModel
from fanwise import agent, each, graph

class Row(BaseModel):
    id: str
    words: list[str]

@agent(model="claude-haiku-5-5")
def split(words: list[str]) -> list[str]:
    """List what is asked."""
    return words

@agent(model="claude-haiku-5-5")
def answer(word: str) -> str:
    """Answer."""
    return word

@agent(model="claude-haiku-5-5")
def count(word: str) -> str:
    """Count."""
    return word

@agent(model="claude-haiku-5-5")
def write(answers: list[str], counts: list[str]) -> str:
    """Write."""
    return ", ".join(answers)

@graph
def listed(row: Row) -> str:
    return write(each(split(row.words), answer), each(row.words, count))
'''


def repeated(path: Path, kinds: int, count: int) -> Path:
    """Rows of so many contents, over and over."""
    rows = [
        {"id": str(number), "subject": f"s{number % kinds}", "body": "Why? " * (1 + number % kinds)}
        for number in range(count)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def foreseen(rows: Path, count: int = 20) -> Forecast:
    spec = JobSpec(graph=DESK_GRAPH, rows=rows, baseline="auto")
    return forecast_job(spec, draw_contents(spec, count), alternatives=False)


def test_repeated_rows_cost_no_less_in_all_and_no_more_each(tmp_path: Path) -> None:
    """Found by plans of one file repeated: 200 rows were to cost $0.0338 in all, and 400 rows $0.0133."""
    forecasts = {count: foreseen(repeated(tmp_path / "rows.jsonl", 3, count)) for count in (1, 3, 6, 21, 2_000)}
    for (few, before), (many, after) in pairwise(forecasts.items()):
        for channel in PLANNED:
            for arm in ("fanout", "baseline"):
                less, more = before.price(channel, arm), after.price(channel, arm)
                assert less is not None and more is not None
                assert less.expected <= more.expected, (few, many, channel, arm)
                if few % 3 == 0:  # the same rows over again
                    assert more.expected * few <= less.expected * many + many, (few, many, channel, arm)


def test_a_file_and_the_same_file_twice_are_drawn_alike(tmp_path: Path) -> None:
    spec = JobSpec(graph=DESK_GRAPH, rows=repeated(tmp_path / "once.jsonl", 700, 700))
    twice = JobSpec(graph=DESK_GRAPH, rows=repeated(tmp_path / "twice.jsonl", 700, 1_400))
    before, after = draw_contents(spec, 20), draw_contents(twice, 20)
    assert [row.data for row in before.rows] == [row.data for row in after.rows]
    assert {row.weight for row in before.rows} == {1.0}
    assert {row.weight for row in after.rows} == {2.0}
    assert before.valid * 2 == after.valid
    assert before.units == 700


def test_rows_with_few_contents_are_drawn_as_often_as_there_is_room_where_each_is_asked(tmp_path: Path) -> None:
    spec = JobSpec(graph=DESK_GRAPH, rows=repeated(tmp_path / "rows.jsonl", 3, 90), reuse=False)
    once = draw_contents(replace(spec, reuse=True), 20)
    assert [row.weight for row in once.rows] == [30, 30, 30], "equal rows are one call"
    assert once.has_every_call
    drawn = draw_contents(spec, 20)
    assert not drawn.has_every_call
    assert len({row.number for row in drawn.rows}) == len({row.data["id"] for row in drawn.rows}) == 20
    assert round(sum(row.weight for row in drawn.rows), 9) == 90
    assert (drawn.units, drawn.sampled_units, drawn.more) == (3, 3, ())


def population(sampled: int, units: float, rehearsed: int | None = None) -> Population:
    rehearsed = sampled if rehearsed is None else rehearsed
    return Population(rows=units, all_rows=units, units=units, sampled=sampled, rehearsed=rehearsed)


@given(st.floats(0.1, 1e6), st.lists(st.integers(1, 10**9), min_size=3, max_size=30))
def test_a_spread_of_sizes_that_is_of_the_arithmetic_alone_is_none(size: float, values: list[int]) -> None:
    """Found by a worst case of $2,150,322,657,665: a slope over sizes that differed in their last digit."""
    sizes = [size * (1 + place * 1e-15) for place in range(len(values))]
    yardstick = Yardstick(dict(enumerate(sizes)), size * 1.3, 0.0)
    estimate = scale_up(values, sizes, [1.0] * len(values), population(len(values), 10_000), yardstick)
    assert abs(estimate.value - 10_000 * sum(values) / len(values)) < 1e-6 * estimate.value
    assert estimate.margin <= 10_000 * max(values) * 6


def test_rows_that_were_rehearsed_are_a_sample_too() -> None:
    sizes = [float(number) for number in range(1, 21)]
    values = [number * 100.0 for number in sizes]
    yardstick = Yardstick(dict(enumerate(sizes)), 10.5, 33.25)
    all_known = scale_up(values, sizes, [1.0] * 20, population(20, 400, 400), yardstick)
    few_known = scale_up(values, sizes, [1.0] * 20, population(20, 400, 40), yardstick)
    assert all_known.margin < 1
    assert few_known.margin > 0.2 * few_known.value, "how long the others are is known of 40 rows"


def test_what_depends_on_a_list_that_a_model_makes_is_known(tmp_path: Path) -> None:
    path = tmp_path / "listed.py"
    path.write_text(LISTED)
    reaches = reach_of(load_graph(f"{path}:listed").spec)
    assert reaches == {
        "split": OWN,
        "answer": Reach(prompts=True, calls=True),
        "count": OWN,
        "write": Reach(prompts=True),
    }


def left(out: Path) -> int:
    """What the rest of a run is said to cost, in picodollars."""
    with peeking(out) as db, own_modules():
        spec = Manifest.of(db).spec
        return rest_of_run(db, spec, 20).forecast.total().expected


def spent(out: Path) -> int:
    return pico_from_usd(summary(out)["cash"]["paid_usd"])


def test_the_rest_of_a_run_costs_what_it_still_owes(tmp_path: Path) -> None:
    """Found by a resume that said $0.0219 and paid $0.0032: what was answered was counted again."""
    graph, out = tmp_path / "desk.py", tmp_path / "run"
    graph.write_text(Path(DESK).read_text(encoding="utf-8"), encoding="utf-8")
    rows = tickets(tmp_path / "rows.jsonl", 60)
    run = ("run", f"{graph}:triage", "--rows", rows, "--out", out, "--channel", "live", "--limit", 40)
    assert fanwise(*run).returncode == 0
    assert left(out) == 0
    before = spent(out)
    graph.write_text(graph.read_text().replace("Draft the reply.", "Draft the whole reply, please."), encoding="utf-8")
    said = left(out)
    assert fanwise("resume", out, "--graph", f"{graph}:triage").returncode == 0
    paid = spent(out) - before
    assert Decimal("0.9") < Decimal(said) / paid < Decimal("1.1"), "the drafts are asked again, and nothing else"


def test_a_baseline_on_a_sample_is_priced_as_such(tmp_path: Path) -> None:
    rows, out = tickets(tmp_path / "rows.jsonl", 60), tmp_path / "run"
    spec = JobSpec(graph=DESK_GRAPH, rows=rows, baseline="auto", sample=6, channel="live")
    forecast = forecast_job(spec, draw_contents(spec, 20), channels=("live",), alternatives=False)
    options = ("--channel", "live", "--baseline", "auto", "--sample", 6)
    assert fanwise("run", DESK_GRAPH, "--rows", rows, "--out", out, *options).returncode == 0
    price = forecast.price("live", "baseline")
    assert price is not None
    paid = pico_from_usd(summary(out)["baseline_usd"])
    assert price.low <= paid <= price.high
    assert abs(price.expected / paid - 1) < 0.05


def test_a_plan_holds_the_bill_in_every_channel_though_lists_are_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small form of `bench/plan.py`: lists that a model makes, 1.7 times as long as the stand-ins'."""
    monkeypatch.syspath_prepend(str(ROOT / "bench"))
    spec = importlib.util.spec_from_file_location("bench_plan", ROOT / "bench" / "plan.py")
    assert spec is not None and spec.loader is not None
    bench = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    job = replace(bench.jobs()["planned lists"], count=30)
    cases = bench.cases("planned lists", job, bench.FACTORS.index(1.7), tmp_path)
    assert [case.channel for case in cases] == list(PLANNED)
    for case in cases:
        assert case.within, case
        assert case.bill <= case.worst, case
        assert case.bill > 1.3 * case.expected, "they do cost more"
