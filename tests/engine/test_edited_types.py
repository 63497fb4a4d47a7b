"""The type of an answer is edited while a batch is open: what it answers is paid, and kept for the way back."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import anyio
import pytest
from pydantic import AfterValidator, BaseModel

from fanwise import Emulator, Job, agent, graph, resume
from fanwise.engine.arms import build_arms
from fanwise.engine.standin import answerer
from fanwise.graph.graphs import Graph
from support import journal_value, post

MODEL = "claude-haiku-5-5"


class Row(BaseModel):
    id: str
    text: str


class Wide(BaseModel):
    label: str
    prices: dict[str, Decimal]
    pair: tuple[str, int]
    share: Annotated[float, AfterValidator(lambda value: value / 100)] = 0.0


class Narrow(BaseModel):
    label: str


class Other(BaseModel):
    count: int


def graph_of(output: Any, answer: Any, name: str = "reads") -> Graph[..., Any]:
    def reads(text: str) -> Any:
        """Read it."""
        return answer(text)

    reads.__annotations__["return"], reads.__name__ = output, name
    asked = agent(model=MODEL)(reads)

    def job(row: Row) -> Any:
        return asked(row.text)

    job.__annotations__["return"] = output
    return graph(job)


def wide_answer(text: str) -> Any:
    return {"label": text, "prices": {"a": Decimal("1.50")}, "pair": ("x", 2), "share": 50.0}


WIDE = graph_of(Wide, wide_answer)
EDITED = {
    "its answers fit, without some fields": graph_of(Narrow, lambda text: Narrow(label=text.upper())),
    "its answers do not fit": graph_of(Other, lambda text: Other(count=len(text))),
    "a text": graph_of(str, lambda text: f"plain {text}"),
    "another agent": graph_of(Narrow, lambda text: Narrow(label=text.upper()), name="other"),
}
ROWS = [Row(id=f"r{number}", text=f"text {number}") for number in range(3)]
EXPECTED = {"label": "text 0", "prices": {"a": "1.50"}, "pair": ["x", 2], "share": 0.5}


def answers_of(*graphs: Graph[..., Any]) -> Any:
    stand_ins = [answerer(build_arms({"fanout": each.spec})) for each in graphs]

    def answer(body: dict[str, Any]) -> Any:
        wants = str(body.get("output_config", {}).get("format", ""))
        is_wide = "prices" in wants
        return stand_ins[0 if is_wide else 1](body)

    return answer


def outputs(account: Any) -> list[Any]:
    return [line["output"] for line in account.results()]


@pytest.mark.parametrize("edit", EDITED)
def test_an_answer_to_another_type_is_kept_for_the_way_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, edit: str
) -> None:
    """It was read by the type of now: lost, or kept without the fields that this one lacks."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    out, edited = tmp_path / "run", EDITED[edit]
    with Emulator(answer=answers_of(WIDE, edited), batch_delay_s=3_600.0) as emulator:
        job = Job(WIDE, rows=ROWS, out=out, channel="batch", base_url=emulator.url)
        assert anyio.run(partial(job.run, detach=True)).summary["ended"] == "detached"
        assert journal_value(out, "SELECT COUNT(*) FROM attempts") == 3
        post(f"{emulator.url}/_emulator/clock", {"advance_s": 7_200})
        go_on = partial(resume, out, base_url=emulator.url, channel="live")

        second = anyio.run(partial(go_on, graph=edited))
        assert second.summary["rows"]["succeeded"] == 3
        assert journal_value(out, "SELECT COUNT(*) FROM attempts") == 6, "each is asked for its new type"
        assert journal_value(out, "SELECT COUNT(*) FROM ends WHERE status='succeeded'") == 6

        third = anyio.run(partial(go_on, graph=WIDE))
        assert journal_value(out, "SELECT COUNT(*) FROM attempts") == 6, "editing back costs nothing"
        assert outputs(third)[0] == EXPECTED
        assert third.summary["rows"]["succeeded"] == 3
        batched = journal_value(
            out, "SELECT SUM(e.cost) FROM ends e JOIN attempts a ON a.id=e.attempt WHERE a.intent>0"
        )
        assert Decimal(third.summary["cost_usd"]) == Decimal(batched) / 10**12 > 0, "it is the price of its answers"

        again = anyio.run(partial(go_on, graph=WIDE))
        assert outputs(again) == outputs(third)
        assert journal_value(out, "SELECT COUNT(*) FROM tasks WHERE status<>'done'") == 0
        anyio.run(partial(go_on, graph=edited))
        assert journal_value(out, "SELECT COUNT(*) FROM attempts") == 6, "nor does it forth"
