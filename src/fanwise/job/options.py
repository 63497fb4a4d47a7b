"""How a job is run."""

from __future__ import annotations

from dataclasses import dataclass

from fanwise.context.layout import Schemas
from fanwise.dispatch.channel import ChannelChoice


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a job is run."""

    channel: ChannelChoice = "auto"
    baseline: str = "none"
    """`none`, `auto` (one agent made from the fan-out), or the reference of a graph."""
    sample: int | None = None
    """Rows on which the baseline runs, drawn by a hash of their id; None: all."""
    seed: int = 0
    """Of that sample: another one draws other rows."""
    budget_usd: str | None = None
    """Most that the run may cost in all its sessions."""
    budget_tokens: int | None = None
    """Most tokens that it may take, input and output, cached or not."""
    row_budget_usd: str | None = None
    """Most that one row may cost, on both sides of a comparison."""
    row_budget_tokens: int | None = None
    base_url: str | None = None
    limit: int | None = None
    id_field: str | None = None
    slots: int = 32
    """Live requests in flight."""
    deadline: str | None = None
    """When the run should have ended, from its first session on: `90s`, `30m`, `6h`, `1d`."""
    pay_twice_for_deadline: bool = False
    """Whether what cancelled batches do not give back in time is sent live all the same, and perhaps paid twice."""
    schemas: Schemas = "auto"
    """How schemas travel where strict ones would split a shared cache: `strict`, `shared`, or by price."""
    gate: bool = True
    """False: live calls do not wait for the first writer of a prefix; to see what that costs."""
    grace_s: float = 120.0
    """Seconds after which a batch that the API does not list was never taken."""
    batch_delay_s: float = 0.0
    """Seconds that the embedded emulator takes for a batch."""
    latency_s: float = 0.0
    """Seconds that the embedded emulator takes for a reply."""


KEPT = (
    "channel", "baseline", "sample", "seed", "budget_usd", "budget_tokens", "row_budget_usd", "row_budget_tokens",
    "base_url", "limit", "id_field", "slots", "schemas", "deadline", "pay_twice_for_deadline",
)  # fmt: skip
"""Options that a resumed run takes over, unless it is given others."""
