"""Coordinating: a goal and a folder of agents become a task plan that a model writes, and that becomes a graph."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from fanwise.errors import Mistake, SpecError
from fanwise.job.spec import JobSpec
from fanwise.ledger.forecast import Forecast
from fanwise.plans import Offer, PlanLimits, TaskPlan, join
from fanwise.plans.alone import ALONE, graph_of_alone, with_alone
from fanwise.plans.answered import plain
from fanwise.plans.coordinator import EVERY_ROW, MODEL, Coordinator, coordinator
from fanwise.plans.freezing import graph_name_mistakes
from fanwise.plans.rostertext import roster_block
from fanwise.pricing.rates import known_rates
from fanwise.units import now, usd_text

from .freezing import PlanningDesk, planning_desk
from .plan.drawn import Drawn, draw_contents
from .plan.forecast import forecast_job
from .roster import RosterEntry, roster

ROWS = 20
"""Rows of the file by which fields are measured and graphs are priced."""
JOB = "job"
"""Id of the one row of a planning run."""
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordination:
    """A coordinator at its desk."""

    desk: PlanningDesk
    coordinator: Coordinator
    alone: Forecast
    """What the single agent would cost over the job's rows, in each channel."""
    rows: Path
    """The job's rows."""

    def planning(self, out: Path, **fields: Any) -> JobSpec:
        """Return the job of asking for the plan.

        Args:
            out: Its run directory.
            **fields: Further fields of the job.
        """
        request = {"id": JOB, "plan_for": EVERY_ROW}
        return JobSpec(graph=self.coordinator.graph, rows=[request], out=out, channel="live", **fields)

    def price(self, graph: str) -> Forecast:
        """Return what a graph over the job's rows will cost, in each channel."""
        spec = JobSpec(graph=graph, rows=self.rows)
        return _priced(spec, draw_contents(spec, ROWS))


def coordination(
    goal: str,
    *,
    agents: str | Path,
    types: str,
    row: str,
    output: str,
    rows: Path,
    file: Path,
    graph: str,
    model: str = MODEL,
    run: str | Path | None = None,
    inherit: str | None = None,
    limits: PlanLimits | None = None,
    stand_in: Callable[[Offer], TaskPlan] = join,
) -> Coordination:
    """Return a coordinator with all that it is shown; nothing is sent.

    Args:
        goal: What is to be done with each row.
        agents: The folder of agents.
        types: Where types and documents stand: a file beside `file`, or a module.
        row: The type of a row, by its name there.
        output: The type of a row's output, by its name there.
        rows: The job's rows, of which the coordinator is told the sizes of fields and never the content.
        file: Where the graph is going to stand.
        graph: Its name.
        model: The coordinator's.
        run: A run directory, by which calls of agents are priced.
        inherit: Model of agent files that say `inherit`.
        limits: What a plan may come to.
        stand_in: Plans offline, where no model answers.

    Raises:
        DefinitionError: Agents have mistakes; all of them, each with its place.
        SpecError: The goal is empty, or the graph's name is none.
        UsageError: Something is not there, or lies where the file cannot have it from; no row is valid.
    """
    if not goal.strip():
        raise SpecError((Mistake("goal", "is empty", "say what is to be done with each row"),))
    if mistakes := tuple(graph_name_mistakes(graph)):
        raise SpecError(tuple(replace(mistake, place="name") for mistake in mistakes))
    desk = planning_desk(
        agents=agents, types=types, row=row, file=file, output=output, graph=graph, inherit=inherit, limits=limits
    )
    entries = roster(desk.agents, run)
    offer = with_alone(goal, desk.offer)
    desk = replace(desk, offer=offer, sources=replace(desk.sources, alone=offer.agents[ALONE]))
    spec = JobSpec(graph=graph_of_alone(offer), rows=rows)
    drawn = draw_contents(spec, ROWS)
    shown = roster_block(goal, offer, _prices(offer, entries), _sizes(drawn))

    def planned(whole: Offer) -> TaskPlan:
        """Plan with the agents of the folder; the stand-in knows of no reason to take `alone`."""
        others = {name: member for name, member in whole.by_name().items() if name != ALONE}
        return stand_in(replace(whole, agents=others))

    asked = coordinator(offer, shown, planned, model=model)
    return Coordination(desk=desk, coordinator=asked, alone=_priced(spec, drawn), rows=rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanAnswer:
    """What a planning run has come to."""

    plan: TaskPlan | None
    """None where no plan could be used."""
    reason: str
    """Why, then."""
    simulated: bool
    """Whether a stand-in has answered."""
    cost_usd: str | None
    """What it cost, repairs included, without plans for other goals; None where that is not known."""
    lost: int
    """Requests whose reply was lost: what they cost is not known, and in no figure."""
    lost_upper_bound_usd: str
    """What these cost at most."""


def plan_of(out: Path) -> PlanAnswer:
    """Return the plan that a planning run has ended with."""
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    line = json.loads((out / "results.jsonl").read_text(encoding="utf-8").splitlines()[0])
    is_there = line["status"] == "succeeded"
    return PlanAnswer(
        plan=plain(TaskPlan.model_validate(line["output"])) if is_there else None,
        reason="" if is_there else line["reason"],
        simulated=bool(summary["offline"]),
        cost_usd=summary["cost_usd"],
        lost=summary["cash"]["lost"],
        lost_upper_bound_usd=summary["cash"]["lost_upper_bound_usd"],
    )


def _prices(offer: Offer, entries: Sequence[RosterEntry]) -> dict[str, str]:
    """Return what a call of each agent costs, in words for the coordinator."""
    paid = {entry.agent.name: entry.calls.pico_each for entry in entries if entry.calls is not None}
    return {name: _price(agent.spec.model, paid.get(name)) for name, agent in offer.by_name().items()}


def _price(model: str, pico_each: int | None) -> str:
    if pico_each is not None:
        return f"a call has cost ${usd_text(pico_each)} on average"
    rate = known_rates(model, now())
    if rate is None:
        return "its price is not known"
    return f"${usd_text(rate.input * _MILLION)} a million tokens in and ${usd_text(rate.output * _MILLION)} out"


def _priced(spec: JobSpec, drawn: Drawn) -> Forecast:
    return forecast_job(spec, drawn, channels=("live", "batch"), alternatives=False)


def _sizes(drawn: Drawn) -> Mapping[str, str]:
    """Return how long the values of a row's fields are, in words."""
    lengths: dict[str, list[int]] = {}
    for row in drawn.rows:
        for field, value in row.data.items():
            lengths.setdefault(field, []).append(len(value if isinstance(value, str) else json.dumps(value)))
    return {field: f"about {round(median(counts)):,} characters" for field, counts in lengths.items()}
