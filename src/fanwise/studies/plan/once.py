"""What is written once for all rows: by whom, and how much of it where answers are kept or the cache has a part. Pure.

A prefix that several agents begin with is written by whichever comes first. Where that one's answers are all there,
another writes it; and a write is as large for one row as for many.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from fanwise.context.parts import Prefix
from fanwise.engine.arms import Arm
from fanwise.journal.records import ArmName
from fanwise.ledger.shared import SharedWrite

from .estimate import AgentEstimate


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixLevels:
    """The marked prefixes with which the requests of all rows begin."""

    by_prefix: Mapping[str, Sequence[Prefix]] = field(default_factory=dict[str, Sequence[Prefix]])
    """By the shortened key of the longest those that it is made of, shortest first."""
    by_agent: Mapping[tuple[ArmName, str], frozenset[str]] = field(
        default_factory=dict[tuple[ArmName, str], frozenset[str]]
    )
    """Keys of all that an agent's requests begin with, by arm and agent."""

    @classmethod
    def of(cls, arms: Iterable[Arm]) -> PrefixLevels:
        """Return those of the requests of some arms."""
        by_prefix: dict[str, Sequence[Prefix]] = {}
        by_agent: dict[tuple[ArmName, str], frozenset[str]] = {}
        for arm in arms:
            for node in arm.agents():
                prefixes, agent = node.composer.shared(), (arm.name, node.spec.name)
                if prefixes:
                    by_prefix[prefixes[-1].short_key] = prefixes
                    keys = {prefix.key for prefix in prefixes}
                    by_agent[agent] = by_agent.get(agent, frozenset()) | keys
        return cls(by_prefix=by_prefix, by_agent=by_agent)

    def keys_of(self, short_keys: Iterable[str]) -> set[str]:
        """Return the keys of all that prefixes are made of."""
        return {prefix.key for short_key in short_keys for prefix in self.by_prefix.get(short_key, ())}

    def end(self, write: SharedWrite, keys: Collection[str]) -> float:
        """Return up to where of what a write has written prefixes with these keys reach, as a share of it, 0 to 1."""
        prefixes, written = self.by_prefix.get(write.prefix, ()), write.five + write.hour
        reached = max((prefix.tokens for prefix in prefixes if prefix.key in keys), default=0)
        if not reached or not written:
            return 0.0
        begun = prefixes[-1].tokens - written
        return min(max((reached - begun) / written, 0.0), 1.0)


def with_once(
    agents: Sequence[AgentEstimate], once: Iterable[SharedWrite], levels: PrefixLevels, alive: frozenset[str]
) -> list[AgentEstimate]:
    """Return estimates with what is paid once for all rows.

    Args:
        agents: What agents will take for what they are still asked, with all that rows share as read.
        once: What the sample has paid once; what is of no prefix is paid by its agent.
        levels: What the prefixes are made of.
        alive: Short keys of the prefixes that the cache still has: what they are made of is not written again.
    """
    estimates = {(agent.arm, agent.agent): agent for agent in agents}
    asked = {key: agent for key, agent in estimates.items() if agent.calls}
    alive_keys = levels.keys_of(alive)
    for write in once:
        writer = write.arm, write.agent
        if writer in asked:
            end = 1.0
        else:
            readers = {key: levels.by_agent.get(key, frozenset()) for key in asked if key[0] == write.arm}
            ends = {key: levels.end(write, keys) for key, keys in readers.items()}
            writer = max(ends, key=lambda key: ends[key], default=writer)
            end = ends.get(writer, 0.0)
        begin = 1.0 if write.prefix in alive else min(levels.end(write, alive_keys), end)
        if writer in estimates and end:
            estimates[writer] = _with_write(estimates[writer], write, min(begin, end), end, is_warm=bool(alive))
    return list(estimates.values())


def _with_write(agent: AgentEstimate, write: SharedWrite, begin: float, end: float, *, is_warm: bool) -> AgentEstimate:
    """Return an estimate with a part of a write.

    Args:
        agent: The estimate.
        write: The write.
        begin: Up to where the cache has it, as a share of it.
        end: Up to where it is needed, likewise.
        is_warm: Whether the cache has anything of the run, and so perhaps this under another key.
    """
    part = end - begin
    five, hour, cost = round(write.five * part), round(write.hour * part), write.extra * part
    usage = agent.usage._replace(
        cache_write_5m=agent.usage.cache_write_5m + five,
        cache_write_1h=agent.usage.cache_write_1h + hour,
        cache_read=max(agent.usage.cache_read - five - hour, 0),
    )
    return replace(
        agent,
        usage=usage,
        cost=replace(agent.cost, value=agent.cost.value + cost),
        cold_cost=agent.cold_cost + write.extra * begin,
        warm_cost=agent.warm_cost + (cost if is_warm else 0),
    )
