"""What to change in a graph so that it costs less, and by how much; nothing is sent and nothing costs.

A saving is the difference of two plans: that of the graph as it is, and that of the graph with the change.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from fanwise.graph.graphs import Graph
from fanwise.job.arms import graph_of
from fanwise.job.spec import JobSpec
from fanwise.ledger.advice import Advice, AdvisedChange
from fanwise.ledger.forecast import Forecast, PlannedChannel
from fanwise.studies.checking import Mistakes, described, opened
from fanwise.studies.plan.drawn import Drawn, draw_contents
from fanwise.studies.plan.forecast import forecast_job

from .candidates import Candidate, ChangedGraph, agent_tasks
from .dropping import drops
from .merging import merges
from .packing import packs
from .published import published_rules
from .shape import work_shape
from .sharing import shares

SIMULATED = 24
"""Rows that stand-ins carry out: whole packs of eight, so that a plan with packs is made of the same rows."""
LEAST_SAVING = 0.001
"""Share of the price that a change takes off at least; less is within the rounding of a plan."""


def advise(graph: Graph[..., Any] | str, *, rows: str | Path, simulate: int = SIMULATED, **fields: Any) -> Advice:
    """Return what a graph's work is like, and the changes that make it cheaper by forecast; prints nothing.

    Args:
        graph: A graph, or its reference `path/file.py:name`.
        rows: A JSONL, CSV or Parquet file.
        simulate: Rows that stand-ins carry out for each plan.
        **fields: Further fields of `JobSpec`; `channel` is the one that is planned for.

    Raises:
        UsageError: The graph, the rows or a value cannot be used.
    """
    spec = replace(_checked(dict(graph=graph, rows=rows, **fields), simulate), baseline="auto")
    channel, traced = spec.channel, graph_of(spec.graph)
    drawn = draw_contents(spec, simulate)
    forecast = forecast_job(spec, drawn, channels=(channel,), alternatives=False)
    price, alone = _expected(forecast, channel), forecast.price(channel, "baseline")
    shape = work_shape(traced.spec, forecast, channel)
    changes = () if forecast.unpriced else tuple(_changes(spec, traced, drawn, simulate, price))
    single = _alone(traced, forecast, channel)
    return Advice(
        rows=forecast.rows,
        rejected=forecast.rejected,
        sampled=forecast.sampled,
        channel=channel,
        price=price,
        alone=None if alone is None else alone.expected,
        shape=shape,
        rules=published_rules(shape),
        changes=tuple(sorted(_worthwhile([*single, *changes]), key=lambda change: -change.saved)),
        unpriced=forecast.unpriced,
    )


def changed_graphs(graph: Graph[..., Any], drawn: Drawn) -> Iterator[Candidate]:
    """Yield the changes of a graph that may make it cheaper, each with the graph that it makes.

    Args:
        graph: The graph.
        drawn: A sample of its rows.
    """
    spec = graph.spec
    yield from packs(spec)
    yield from merges(spec)
    yield from drops(spec)
    yield from shares(spec, [row.data for row in drawn.rows])


def _changes(spec: JobSpec, graph: Graph[..., Any], drawn: Drawn, simulate: int, price: int) -> Iterator[AdvisedChange]:
    for candidate in changed_graphs(graph, drawn):
        changed = replace(spec, graph=ChangedGraph(graph, candidate.graph), baseline="none")
        forecast = forecast_job(changed, draw_contents(changed, simulate), channels=(spec.channel,), alternatives=False)
        yield AdvisedChange(
            kind=candidate.kind,
            agents=candidate.agents,
            params=candidate.params,
            place=candidate.place,
            text=candidate.text,
            basis=candidate.basis,
            before=price,
            after=_expected(forecast, spec.channel),
            rows=forecast.rows,
        )


def _alone(graph: Graph[..., Any], forecast: Forecast, channel: PlannedChannel) -> Iterator[AdvisedChange]:
    """Yield the single agent in the place of the fan-out, where it is another."""
    alone = forecast.price(channel, "baseline")
    agents = tuple(dict.fromkeys(agent.name for _, agent in agent_tasks(graph.spec)))
    if alone is None or forecast.unpriced or len(agents) < 2:
        return
    yield AdvisedChange(
        kind="alone",
        agents=agents,
        place=graph.place,
        text=f"let one agent do the row in the place of {', '.join(agents)}",
        basis="the plan of the single agent, on the strongest of their models; see whether it is as right: fanwise "
        "compare --labels",
        before=_expected(forecast, channel),
        after=alone.expected,
        rows=forecast.rows,
    )


def _worthwhile(changes: list[AdvisedChange]) -> list[AdvisedChange]:
    return [change for change in changes if change.saved > change.before * LEAST_SAVING]


def _expected(forecast: Forecast, channel: PlannedChannel) -> int:
    price = forecast.price(channel)
    assert price is not None, "a plan has a price of the fan-out in each channel that it was made for"
    return price.expected


def _checked(call: dict[str, Any], simulate: int) -> JobSpec:
    """Return the job that is to be advised on.

    Raises:
        UsageError: Something is wrong with the call; all of it is named.
    """
    mistakes = Mistakes()
    spec = described(mistakes, **call)
    mistakes.check_number("simulate", simulate, SIMULATED, at_least=1)
    if spec is not None:
        opened(mistakes, spec, baseline="none")
    return mistakes.refused_or(spec)
