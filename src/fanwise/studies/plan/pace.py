"""How long a job takes at the least: the documented rate limits against its requests and tokens. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from fanwise.limits import TIERS, Tier, limits, pool

from .estimate import AgentSum


def shortest(agents: Sequence[AgentSum]) -> dict[Tier, float]:
    """Return the minutes that the limits of each tier leave for live calls, as if started at full speed."""
    pools: dict[str, list[AgentSum]] = {}
    for one in agents:
        pools.setdefault(pool(one.model), []).append(one)
    return {tier: max((_minutes(some, tier) for some in pools.values()), default=0.0) for tier in TIERS}


def _minutes(some: Sequence[AgentSum], tier: Tier) -> float:
    most = limits(some[0].model, tier)
    counted = sum(one.usage.input + one.usage.cache_write_5m + one.usage.cache_write_1h for one in some)
    return max(
        sum(one.calls for one in some) / most.requests,
        counted / most.input_tokens,
        sum(one.usage.output for one in some) / most.output_tokens,
    )
