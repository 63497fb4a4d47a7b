"""What is advised about a graph: savings are differences of two plans, and bills of changed graphs bear them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fanwise.engine.load import load_graph
from fanwise.graph.graphs import Graph
from fanwise.job.arms import single
from fanwise.job.job import Job
from fanwise.job.spec import JobSpec
from fanwise.ledger.advice import Advice, AdvisedChange
from fanwise.studies.advice.advise import advise, changed_graphs
from fanwise.studies.advice.candidates import ChangedGraph
from fanwise.studies.plan.drawn import draw_contents
from fanwise.studies.plan.plan import plan
from fanwise.units import pico_from_usd
from inprocess import own_modules
from support import DESK, billed, tickets

ROWS = 48
GRAPHS = '''
from typing import Annotated
from pydantic import BaseModel
from fanwise import Block, agent, graph, step

LONG = Block("guide", "Each order is checked against the guide, line by line. " * 250)

class Order(BaseModel):
    id: str
    note: str
    contract: str

class Note(BaseModel):
    topic: str
    urgent: bool

@agent(model="claude-haiku-5-5")
def rate(note: str) -> int:
    """Rate how urgent the note is, from 1 to 9: 1 where nobody waits, 9 where a machine stands still."""
    return len(note) % 9 + 1

@agent(model="claude-haiku-5-5")
def read_note(note: str) -> Note:
    """Tell what the note is about, and whether it is urgent."""
    return Note(topic=note[:12], urgent="now" in note)

@agent(model="claude-haiku-5-5")
def answer(note: str, topic: str, urgent: bool) -> str:
    """Answer the note."""
    return f"{topic}: {urgent}, {note}"

@agent(model="claude-haiku-5-5", context=[LONG])
def check(order: Order, text: str) -> str:
    """Check the order."""
    return text[:40]

@agent(model="claude-haiku-5-5")
def parties(contract: str) -> str:
    """Name the parties."""
    return contract[:40]

@agent(model="claude-haiku-5-5")
def terms(contract: str) -> str:
    """Name the terms."""
    return contract[40:80]

@agent(model="claude-haiku-5-5")
def law(contract: str) -> str:
    """Name the law."""
    return contract[80:120]

@step
def joined(one: str, two: str, three: str) -> str:
    return one + two + three

@graph
def packed(order: Order) -> int:
    return rate(order.note)

@graph
def by_eight(order: Order) -> int:
    return rate.options(pack=8)(order.note)

@graph
def chain(order: Order) -> str:
    read = read_note(order.note)
    return answer(order.note, read.topic, read.urgent)

@graph
def two_readers(order: Order) -> tuple[str, str]:
    read = read_note(order.note)
    return answer(order.note, read.topic, read.urgent), read.topic

@graph
def twice(order: Order) -> str:
    return check(order, order.contract)

@graph
def split(order: Order) -> str:
    return joined(parties(order.contract), terms(order.contract), law(order.contract))

@agent(model="claude-haiku-5-5")
def lone(text: Annotated[str, Block]) -> str:
    """Sum up the contract."""
    return text[:60]

@graph
def nothing(order: Order) -> str:
    return lone(order.contract)
'''


@pytest.fixture(autouse=True)
def apart(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    with own_modules():
        yield


@pytest.fixture
def graphs(tmp_path: Path) -> Path:
    file = tmp_path / "graphs.py"
    file.write_text(GRAPHS)
    return file


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    file = tmp_path / "orders.jsonl"
    lines = (
        {
            "id": f"o{n}",
            "note": f"note {n}, now or later",
            "contract": f"Contract {n}. " + f"Party {n} delivers. " * 400,
        }
        for n in range(ROWS)
    )
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return file


def only(advice: Advice, kind: str) -> AdvisedChange:
    (change,) = (change for change in advice.changes if change.kind == kind)
    return change


def expected(graph: Graph[..., Any] | str, rows: Path, channel: Any = "live", **fields: Any) -> int:
    price = plan(graph, rows=rows, simulate=24, **fields).price(channel)
    assert price is not None
    return price.expected


def bill(graph: Graph[..., Any] | str, rows: Path, out: Path) -> int:
    Job(graph, rows=rows, out=out, channel="live").run_sync()
    return pico_from_usd(str(billed(out)))


def changed(reference: str, rows: Path, kind: str) -> Graph[..., Any]:
    graph = load_graph(reference)
    drawn = draw_contents(JobSpec(graph=graph, rows=rows), 24)
    (candidate,) = (candidate for candidate in changed_graphs(graph, drawn) if candidate.kind == kind)
    return ChangedGraph(graph, candidate.graph)


def test_a_saving_of_packs_is_the_difference_of_two_plans_and_of_two_bills(
    graphs: Path, rows: Path, tmp_path: Path
) -> None:
    change = only(advise(f"{graphs}:packed", rows=rows, channel="live"), "pack")
    before, after = f"{graphs}:packed", f"{graphs}:by_eight"
    assert change.agents == ("rate",)
    assert "return rate(order.note)" in GRAPHS.splitlines()[int(change.place.rpartition(":")[2]) - 1]
    assert change.saved == expected(before, rows) - expected(after, rows)
    paid = bill(before, rows, tmp_path / "a") - bill(after, rows, tmp_path / "b")
    assert change.saved == pytest.approx(paid, rel=0.1)


def test_a_saving_of_one_agent_alone_is_that_of_the_plan_and_of_the_bill(
    graphs: Path, rows: Path, tmp_path: Path
) -> None:
    advice = advise(f"{graphs}:split", rows=rows, channel="live")
    change, forecast = only(advice, "alone"), plan(f"{graphs}:split", rows=rows, simulate=24)
    fanout, alone = forecast.price("live"), forecast.price("live", "baseline")
    assert fanout is not None
    assert alone is not None
    assert change.saved == fanout.expected - alone.expected
    graph = load_graph(f"{graphs}:split")
    spec = single(graph.spec)
    assert spec is not None
    paid = bill(graph, rows, tmp_path / "a") - bill(ChangedGraph(graph, spec), rows, tmp_path / "b")
    assert change.saved == pytest.approx(paid, rel=0.1)


@pytest.mark.parametrize(
    ("name", "kind", "agents", "params"),
    [
        ("chain", "merge", ("read_note", "answer"), ()),
        ("twice", "drop", ("check",), ("check(text)",)),
        ("split", "share", ("parties", "terms", "law"), ("parties(contract)", "terms(contract)", "law(contract)")),
    ],
)
def test_a_change_of_the_graph_takes_off_the_bill_what_was_forecast(
    graphs: Path, rows: Path, tmp_path: Path, name: str, kind: str, agents: tuple[str, ...], params: tuple[str, ...]
) -> None:
    reference = f"{graphs}:{name}"
    change = only(advise(reference, rows=rows, channel="live"), kind)
    assert (change.agents, change.params) == (agents, params)
    graph = changed(reference, rows, kind)
    assert change.saved == expected(reference, rows) - expected(graph, rows)
    paid = bill(reference, rows, tmp_path / "a") - bill(graph, rows, tmp_path / "b")
    assert change.saved == pytest.approx(paid, rel=0.1)


def test_a_changed_graph_comes_to_the_results_of_its_stand_ins(graphs: Path, rows: Path, tmp_path: Path) -> None:
    for name, kind in (("chain", "merge"), ("twice", "drop"), ("split", "share")):
        reference = f"{graphs}:{name}"
        outputs: list[dict[str, Any]] = []
        for number, graph in enumerate((reference, changed(reference, rows, kind))):
            out = tmp_path / f"{name}{number}"
            Job(graph, rows=rows, out=out, channel="live", limit=3).run_sync()
            lines = map(json.loads, (out / "results.jsonl").read_text().splitlines())
            outputs.append({line["id"]: line["output"] for line in lines})
        assert len(outputs[0]) == 3
        assert outputs[0] == outputs[1]


def test_agents_of_which_others_read_an_answer_are_not_merged(graphs: Path, rows: Path) -> None:
    advice = advise(f"{graphs}:two_readers", rows=rows, channel="live")
    assert not [change for change in advice.changes if change.kind == "merge"]


def test_a_graph_with_nothing_to_save_has_no_changes(graphs: Path, rows: Path) -> None:
    advice = advise(f"{graphs}:nothing", rows=rows)
    assert (advice.changes, advice.alone, advice.shape.tokens) == ((), None, None)


def test_no_change_is_planned_where_a_price_is_not_known(
    graphs: Path, rows: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fanwise.studies.plan.forecast.known_rates", lambda *_: None)
    advice = advise(f"{graphs}:packed", rows=rows, channel="live")
    assert (advice.changes, advice.unpriced) == ((), ("claude-haiku-5-5",))


def test_the_tickets_are_two_at_once_two_deep_and_send_the_handbook_again(tmp_path: Path) -> None:
    advice = advise(f"{DESK}:triage", rows=tickets(tmp_path / "t.jsonl", 40))
    shape = advice.shape
    assert (shape.agents, shape.at_once, shape.depth, shape.parts, shape.per_item) == (3, 2, 2, 1, ("research",))
    assert any("research" in agents for agents in shape.shared.values())
    assert 0.2 < shape.twice_share < 0.9
    assert all(change.saved > 0 for change in advice.changes)
    assert [change.saved for change in advice.changes] == sorted((c.saved for c in advice.changes), reverse=True)


def test_parts_that_only_a_step_puts_together_are_independent(graphs: Path, rows: Path) -> None:
    shape = advise(f"{graphs}:split", rows=rows, channel="live").shape
    assert (shape.parts, shape.at_once, shape.depth) == (3, 3, 1)
