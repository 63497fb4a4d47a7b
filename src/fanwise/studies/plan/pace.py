"""How long a job takes at the least: the documented rate limits against its requests and tokens. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from fanwise.limits import LEVELS, Level, PoolLimits, pool, pool_limits

from .estimate import AgentEstimate


def shortest_minutes(agents: Sequence[AgentEstimate]) -> dict[Level, float]:
    """Return the minutes that the limits of each level leave for live calls, as if started at full speed."""
    pools: dict[str, list[AgentEstimate]] = {}
    for agent in agents:
        pools.setdefault(pool(agent.model), []).append(agent)
    return {
        level: max((_minutes(some, pool_limits(some[0].model, level)) for some in pools.values()), default=0.0)
        for level in LEVELS
    }


def _minutes(agents: Sequence[AgentEstimate], limits: PoolLimits) -> float:
    """Return the minutes that the limits of a pool leave for the agents that share it."""
    usages = [agent.usage for agent in agents]
    counted = sum(usage.input + usage.cache_write_5m + usage.cache_write_1h for usage in usages)
    return max(
        sum(agent.calls for agent in agents) / limits.requests,
        counted / limits.input_tokens,
        sum(usage.output for usage in usages) / limits.output_tokens,
    )
