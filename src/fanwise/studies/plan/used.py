"""What the rows of a run took, as if each were one of many: what is done once for all rows stands apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fanwise.journal.pilots import surpluses
from fanwise.journal.reader import Book
from fanwise.journal.records import ArmName
from fanwise.ledger.shared import SharedWrite, shared_writes
from fanwise.ledger.slices import SliceAccount, slices
from fanwise.ledger.tasks import RowAgent, row_agents
from fanwise.pricing.cost import tokens_cost
from fanwise.pricing.rates import known_rates
from fanwise.pricing.usage import Usage
from fanwise.units import moment

from .estimate import RowUse

FEWEST_HITS = 0.3
"""Least share of reads in batches, for the range ("Batch processing", read 2026-11-23)."""


@dataclass(frozen=True, slots=True)
class SampleUse:
    """What the rows of a sample took."""

    rows: list[RowUse]
    once: list[SharedWrite]
    """What was paid once for all rows: writing what they share, and what pilots cost more than the others."""
    slices: tuple[SliceAccount, ...] = ()
    """What each agent was sent, and how much of it its row had sent before."""


def sample_use(db: Book) -> SampleUse:
    """Return what the rows of a run took, per agent; what all rows share counts as read."""
    writes = shared_writes(db)
    by_row: dict[tuple[int, ArmName, str, str], list[RowAgent]] = {}
    for part in row_agents(db):
        by_row.setdefault((part.row, part.arm, part.agent, part.model), []).append(part)
    rows = list[RowUse]()
    for (row, arm, agent, _), of_row in by_row.items():
        written = [write for write in writes if (write.row, write.arm, write.agent) == (row, arm, agent)]
        rows.append(_row_use(of_row, written))
    once = [
        SharedWrite(attempt=0, row=0, arm=ahead.arm, agent=ahead.agent, prefix="", five=0, hour=0, extra=ahead.cost)
        for ahead in surpluses(db)
    ]
    return SampleUse(rows, [*writes, *once], tuple(slices(db)))


def _row_use(parts: Sequence[RowAgent], written: Iterable[SharedWrite]) -> RowUse:
    """Return what an agent took for a row."""
    five, hour, extra = 0, 0, 0
    for write in written:
        five, hour, extra = five + write.five, hour + write.hour, extra + write.extra
    first, usage, cost = parts[0], Usage(), -extra
    prices = _CostParts()
    for part in parts:
        moved_five, moved_hour = min(five, part.usage.cache_write_5m), min(hour, part.usage.cache_write_1h)
        five, hour = five - moved_five, hour - moved_hour
        as_read = part.usage._replace(
            cache_write_5m=part.usage.cache_write_5m - moved_five,
            cache_write_1h=part.usage.cache_write_1h - moved_hour,
            cache_read=part.usage.cache_read + moved_five + moved_hour,
        )
        usage, cost = usage.plus(as_read), cost + part.cost
        prices.add(as_read, part)
    return RowUse(
        row=first.row,
        arm=first.arm,
        agent=first.agent,
        model=first.model,
        calls=sum(part.calls for part in parts),
        asks=sum(part.asks for part in parts),
        batch_calls=prices.batch_calls,
        usage=usage,
        cost=cost,
        input_cost=prices.input,
        output_cost=prices.output,
        misses_cost=prices.misses,
        bound=sum(part.bound for part in parts),
    )


@dataclass(slots=True, kw_only=True)
class _CostParts:
    """Parts of what an agent took for a row, in picodollars."""

    input: int = 0
    output: int = 0
    misses: int = 0
    batch_calls: float = 0.0

    def add(self, usage: Usage, part: RowAgent) -> None:
        """Add what some calls took."""
        self.input += price_of(Usage(input=usage.input), part, of=usage)
        self.output += price_of(Usage(output=usage.output), part, of=usage)
        if part.channel == "batch":
            self.batch_calls += part.calls
            missed = round(usage.cache_read * (1 - FEWEST_HITS))
            written = price_of(Usage(cache_write_5m=missed), part, of=usage)
            self.misses += written - price_of(Usage(cache_read=missed), part, of=usage)


def price_of(usage: Usage, part: RowAgent, *, of: Usage | None = None) -> int:
    """Return the price of what calls took, in picodollars, at the size that their prompts have; 0 where none is known.

    Args:
        usage: What they took.
        part: The calls.
        of: All that they took, where `usage` is a part of it.
    """
    return tokens_price(usage, part.model, part.channel, part.sent, prompt_of_call(of or usage, part.calls))


def prompt_of_call(usage: Usage, calls: float) -> int:
    """Return the tokens of the prompt of one of so many calls, which together took this much."""
    return round(usage.prompt / calls) if calls else usage.prompt


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
