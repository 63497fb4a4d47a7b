"""What the rows that came first paid for all others: entries of the cache that rows share, and who wrote them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from fanwise.errors import UnknownPriceError
from fanwise.journal.reader import Book
from fanwise.journal.records import ArmName
from fanwise.journal.tables import select
from fanwise.pricing.cost import writing_cost
from fanwise.pricing.rates import rates
from fanwise.pricing.usage import Usage
from fanwise.units import moment


class SharedWrite(NamedTuple):
    """What one attempt has written for all rows, or an ask's share of it."""

    attempt: int
    """0: no attempt's."""
    row: int
    """0: no row's."""
    arm: ArmName
    agent: str
    prefix: str
    """Key of what was written, shortened."""
    five: int
    """Tokens written for five minutes."""
    hour: int
    """Tokens written for an hour."""
    extra: int
    """What the writing costs over a reading, in picodollars."""


class RowWrite(NamedTuple):
    """What an attempt paid for writing what it shows of its row."""

    arm: ArmName
    row: int
    agent: str
    model: str
    shown: str
    """What it shows of its row, as `shown_of` has it."""
    tokens: int
    extra: int
    """Picodollars beyond a reading."""

    @staticmethod
    def shown_of(blocks: str) -> str:
        """Return which blocks of its row an attempt shows, of those that the journal has noted of it."""
        return blocks.split(" ", 2)[-1] if blocks.count(" ") > 1 else ""


@dataclass(slots=True, kw_only=True)
class _Write:
    """An attempt that wrote what rows share, as the journal has it."""

    attempt: int
    row: int
    arm: ArmName
    agent: str
    prefix: str
    model: str
    channel: str
    sent: float
    share: float
    cost: int
    """Picodollars, above zero."""
    prompt: int
    """All input tokens of the attempt, which decide its price."""
    blocks: str
    usage: Usage


_WRITES = """SELECT {columns} FROM task_attempts p
    WHERE {wrote} AND attempt NOT IN (SELECT attempt FROM several)
  UNION ALL SELECT {columns} FROM served p WHERE {wrote} AND attempt IN (SELECT attempt FROM several)"""
_COLUMNS = (
    "attempt, row, arm, agent, prefix, model, channel, sent, job_share AS share, cost, blocks, (SELECT "
    "e.input+e.cache_write_5m+e.cache_write_1h+e.cache_read FROM ends e WHERE e.attempt=p.attempt) AS prompt, "
    "cache_write_5m, cache_write_1h, cache_read"
)
_WRITES_FOR_ALL = _WRITES.format(
    columns=_COLUMNS, wrote="cost>0 AND job_share>0 AND NOT taken AND cache_write_5m+cache_write_1h>0"
)
_WRITES_OF_ROWS = _WRITES.format(columns=_COLUMNS, wrote="cost>0 AND row>0 AND why<>'tools' AND cache_write_5m>0")


def shared_writes(db: Book) -> list[SharedWrite]:
    """Return what the rows that came first paid for all others.

    How much of what is marked rows share is known from the layout; of that, an attempt has written what it has not
    read. One that was free, such as a reply that was refused before any output, has paid for nobody, and nobody has
    paid more for others than it has cost. What was written in another run is shared there.
    """
    writes: list[SharedWrite] = []
    for write in select(db, _Write, _WRITES_FOR_ALL):
        five, hour = written_for_all(write.usage, write.share)
        if not five + hour:
            continue
        extra = _extra(write, hour, five)
        if extra is None:
            continue
        shared = SharedWrite(
            attempt=write.attempt, row=write.row, arm=write.arm, agent=write.agent, prefix=write.prefix, five=five,
            hour=hour, extra=extra,
        )  # fmt: skip
        writes.append(shared)
    return writes


def row_writes(db: Book) -> Iterator[RowWrite]:
    """Yield what attempts paid for writing what they show of their row.

    The turns of a conversation are left out: no other row reads them.
    """
    for write in select(db, _Write, _WRITES_OF_ROWS):
        tokens = write.usage.cache_write_5m - written_for_all(write.usage, write.share)[0]
        if extra := _extra(write, 0, tokens):
            shown = RowWrite.shown_of(write.blocks)
            yield RowWrite(
                arm=write.arm, row=write.row, agent=write.agent, model=write.model, shown=shown, tokens=tokens,
                extra=extra,
            )  # fmt: skip


def _extra(write: _Write, hour: int, five: int) -> int | None:
    """Return what writing tokens for an hour and for five minutes cost over reading them; None where nobody knows."""
    try:
        rate = rates(write.model, moment(write.sent), write.prompt)
    except UnknownPriceError:
        return None
    return min(writing_cost(hour, five, rate, batch=write.channel == "batch"), write.cost)


def written_for_all(usage: Usage, share: float) -> tuple[int, int]:
    """Return the tokens of what rows share that a request has written for five minutes, and for an hour.

    What rows share stands in front, and it alone is ever written for an hour. What of it was read was not written: a
    request may have found a first level in the cache that other agents have too, and have written the one behind it.

    Args:
        usage: What the request took.
        share: Share of what it marks that rows have in common, 0 to 1.
    """
    if usage.cache_write_1h:
        return 0, usage.cache_write_1h
    shared = round(share * (usage.cache_read + usage.cache_write_5m))
    return min(max(shared - usage.cache_read, 0), usage.cache_write_5m), 0
