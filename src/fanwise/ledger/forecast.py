"""What a job will do and cost, before it is paid: the records that a plan of it returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from fanwise.context.layout import Texts
from fanwise.context.sizes import Source
from fanwise.graph.settings import Setting, settings_data
from fanwise.journal.records import ArmName, Channel
from fanwise.limits import Level
from fanwise.pricing.rates import known_rates
from fanwise.pricing.usage import Usage
from fanwise.units import now, usd_text

from .slices import SliceAccount

PlannedChannel = Literal["live", "batch", "auto"]
CHANNELS: tuple[Channel, ...] = ("live", "batch")
PLANNED: tuple[PlannedChannel, ...] = ("auto", *CHANNELS)
"""The default first: `auto` takes what each call costs less in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one arm of a job will cost in one channel, in picodollars."""

    channel: PlannedChannel
    arm: ArmName
    expected: int
    low: int
    high: int
    worst: int

    def data(self) -> dict[str, Any]:
        """Return it as JSON-ready data, in dollars."""
        return {
            "channel": self.channel, "side": self.arm, "expected_usd": usd_text(self.expected),
            "low_usd": usd_text(self.low), "high_usd": usd_text(self.high), "worst_usd": usd_text(self.worst),
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentForecast:
    """What one agent will do in a job, in one channel."""

    channel: PlannedChannel
    arm: ArmName
    agent: str
    model: str
    calls: int
    batch_calls: int
    """Of them, those in batches."""
    tasks: int
    """Tasks that these calls answer."""
    served: int
    """Of them, those that are equal to others by what their rows hold: they are served by them."""
    served_at_most: int
    """The same, if answers come out equal as those of the stand-ins do, so that more tasks are."""
    usage: Usage
    cost: int
    """Picodollars, expected."""

    def data(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        return {
            "channel": self.channel, "arm": self.arm, "agent": self.agent, "model": self.model, "calls": self.calls,
            "batch_calls": self.batch_calls, "tasks": self.tasks, "served_tasks": self.served,
            "served_tasks_at_most": self.served_at_most, "usage": self.usage, "expected_usd": usd_text(self.cost),
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSettings:
    """How an agent is asked at some tasks of a graph, and where that comes from."""

    arm: ArmName
    agent: str
    tasks: tuple[str, ...]
    """Paths of the tasks that are asked so; an agent may have other settings at others, by `.options`."""
    settings: tuple[Setting, ...]

    def data(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        settings = settings_data(self.settings)
        return {"side": self.arm, "agent": self.agent, "tasks": list(self.tasks), **settings}


@dataclass(slots=True, kw_only=True)
class PrefixNode:
    """Blocks behind those of the node above, with a breakpoint behind them."""

    blocks: tuple[str, ...]
    key: str
    """Hash of what they hold and of all else that keys the cache."""
    tokens: int
    """Of these blocks."""
    model: str
    agents: list[str] = field(default_factory=list[str])
    calls: int = 0
    """Requests of all rows that begin with it."""
    inner: list[PrefixNode] = field(default_factory=list["PrefixNode"])

    def dollars(self) -> tuple[int, int] | None:
        """Return what its tokens cost written once and read after, and what they would cost plain.

        Picodollars at the live price; None where no price is known.
        """
        rate = known_rates(self.model, now())
        if rate is None:
            return None
        reads = max(self.calls - 1, 0)
        return self.tokens * (rate.write_5m + rate.read * reads), self.tokens * rate.input * self.calls

    def data(self) -> dict[str, Any]:
        """Return it as JSON-ready data, with the nodes behind it."""
        cached, plain = self.dollars() or (None, None)
        return {
            "blocks": list(self.blocks), "tokens": self.tokens, "model": self.model, "agents": self.agents,
            "writes": 1, "reads": self.calls - 1, "live_usd": usd_text(cached), "live_usd_uncached": usd_text(plain),
            "inner": [node.data() for node in self.inner],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class TextCosts:
    """What a fan-out would cost were some of its texts answered in another way."""

    texts: Texts
    """`plain` or `enclosed`: the other way."""
    agents: tuple[str, ...]
    """Who would answer in it."""
    costs: dict[Channel, int]
    """Picodollars of the fan-out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackCosts:
    """What a fan-out would cost were inputs of some agents packed that are not, or the other way round."""

    inputs: Mapping[str, int]
    """How many a request would show, by agent; 1: none would be packed."""
    costs: dict[Channel, int]
    """Picodollars of the fan-out."""

    def data(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        return {"inputs": dict(self.inputs), "usd": {channel: usd_text(cost) for channel, cost in self.costs.items()}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What a job will do and cost."""

    rows: int
    """Valid rows of the file."""
    rejected: int
    sampled: int
    paid: bool
    """Whether the sample was carried out as the job itself would be, and its answers are kept."""
    simulated: bool
    """Whether stand-ins have answered for the models."""
    agents: tuple[AgentForecast, ...]
    settings: tuple[PlannedSettings, ...]
    prices: tuple[Price, ...]
    strict_costs: dict[Channel, int]
    """Picodollars of the fan-out with a strict schema per agent, where schemas travel together."""
    text_costs: tuple[TextCosts, ...]
    """The same with texts that are answered in the other way, where there is one."""
    pack_costs: tuple[PackCosts, ...]
    """The same with inputs that are packed otherwise, where agents pack them or may."""
    prefixes: dict[ArmName, list[PrefixNode]]
    batch_rounds: int
    """Batches that one row goes through, one after another."""
    live_minutes: dict[Level, float]
    """What the documented rate limits leave as the shortest time of the fan-out, live."""
    unpriced: tuple[str, ...]
    """Models of which no price is known; what they cost is in no figure."""
    size_sources: dict[str, Source]
    """Where the sizes of texts come from, by model."""
    own_baseline: bool = False
    """Whether the graph has one agent, so that its calls are the single agent's too."""
    tools_missing: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """By agent the tools that its file names and that it runs without."""
    notes: tuple[str, ...] = ()
    """What of the agents' files was not read, or read otherwise than it stands there, with file and line."""
    slices: tuple[SliceAccount, ...] = ()
    """What the sample's agents were sent in the first channel, and how much of it their rows had sent before."""

    def price(self, channel: PlannedChannel, arm: ArmName = "fanout") -> Price | None:
        """Return the price of one arm in one channel."""
        return next((price for price in self.prices if (price.channel, price.arm) == (channel, arm)), None)

    def total(self) -> Price:
        """Return what both arms will cost together, in the cheapest channel where it is planned for several."""
        by_channel = [[price for price in self.prices if price.channel == channel] for channel in PLANNED]
        sums = [_sum_of(prices) for prices in by_channel if prices]
        return min(sums, key=lambda price: price.expected)

    def data(self) -> dict[str, Any]:
        """Return it as JSON-ready data, money as decimal strings of dollars."""
        return {
            "simulated": self.simulated,
            "paid_sample": self.paid,
            "rows": self.rows,
            "rejected": self.rejected,
            "sampled": self.sampled,
            "agents": [agent.data() for agent in self.agents],
            "settings": [agent.data() for agent in self.settings],
            "prices": [price.data() for price in self.prices],
            "with_strict_schemas_usd": {channel: usd_text(cost) for channel, cost in self.strict_costs.items()},
            "with_plain_texts": self._other_texts("plain"),
            "with_enclosed_texts": self._other_texts("enclosed"),
            "packed_otherwise": [costs.data() for costs in self.pack_costs],
            "prefixes": {arm: [node.data() for node in roots] for arm, roots in self.prefixes.items()},
            "batch_rounds": self.batch_rounds,
            "live_minutes_at_least": {level: round(minutes, 2) for level, minutes in self.live_minutes.items()},
            "models_without_price": list(self.unpriced),
            "sizes": self.size_sources,
            "own_baseline": self.own_baseline,
            "tools_missing": {agent: list(tools) for agent, tools in self.tools_missing.items()},
            "notes": list(self.notes),
        }

    def _other_texts(self, texts: Texts) -> dict[str, Any] | None:
        """Return the costs of texts in another way as JSON-ready data; None where it is no other."""
        other = next((costs for costs in self.text_costs if costs.texts == texts), None)
        if other is None:
            return None
        usd = {channel: usd_text(cost) for channel, cost in other.costs.items()}
        return {"agents": list(other.agents), "usd": usd}


def _sum_of(prices: list[Price]) -> Price:
    """Return the sum of the prices of all arms in one channel, under the name of the fan-out."""
    return Price(
        channel=prices[0].channel,
        arm="fanout",
        expected=sum(price.expected for price in prices),
        low=sum(price.low for price in prices),
        high=sum(price.high for price in prices),
        worst=sum(price.worst for price in prices),
    )
