"""What a job will cost, before it is paid: calls, tokens, dollars and time, for each channel.

Some rows are drawn from the whole file and carried out on an embedded emulator, once for each
channel, with the single agent beside them. Calls, prompts and caches are then those of the job. The
outputs are those of the stand-ins, or of a sample that was paid for; the range says how far off that
may be. The worst case is an upper bound on one attempt for each call: every byte a token, at the
dearest way it may be billed, and every answer as long as allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anyio

from fanwise.context.layout import Schemas
from fanwise.engine.arms import Arm
from fanwise.engine.nodes import AgentNode
from fanwise.engine.rows import RowTypes
from fanwise.engine.standin import StandInAnswer, recorded_answers
from fanwise.errors import DefinitionError, UsageError
from fanwise.graph.dag import rounds
from fanwise.graph.graphs import Graph
from fanwise.graph.nodes import GraphSpec
from fanwise.job.account import Account
from fanwise.job.arms import arms_of, graph_of
from fanwise.job.directory import reading
from fanwise.job.job import begin
from fanwise.job.manifest import Manifest, draft, rows_of
from fanwise.job.spec import JobSpec
from fanwise.job.watcher import Watcher
from fanwise.journal.meta import OFFLINE
from fanwise.journal.records import ArmName, Channel
from fanwise.ledger.forecast import CHANNELS, AgentForecast, Forecast, Price
from fanwise.ledger.tasks import answered_requests, first_channel, tool_requests
from fanwise.pricing.rates import known_rates
from fanwise.units import now

from .drawn import Drawn, draw
from .estimate import AgentSum, Observed
from .pace import shortest
from .prefixes import prefix_tree
from .price import Factors, price, sums
from .rehearsed import rehearse_rows
from .simulated import Seen, factors, seen, simulate


def arms(spec: JobSpec) -> dict[ArmName, GraphSpec]:
    """Return the fan-out and, where there can be one, the single agent beside it."""
    graph = graph_of(spec.graph)
    try:
        return arms_of(graph, spec.baseline)
    except DefinitionError:  # its output is none that one agent could give
        return arms_of(graph, "none")


def draw_sample(spec: JobSpec, count: int, seed: int = 0) -> Drawn:
    """Draw the rows that are carried out for a whole job.

    Args:
        spec: The job.
        count: Rows to draw, one or more.
        seed: Another one draws other rows.

    Raises:
        UsageError: The graph or the file cannot be used, or no row is valid.
    """
    if count < 1:
        raise UsageError(f"a sample of {count} rows is none; draw one or more")
    path, form = rows_of(spec)
    types = RowTypes(graph_of(spec.graph).spec.param_types, spec.id_field, path.parent)
    return draw(path, form, types, count, spec.limit, seed)


def make(
    spec: JobSpec,
    drawn: Drawn,
    *,
    run: str | Path | None = None,
    channels: Sequence[Channel] = CHANNELS,
    alternatives: bool = True,
) -> Forecast:
    """Return what a job will cost; nothing is sent anywhere.

    Args:
        spec: The job.
        drawn: The rows that are carried out.
        run: A run directory in which these rows were carried out and paid for.
        channels: The channels to plan for.
        alternatives: Whether to plan with strict schemas too, where they are not.
    """
    both = arms(spec)
    manifest = draft(spec, both)
    plans = manifest.arms(both)
    sim = _simulator(manifest, drawn)
    paid = None if run is None else _paid(plans, drawn, run)
    answers = {} if paid is None else paid.answers
    wanted = dict.fromkeys(channels if paid is None else (*channels, paid.channel))
    done = {channel: sim(channel, spec.schemas, both, answers) for channel in wanted}
    by: Factors = {} if paid is None else factors(paid.observed, done[paid.channel].observed)
    rehearsed = rehearse_rows(plans, manifest.row_types(both["fanout"]), drawn.rows, drawn.more)
    agents: list[AgentForecast] = []
    prices: list[Price] = []
    instead: dict[Channel, int] = {}
    live: list[AgentSum] = []
    for channel in channels:
        found = sums(done[channel], drawn, rehearsed, by, channel)
        live = live or [one for one in found if one.arm == "fanout"]
        agents += [
            AgentForecast(
                channel=channel,
                arm=_side(agent),
                agent=agent.agent,
                model=agent.model,
                calls=agent.calls,
                usage=agent.usage,
                cost=round(agent.cost.value),
            )
            for agent in found
        ]
        prices += [price(channel, arm, found, paid=run is not None) for arm in both]
        if alternatives and any(_together(node) for node in plans["fanout"].agents()):
            fanout: dict[ArmName, GraphSpec] = {"fanout": both["fanout"]}
            strict = sums(sim(channel, "strict", fanout, {}), drawn, rehearsed, by, channel)
            instead[channel] = price(channel, "fanout", strict, paid=False).expected
    simulated = paid is None or paid.offline
    calls: dict[tuple[ArmName, str], int] = {(one.arm, one.agent): one.calls for one in agents}
    return Forecast(
        rows=drawn.valid,
        rejected=drawn.rejected,
        sampled=len(drawn.rows),
        paid=run is not None,
        simulated=simulated,
        agents=tuple(agents),
        prices=tuple(prices),
        strict_costs=instead,
        prefixes={arm: prefix_tree(plan, calls) for arm, plan in plans.items()},
        batch_rounds=rounds(both["fanout"]),
        live_minutes=shortest(live),
        unpriced=tuple(sorted(_unpriced(agents))),
        size_sources={agent.model: manifest.known_sizes.source(agent.model) for agent in agents},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRun:
    """Rows of a job that its models are to carry out, as they would in the whole of it."""

    spec: JobSpec
    """The whole job, with the directory where the answers are kept."""
    drawn: Drawn
    subject: str
    """What is carried out, in words."""

    def forecast(self) -> Forecast:
        """Return what these rows will cost; it takes as long as a plan of them."""
        channel: Channel = "live" if self.spec.channel == "live" else "batch"
        alone = replace(self.drawn, valid=len(self.drawn.rows), more=())
        return make(self.spec, alone, channels=(channel,), alternatives=False)

    async def run(self, watcher: Watcher | None = None) -> Account:
        """Carry them out; the other rows wait for `resume`.

        Args:
            watcher: What a display reads.

        Raises:
            UsageError: Something is wrong with the graph, the rows, the directory or the key.
            HaltedError: They were stopped before their end; what was done is kept.
        """
        return await begin(self.spec, watcher, only=frozenset(row.number for row in self.drawn.rows))


CarryOut = Callable[[SampleRun], None]
"""Carries out the rows of a sample; whoever wants to be asked before money is spent asks in it."""


def carry_out(sample_run: SampleRun) -> None:
    """Carry out the rows of a sample without a display and without a question: the budget of the job bounds them."""
    anyio.run(sample_run.run)


def plan(
    graph: Graph[..., Any] | str,
    *,
    rows: str | Path,
    simulate: int = 20,
    sample: int | None = None,
    out: str | Path | None = None,
    channel: Channel = "live",
    carry_out: CarryOut = carry_out,
    **fields: Any,
) -> Forecast:
    """Return what a job will do and cost, for each channel, with a single agent beside it; prints nothing.

    Without `sample` nothing is sent or paid: stand-ins carry out some rows on an emulator.

    Args:
        graph: A graph, or its reference `path/file.py:name`.
        rows: A JSONL, CSV or Parquet file.
        simulate: Rows that stand-ins carry out, drawn at random.
        sample: Rows that the models carry out and that are paid for, in their place; needs `out`.
        out: Run directory where the sample's answers are kept; `resume` goes on with the other rows.
        channel: How the sample travels.
        carry_out: Carries out the sample.
        **fields: Further fields of `JobSpec`; `baseline` is the single agent that a sample pays for.

    Raises:
        UsageError: The graph, the rows or a value cannot be used.
        HaltedError: The sample was stopped before its end; what was done is kept.
    """
    spec = JobSpec(graph=graph, rows=rows, out=out, channel=channel, **fields)
    if (sample is None) != (out is None):
        raise UsageError("--sample and --out go together: what is paid for is kept for the run")
    drawn = draw_sample(spec, simulate if sample is None else sample)
    if sample is not None:
        carry_out(SampleRun(spec=spec, drawn=drawn, subject=f"the sample of {len(drawn.rows)} rows"))
    return make(replace(spec, baseline="auto"), drawn, run=out)


Simulator = Callable[[Channel, Schemas, Mapping[ArmName, GraphSpec], Mapping[str, StandInAnswer]], Seen]


def _simulator(manifest: Manifest, drawn: Drawn) -> Simulator:
    def run(
        channel: Channel, schemas: Schemas, arms: Mapping[ArmName, GraphSpec], answers: Mapping[str, StandInAnswer]
    ) -> Seen:
        return simulate(
            arms,
            drawn,
            channel,
            graph=manifest.graph,
            id_field=manifest.spec.id_field,
            schemas=schemas,
            recorded=answers,
            folder=manifest.folder,
        )

    return run


@dataclass(frozen=True, slots=True)
class _Paid:
    """What a sample has come to that was carried out as the job itself would be."""

    answers: dict[str, StandInAnswer]
    """By the hash of the request."""
    observed: list[Observed]
    channel: Channel
    offline: bool


def _paid(plans: Mapping[ArmName, Arm], drawn: Drawn, run: str | Path) -> _Paid:
    numbers = {row.number for row in drawn.rows}
    with reading(run) as journal:
        return _Paid(
            recorded_answers(plans, answered_requests(journal.db), tool_requests(journal.db)),
            [one for one in seen(journal.db).observed if one.row in numbers],
            first_channel(journal.db) or "live",
            OFFLINE.of(journal) is True,
        )


def _unpriced(agents: Sequence[AgentForecast]) -> set[str]:
    return {one.model for one in agents if known_rates(one.model, now()) is None}


def _together(node: AgentNode) -> bool:
    return node.shape.way != "strict"


def _side(one: AgentSum) -> ArmName:
    return "baseline" if one.arm == "baseline" else "fanout"
