"""What a job will cost, before it is paid: calls, tokens, dollars and time, for each channel.

Some rows are drawn from the whole file and carried out on an embedded emulator, once for each
channel, with the single agent beside them. Calls, prompts and caches are then those of the job. The
outputs are those of the stand-ins, or of a sample that was paid for; the range says how far off that
may be. The worst case is an upper bound on one attempt for each call: every byte a token, at the
dearest way it may be billed, and every answer as long as allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fanwise.context.layout import Schemas
from fanwise.engine.arms import AgentNode, Arm
from fanwise.engine.rows import RowTypes
from fanwise.engine.standin import Said, recorded
from fanwise.errors import DefinitionError
from fanwise.graph.dag import rounds
from fanwise.graph.nodes import GraphSpec
from fanwise.job.arms import arms_of, graph_of
from fanwise.job.directory import reading
from fanwise.job.manifest import Manifest, draft, rows_of
from fanwise.job.spec import JobSpec
from fanwise.journal.meta import OFFLINE
from fanwise.journal.records import ArmName, Channel
from fanwise.ledger.forecast import CHANNELS, AgentForecast, Forecast, Price
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


def sample(spec: JobSpec, count: int, seed: int = 0) -> Drawn:
    """Draw the rows that a plan is made from.

    Raises:
        UsageError: The graph or the file cannot be used, or no row is valid.
    """
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
        size_sources={agent.model: manifest.known_sizes.how(agent.model) for agent in agents},
    )


Simulator = Callable[[Channel, Schemas, Mapping[ArmName, GraphSpec], Mapping[str, Said]], Seen]


def _simulator(manifest: Manifest, drawn: Drawn) -> Simulator:
    def run(channel: Channel, schemas: Schemas, arms: Mapping[ArmName, GraphSpec], answers: Mapping[str, Said]) -> Seen:
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

    answers: dict[str, Said]
    """By the hash of the request."""
    observed: list[Observed]
    channel: Channel
    offline: bool


def _paid(plans: Mapping[ArmName, Arm], drawn: Drawn, run: str | Path) -> _Paid:
    numbers = {row.number for row in drawn.rows}
    with reading(run) as journal:
        row = journal.db.execute("SELECT channel FROM attempts LIMIT 1").fetchone()
        return _Paid(
            recorded(plans, journal),
            [one for one in seen(journal.db).observed if one.row in numbers],
            "batch" if row is not None and row[0] == "batch" else "live",
            OFFLINE.of(journal) is True,
        )


def _unpriced(agents: Sequence[AgentForecast]) -> set[str]:
    return {one.model for one in agents if known_rates(one.model, now()) is None}


def _together(node: AgentNode) -> bool:
    return node.shape.way != "strict"


def _side(one: AgentSum) -> ArmName:
    return "baseline" if one.arm == "baseline" else "fanout"
