"""A forecast of a job, made from a sample of its rows.

The sample is carried out on an embedded emulator, once for each channel, with the single agent beside
it. Calls, prompts and caches are then those of the job. The outputs are those of the stand-ins, or of
a sample that was paid for; the range says how far off that may be. The worst case is an upper bound on
one attempt for each call: every byte a token, at the dearest way it may be billed, and every answer as
long as allowed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fanwise.context.layout import Schemas, Texts
from fanwise.engine.arms import Arm
from fanwise.engine.records import Record
from fanwise.engine.standin import StandInAnswer, recorded_answers
from fanwise.errors import DefinitionError
from fanwise.graph.dag import rounds
from fanwise.graph.nodes import GraphSpec
from fanwise.graph.packable import packable_inputs
from fanwise.graph.remarks import file_notes, tools_missing
from fanwise.graph.repacked import repacked
from fanwise.job.arms import arms_of, graph_of, is_own_baseline
from fanwise.job.directory import reading
from fanwise.job.manifest import draft
from fanwise.job.spec import JobSpec
from fanwise.journal.records import ArmName, Channel, RoleName
from fanwise.ledger.cash import paid_by_arm
from fanwise.ledger.forecast import (
    CHANNELS,
    PLANNED,
    AgentForecast,
    Forecast,
    PackCosts,
    PlannedChannel,
    Price,
    TextCosts,
)
from fanwise.ledger.slices import SliceAccount
from fanwise.ledger.standing import standing
from fanwise.ledger.tasks import answered_requests, first_channel, tool_requests
from fanwise.pricing.rates import known_rates
from fanwise.units import now

from .counting import count_alike
from .drawn import Drawn
from .estimate import AgentEstimate, RowUse
from .once import PrefixLevels
from .pace import shortest_minutes
from .prefixes import prefix_tree
from .price import Paid, arm_price, estimate_job, lengthened, without_rows
from .reach import reach_of
from .rehearsed import rehearse_rows
from .scale import Owed, Scale
from .settings import agent_settings
from .simulated import LengthFactors, length_factors, simulate
from .used import SampleUse, sample_use


def forecast_job(
    spec: JobSpec,
    drawn: Drawn,
    *,
    run: str | Path | None = None,
    channels: Sequence[PlannedChannel] = PLANNED,
    alternatives: bool = True,
    owed: Owed | None = None,
) -> Forecast:
    """Return what a job will do and cost; nothing is sent anywhere.

    Args:
        spec: The job.
        drawn: The rows that are carried out.
        run: A run directory in which these rows were carried out and paid for.
        channels: The channels to plan for.
        alternatives: Whether to plan with strict schemas too, where they are not, and with texts that are answered
            in the other way.
        owed: What is still to be done, where that is not all.
    """
    job = _SampledJob(spec, drawn, run, owed or Owed(rows=_arm_rows(spec, drawn.valid)))
    estimates = {channel: job.estimate(channel) for channel in channels}
    agents = [_agent_forecast(channel, agent) for channel in channels for agent in estimates[channel]]
    calls = {RoleName(agent.arm, agent.agent, agent.model): agent.calls for agent in agents}
    prices = [job.price(channel, arm, estimates[channel]) for channel in channels for arm in job.graphs]
    return Forecast(
        rows=drawn.valid,
        rejected=drawn.rejected,
        sampled=len(drawn.rows),
        paid=job.paid is not None,
        simulated=job.paid is None or job.paid.simulated,
        agents=tuple(agents),
        settings=tuple(agent for arm in job.arms.values() for agent in agent_settings(arm)),
        prices=tuple(prices),
        strict_costs=job.strict_costs(CHANNELS) if alternatives else {},
        text_costs=job.text_costs(CHANNELS) if alternatives else (),
        pack_costs=job.pack_costs(CHANNELS) if alternatives else (),
        prefixes={name: prefix_tree(arm, calls) for name, arm in job.arms.items()},
        batch_rounds=rounds(job.graphs["fanout"]),
        live_minutes=shortest_minutes(
            [agent for agent in estimates["live" if "live" in channels else channels[0]] if agent.arm == "fanout"]
        ),
        unpriced=_unpriced(agents),
        size_sources={agent.model: job.manifest.known_sizes.source(agent.model) for agent in agents},
        own_baseline=is_own_baseline(job.graphs),
        tools_missing=tools_missing(job.graphs["fanout"]),
        notes=file_notes(job.graphs["fanout"]),
        slices=job.slices(channels[0]),
    )


def _arm_rows(spec: JobSpec, rows: int) -> dict[ArmName, int]:
    """Return how many rows each arm is asked for."""
    return {} if spec.sample is None else {"baseline": min(spec.sample, rows)}


def _agent_forecast(channel: PlannedChannel, agent: AgentEstimate) -> AgentForecast:
    return AgentForecast(
        channel=channel,
        arm=agent.arm,
        agent=agent.agent,
        model=agent.model,
        calls=agent.calls,
        batch_calls=agent.batch_calls,
        tasks=agent.tasks,
        served=agent.tasks - agent.asks,
        served_at_most=agent.tasks - round(agent.asks * agent.fewest),
        usage=agent.usage,
        cost=round(agent.cost.value),
    )


def _unpriced(agents: Iterable[AgentForecast]) -> tuple[str, ...]:
    """Return the models of which no price is known, by the alphabet."""
    return tuple(sorted({agent.model for agent in agents if known_rates(agent.model, now()) is None}))


class _SampledJob:
    """A job of which a sample is carried out by stand-ins: what its agents will take for all rows."""

    def __init__(self, spec: JobSpec, drawn: Drawn, run: str | Path | None, owed: Owed) -> None:
        """Rehearse a job.

        Args:
            spec: The job.
            drawn: Its sample.
            run: A run directory in which the sample was paid for.
            owed: What is to be done of the job.
        """
        self.graphs = _graphs(spec)
        self.manifest = draft(spec, self.graphs)
        self.arms = self.manifest.arms(self.graphs)
        self.paid = None if run is None else _paid_sample(self.arms, drawn, run)
        alike = count_alike(self.manifest, self.arms, drawn) if owed.alike is None else owed.alike
        self._drawn = drawn
        records = (
            (place, Record(number=place, locator=0, data=row.data, raw="")) for place, row in enumerate(drawn.rows, 1)
        )
        rehearsed = rehearse_rows(self.arms, self.manifest.row_types(self.graphs["fanout"]), drawn)
        levels = PrefixLevels.of(self.arms.values())
        self._scale = Scale(drawn=drawn, rehearsed=rehearsed, alike=alike, owed=owed, levels=levels)
        self._shown = self._scale.shown(self.manifest.shown_alike(self.graphs["fanout"], records))
        self._reaches = {arm: reach_of(graph) for arm, graph in self.graphs.items()}
        self._uses: dict[PlannedChannel, SampleUse] = {}
        self._factors: LengthFactors = {}
        if self.paid is not None:
            # Held against what was paid as it was paid: what equal rows have shared is short in both.
            simulated = self._simulated(self.paid.channel, reuse=self.manifest.spec.reuse)
            self._factors = length_factors(self.paid.rows, simulated.rows)

    def estimate(self, channel: PlannedChannel) -> list[AgentEstimate]:
        """Return what each agent will take in a channel."""
        return self._scaled_up(self._use(channel), channel)

    def slices(self, channel: PlannedChannel) -> tuple[SliceAccount, ...]:
        """Return what the agents of the sample were sent in a channel."""
        return self._use(channel).slices

    def price(self, channel: PlannedChannel, arm: ArmName, agents: Sequence[AgentEstimate]) -> Price:
        """Return what an arm will cost in a channel: what its sample was paid, and the other rows."""
        reaches = self._reaches[arm]
        if self.paid is None or arm not in self.paid.costs:
            return arm_price(channel, arm, agents, reaches)
        use = self._use(channel)
        rows = lengthened(use.rows, self._factors, channel)
        paid = Paid(cost=self.paid.costs[arm], once=sum(part.extra for part in use.once if part.arm == arm))
        others = [without_rows(agent, rows, self._scale.parts_of_sample(arm, agent.agent)) for agent in agents]
        return arm_price(channel, arm, others, reaches, paid=paid)

    def strict_costs(self, channels: Iterable[Channel]) -> dict[Channel, int]:
        """Return the picodollars of the fan-out with strict schemas; empty where they are strict anyway."""
        if all(agent.shape.way in ("strict", "text") for agent in self.arms["fanout"].agents()):
            return {}
        return {channel: self._fanout_cost(channel, "strict") for channel in channels}

    def text_costs(self, channels: Sequence[Channel]) -> tuple[TextCosts, ...]:
        """Return what the fan-out would cost were its texts answered in the other way, where there is one."""
        fanout, schemas = {"fanout": self.graphs["fanout"]}, self.manifest.spec.schemas
        costs: list[TextCosts] = []
        ways = {node.node.path: node.shape.way for node in self.arms["fanout"].agents()}
        others: tuple[Texts, Texts] = ("plain", "enclosed")
        for texts in others:
            arm = self.manifest.arms(fanout, texts=texts)["fanout"]
            agents = [
                node.spec.name
                for node in arm.agents()
                if node.need.schema is None and node.shape.way != ways[node.node.path]
            ]
            if agents:
                prices: dict[Channel, int] = {
                    channel: self._fanout_cost(channel, schemas, texts) for channel in channels
                }
                costs.append(TextCosts(texts=texts, agents=tuple(dict.fromkeys(agents)), costs=prices))
        return tuple(costs)

    def pack_costs(self, channels: Sequence[Channel]) -> tuple[PackCosts, ...]:
        """Return what the fan-out would cost were inputs packed that may be, or not packed that are."""
        spec, schemas = self.graphs["fanout"], self.manifest.spec.schemas
        agents = {node.target.spec.name: node.target.spec for node in spec.tasks() if node.target.spec is not None}
        may_be = {
            name: most
            for name, agent in agents.items()
            if agent.pack == "auto" and (most := packable_inputs(agent)) > 1
        }
        others = (may_be, {name: 1 for name, agent in agents.items() if agent.packs})
        costs: list[PackCosts] = []
        for inputs in filter(None, others):
            graph = repacked(spec, inputs)
            prices: dict[Channel, int] = {
                channel: self._fanout_cost(channel, schemas, graph=graph) for channel in channels
            }
            costs.append(PackCosts(inputs=inputs, costs=prices))
        return tuple(costs)

    def _fanout_cost(
        self, channel: Channel, schemas: Schemas, texts: Texts = "auto", graph: GraphSpec | None = None
    ) -> int:
        fanout = {"fanout": graph or self.graphs["fanout"]}
        use = simulate(
            self.manifest,
            self._drawn,
            channel,
            graphs=fanout,
            schemas=schemas,
            texts=texts,
            shown=self._shown,
        )
        return arm_price(channel, "fanout", self._scaled_up(use, channel), {}).expected

    def _use(self, channel: PlannedChannel) -> SampleUse:
        """Return what the sample takes in a channel, simulated once."""
        if channel not in self._uses:
            self._uses[channel] = self._simulated(channel, reuse=False)
        return self._uses[channel]

    def _simulated(self, channel: PlannedChannel, *, reuse: bool) -> SampleUse:
        return simulate(
            self.manifest,
            self._drawn,
            channel,
            graphs=self.graphs,
            schemas=self.manifest.spec.schemas,
            recorded=None if self.paid is None else self.paid.answers,
            shown=self._shown,
            alive=self._scale.owed.alive_blocks,
            reuse=reuse,
        )

    def _scaled_up(self, use: SampleUse, channel: PlannedChannel) -> list[AgentEstimate]:
        return estimate_job(use, self._scale, self._factors, channel)


def _graphs(spec: JobSpec) -> dict[ArmName, GraphSpec]:
    """Return the fan-out and, where there can be one, the single agent beside it."""
    graph = graph_of(spec.graph)
    try:
        return arms_of(graph, spec.baseline)
    except DefinitionError:  # its output is none that one agent could give
        return arms_of(graph, "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class _PaidSample:
    """What a sample has come to that was carried out as the job itself would be."""

    answers: dict[str, StandInAnswer]
    """By the hash of the request."""
    rows: list[RowUse]
    costs: dict[ArmName, int]
    """Picodollars of each arm that was carried out, whatever they were paid for."""
    channel: Channel
    simulated: bool
    """Whether stand-ins have answered for the models all the same."""


def _paid_sample(arms: Mapping[ArmName, Arm], drawn: Drawn, run: str | Path) -> _PaidSample:
    numbers = {row.number for row in drawn.rows}
    with reading(run) as journal:
        return _PaidSample(
            answers=recorded_answers(arms, answered_requests(journal.db), tool_requests(journal.db)),
            rows=[row for row in sample_use(journal.db).rows if row.row in numbers],
            costs=paid_by_arm(journal.db),
            channel=first_channel(journal.db) or "live",
            simulated=standing(journal.db).offline is True,
        )
