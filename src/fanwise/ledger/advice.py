"""What is advised about a graph before it is run: the records that the advice returns. Money is in picodollars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fanwise.units import usd_text

from .forecast import PlannedChannel

ChangeKind = Literal["alone", "pack", "merge", "drop", "share"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphChange:
    """A change of a graph."""

    kind: ChangeKind
    agents: tuple[str, ...]
    """Who is changed."""
    params: tuple[str, ...] = ()
    """Parameters of theirs that are changed, `agent(param)`."""
    place: str
    """`file:line` of what is changed: the call in the graph."""
    text: str
    """What to change, in words."""
    basis: str
    """What was planned for it, and what only labelled rows can tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvisedChange(GraphChange):
    """A change whose plan is cheaper than that of the graph as it is."""

    before: int
    """Expected price of the job as it is."""
    after: int
    """Expected price of the job with the change, planned in the same way."""
    rows: int
    """Valid rows of the job."""

    @property
    def saved(self) -> int:
        """What it takes off the price of the job."""
        return self.before - self.after

    @property
    def saved_per_row(self) -> int:
        """The same per row, rounded."""
        return round(self.saved / self.rows)

    def data(self) -> dict[str, Any]:
        """Return it as JSON-ready data, money as decimal strings of dollars."""
        return {
            "kind": self.kind, "agents": list(self.agents), "params": list(self.params), "place": self.place,
            "text": self.text, "basis": self.basis, "before_usd": usd_text(self.before),
            "after_usd": usd_text(self.after), "saved_usd": usd_text(self.saved),
            "saved_usd_per_row": usd_text(self.saved_per_row),
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkShape:
    """Whether the work of a row decomposes, and what the parts are sent."""

    agents: int
    """Calls of agents in the graph; one inside `each` counts once."""
    at_once: int
    """Most of them that can run at the same time."""
    depth: int
    """Agents one after another on the longest path."""
    per_item: tuple[str, ...]
    """Agents that are asked once for each item of a list; the items run at once."""
    parts: int
    """Groups of agents of which none is shown what another has made."""
    shared: Mapping[str, tuple[str, ...]]
    """Blocks of context that several agents are shown, with the names of these."""
    sent: int
    """Tokens of all prompts of the sample."""
    sent_twice: int
    """Of them, those that the same row had sent before."""
    read: float
    """Share of the prompts of the job that is read from the cache."""
    tokens: float | None
    """Tokens of the fan-out over those of the single agent; None where there is none, or the graph is one itself."""
    usd: float | None
    """The same in dollars."""

    @property
    def twice_share(self) -> float:
        """Share of the prompts that the same row had sent before."""
        return self.sent_twice / self.sent if self.sent else 0.0

    def data(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        return {
            "agents": self.agents, "at_once": self.at_once, "depth": self.depth, "per_item": list(self.per_item),
            "independent_parts": self.parts,
            "shared_blocks": {name: list(agents) for name, agents in self.shared.items()},
            "sent_twice": round(self.twice_share, 4), "read_from_cache": round(self.read, 4),
            "tokens_over_single_agent": None if self.tokens is None else round(self.tokens, 3),
            "usd_over_single_agent": None if self.usd is None else round(self.usd, 3),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class PublishedRule:
    """A published figure, with the user's own beside it."""

    source: str
    text: str
    own: str

    def data(self) -> dict[str, str]:
        """Return it as JSON-ready data."""
        return {"source": self.source, "published": self.text, "here": self.own}


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What is advised about a graph over some rows; nothing was sent or paid for it."""

    rows: int
    """Valid rows."""
    rejected: int
    sampled: int
    """Rows that stand-ins have carried out."""
    channel: PlannedChannel
    price: int
    """Expected price of the job as it is, without a single agent."""
    alone: int | None
    """Expected price of the single agent; None where there is none, or the graph is one itself."""
    shape: WorkShape
    rules: tuple[PublishedRule, ...]
    changes: tuple[AdvisedChange, ...]
    """Those that are cheaper, the greatest saving first. Each was planned by itself: savings do not add up."""
    unpriced: tuple[str, ...] = ()
    """Models of which no price is known; no change is planned then."""

    def data(self) -> dict[str, Any]:
        """Return it as JSON-ready data, money as decimal strings of dollars."""
        return {
            "rows": self.rows, "rejected": self.rejected, "sampled": self.sampled, "channel": self.channel,
            "expected_usd": usd_text(self.price), "single_agent_usd": usd_text(self.alone),
            "shape": self.shape.data(), "rules": [rule.data() for rule in self.rules],
            "changes": [change.data() for change in self.changes], "models_without_price": list(self.unpriced),
        }  # fmt: skip
