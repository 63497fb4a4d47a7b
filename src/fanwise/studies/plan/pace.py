"""How long a job takes at the least: the documented rate limits against its requests and tokens. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from fanwise.limits import LEVELS, Level, pool, pool_limits

from .estimate import AgentSum


def shortest(agents: Sequence[AgentSum]) -> dict[Level, float]:
    """Return the minutes that the limits of each level leave for live calls, as if started at full speed."""
    pools: dict[str, list[AgentSum]] = {}
    for one in agents:
        pools.setdefault(pool(one.model), []).append(one)
    return {level: max((_minutes(some, level) for some in pools.values()), default=0.0) for level in LEVELS}


def _minutes(some: Sequence[AgentSum], level: Level) -> float:
    most = pool_limits(some[0].model, level)
    counted = sum(one.usage.input + one.usage.cache_write_5m + one.usage.cache_write_1h for one in some)
    return max(
        sum(one.calls for one in some) / most.requests,
        counted / most.input_tokens,
        sum(one.usage.output for one in some) / most.output_tokens,
    )
