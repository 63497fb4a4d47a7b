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
from typing import Any

from fanwise.context.layout import Schemas
from fanwise.context.sizes import Sizes
from fanwise.engine.arms import AgentNode, Arm, build_arms, statics
from fanwise.engine.load import load_graph
from fanwise.engine.rows import Format, RowTypes, format_of
from fanwise.engine.standin import Said, recorded
from fanwise.engine.toolbox import listed
from fanwise.errors import DefinitionError
from fanwise.graph.dag import rounds
from fanwise.graph.graphs import Graph
from fanwise.graph.nodes import GraphSpec
from fanwise.job.arms import arms_of
from fanwise.job.directory import reading
from fanwise.job.sizes import TokenCache, common_texts
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


@dataclass(frozen=True, slots=True)
class Asked:
    """What a plan is of."""

    graph: str
    rows: str
    form: Format | None = None
    id_field: str | None = None
    limit: int | None = None
    schemas: Schemas = "auto"
    baseline: str = "auto"


def arms(asked: Asked) -> dict[ArmName, GraphSpec]:
    """Return the fan-out and, where there can be one, the single agent beside it."""
    graph: Graph[..., Any] = load_graph(asked.graph)
    try:
        return arms_of(graph, asked.baseline)
    except DefinitionError:  # its output is none that one agent could give
        return arms_of(graph, "none")


def sample(asked: Asked, count: int, seed: int = 0) -> Drawn:
    """Draw the rows that a plan is made from.

    Raises:
        UsageError: The graph or the file cannot be used, or no row is valid.
    """
    path = Path(asked.rows)
    types = RowTypes(load_graph(asked.graph).spec.param_types, asked.id_field, path.parent)
    return draw(path, format_of(path, asked.form), types, count, asked.limit, seed)


def make(
    asked: Asked,
    drawn: Drawn,
    *,
    run: str | Path | None = None,
    channels: Sequence[Channel] = CHANNELS,
    alternatives: bool = True,
) -> Forecast:
    """Return what a job will cost; nothing is sent anywhere.

    Args:
        asked: The job.
        drawn: The rows that are carried out.
        run: A run directory in which these rows were carried out and paid for.
        channels: The channels to plan for.
        alternatives: Whether to plan with strict schemas too, where they are not.
    """
    both = arms(asked)
    sizes = known_sizes(both)
    plans = build_arms(both, asked.schemas, sizes, listed(both.values()))
    sim = _simulator(asked, drawn)
    paid = None if run is None else _paid(plans, drawn, run)
    answers = {} if paid is None else paid.answers
    wanted = dict.fromkeys(channels if paid is None else (*channels, paid.channel))
    done = {channel: sim(channel, asked.schemas, both, answers) for channel in wanted}
    by: Factors = {} if paid is None else factors(paid.observed, done[paid.channel].observed)
    types = RowTypes(both["fanout"].param_types, asked.id_field, Path(asked.rows).parent)
    rehearsed = rehearse_rows(plans, types, drawn.rows, drawn.more)
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
        size_sources={agent.model: sizes.how(agent.model) for agent in agents},
    )


def is_changed(before: Mapping[str, str], asked: Asked) -> bool:
    """Return whether answers of a run do not hold any more, since what shapes them was edited.

    Args:
        before: What its journal keeps of its nodes; empty where no session has begun.
        asked: The job as it is now.
    """
    both = arms_of(load_graph(asked.graph), asked.baseline)
    plans = build_arms(both, asked.schemas, known_sizes(both), listed(both.values()))
    return bool(before) and before != statics(plans)


Simulator = Callable[[Channel, Schemas, Mapping[ArmName, GraphSpec], Mapping[str, Said]], Seen]


def _simulator(asked: Asked, drawn: Drawn) -> Simulator:
    def run(channel: Channel, schemas: Schemas, arms: Mapping[ArmName, GraphSpec], answers: Mapping[str, Said]) -> Seen:
        return simulate(
            arms,
            drawn,
            channel,
            graph=asked.graph,
            id_field=asked.id_field,
            schemas=schemas,
            recorded=answers,
            folder=Path(asked.rows).resolve().parent,
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


def known_sizes(both: Mapping[ArmName, GraphSpec]) -> Sizes:
    """Return what is known of the sizes of a job's texts, without asking anybody."""
    with TokenCache() as cache:
        return cache.sizes(common_texts(both.values()))


def _unpriced(agents: Sequence[AgentForecast]) -> set[str]:
    return {one.model for one in agents if known_rates(one.model, now()) is None}


def _together(node: AgentNode) -> bool:
    return node.shape.way != "strict"


def _side(one: AgentSum) -> ArmName:
    return "baseline" if one.arm == "baseline" else "fanout"
