"""What the rows of a run took, as if each were one of many: what is done once for all rows stands apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fanwise.journal.reader import Book
from fanwise.journal.records import ArmName, Channel
from fanwise.ledger.account import SharedWrite, shared_writes
from fanwise.ledger.tasks import RowAgent, row_agents
from fanwise.pricing.cost import tokens_cost
from fanwise.pricing.rates import known_rates
from fanwise.pricing.usage import Usage
from fanwise.units import moment

from .estimate import RowUse

FEWEST_HITS = 0.3
"""Least share of reads in batches, for the range ("Batch processing", read 2026-11-23)."""
_Agent = tuple[ArmName, str]


@dataclass(frozen=True, slots=True)
class SampleUse:
    """What the rows of a sample took."""

    rows: list[RowUse]
    once: list[SharedWrite]
    """What was paid once for all rows: writing what they share, and pilots in a channel that is not the others'."""


def sample_use(db: Book) -> SampleUse:
    """Return what the rows of a run took, per agent; what all rows share counts as read."""
    writes, parts = shared_writes(db), list(row_agents(db))
    usual = _usual_channels(parts)
    by_row: dict[tuple[int, ArmName, str, str], list[RowAgent]] = {}
    for part in parts:
        by_row.setdefault((part.row, part.arm, part.agent, part.model), []).append(part)
    once, rows = list(writes), list[RowUse]()
    for (row, arm, agent, _), of_row in by_row.items():
        written = [write for write in writes if (write.row, write.arm, write.agent) == (row, arm, agent)]
        use, ahead = _row_use(of_row, written, usual.get((arm, agent)))
        rows.append(use)
        if ahead:
            once.append(SharedWrite(row=0, arm=arm, agent=agent, prefix="", five=0, hour=0, extra=ahead))
    return SampleUse(rows, once)


def _usual_channels(parts: Iterable[RowAgent]) -> Mapping[_Agent, Channel]:
    """Return the channel that most calls of an agent took, those that went ahead left out."""
    calls: dict[_Agent, Counter[Channel]] = {}
    for part in parts:
        if not part.pilot:
            calls.setdefault((part.arm, part.agent), Counter())[part.channel] += part.calls
    return {agent: counts.most_common(1)[0][0] for agent, counts in calls.items()}


def _row_use(parts: Sequence[RowAgent], written: Iterable[SharedWrite], usual: Channel | None) -> tuple[RowUse, int]:
    """Return what an agent took for a row, and what of it its pilots cost more than the others would have."""
    five, hour, extra = 0, 0, 0
    for write in written:
        five, hour, extra = five + write.five, hour + write.hour, extra + write.extra
    first, usage, cost, ahead = parts[0], Usage(), -extra, 0
    prices = _CostParts()
    for part in parts:
        moved_five, moved_hour = min(five, part.usage.cache_write_5m), min(hour, part.usage.cache_write_1h)
        five, hour = five - moved_five, hour - moved_hour
        as_read = part.usage._replace(
            cache_write_5m=part.usage.cache_write_5m - moved_five,
            cache_write_1h=part.usage.cache_write_1h - moved_hour,
            cache_read=part.usage.cache_read + moved_five + moved_hour,
        )
        channel = usual if part.pilot and usual is not None else part.channel
        if channel != part.channel:
            difference = price_of(as_read, part, part.channel) - price_of(as_read, part, channel)
            cost, ahead = cost - difference, ahead + difference
        usage, cost = usage.plus(as_read), cost + part.cost
        prices.add(as_read, part, channel)
    use = RowUse(
        row=first.row,
        arm=first.arm,
        agent=first.agent,
        model=first.model,
        calls=sum(part.calls for part in parts),
        batch_calls=prices.batch_calls,
        usage=usage,
        cost=cost,
        input_cost=prices.input,
        output_cost=prices.output,
        misses_cost=prices.misses,
        bound=sum(part.bound for part in parts),
    )
    return use, ahead


@dataclass(slots=True, kw_only=True)
class _CostParts:
    """Parts of what an agent took for a row, in picodollars."""

    input: int = 0
    output: int = 0
    misses: int = 0
    batch_calls: int = 0

    def add(self, usage: Usage, part: RowAgent, channel: Channel) -> None:
        """Add what some calls took."""
        self.input += price_of(Usage(input=usage.input), part, channel, of=usage)
        self.output += price_of(Usage(output=usage.output), part, channel, of=usage)
        if channel == "batch":
            self.batch_calls += part.calls
            missed = round(usage.cache_read * (1 - FEWEST_HITS))
            written = price_of(Usage(cache_write_5m=missed), part, channel, of=usage)
            self.misses += written - price_of(Usage(cache_read=missed), part, channel, of=usage)


def price_of(usage: Usage, part: RowAgent, channel: Channel, *, of: Usage | None = None) -> int:
    """Return the price of what calls took, in picodollars, at the size that their prompts have; 0 where none is known.

    Args:
        usage: What they took.
        part: The calls.
        channel: How they travel.
        of: All that they took, where `usage` is a part of it.
    """
    return tokens_price(usage, part.model, channel, part.sent, (of or usage).prompt // max(part.calls, 1))


def tokens_price(usage: Usage, model: str, channel: str, sent: float, prompt: int) -> int:
    """Return the price of tokens in picodollars; 0 where none is known.

    Args:
        usage: The tokens.
        model: Whose.
        channel: How they travel.
        sent: When, in seconds since 1970.
        prompt: Tokens of one prompt: its size may have a price of its own.
    """
    rate = known_rates(model, moment(sent), prompt)
    return 0 if rate is None else tokens_cost(usage, rate, batch=channel == "batch")
