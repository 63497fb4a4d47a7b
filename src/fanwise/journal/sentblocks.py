"""The blocks that requests have sent, each behind those in front of it, and what is left of writing them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from fanwise.pricing.cost import writing_cost
from fanwise.pricing.rates import Rates


@dataclass(slots=True, kw_only=True)
class WriteLeft:
    """What one request has written that counts no more, as far as no other has taken it over."""

    attempt: int
    hour: int
    """Tokens that were written for an hour."""
    five: int
    """Tokens that were written for five minutes."""
    paid: int
    """Picodollars that the writing took more than a reading."""
    begins: int
    """How many blocks it had read itself: it has written those behind them,"""
    ends: int
    """and how many it has shown: who shows all of them has read all that was written."""

    def take(self, read: int, rate: Rates, *, batch: bool) -> tuple[int, int, int]:
        """Let a request take over what it can; returns tokens for an hour, for five minutes, and what that costs it.

        No more than it has read, and no more than was paid for: where writing is more expensive by now, less tokens.
        """
        hour = min(self.hour, read)
        five = min(self.five, read - hour)
        extra = writing_cost(hour, five, rate, batch=batch)
        if extra > self.paid:
            hour, five = hour * self.paid // extra, five * self.paid // extra
            extra = writing_cost(hour, five, rate, batch=batch)
        self.hour, self.five, self.paid = self.hour - hour, self.five - five, self.paid - extra
        return hour, five, extra


@dataclass(slots=True, kw_only=True)
class SentBlock:
    """A block behind the blocks in front of it."""

    end: int = 0
    """Tokens from the front up to its end, as a reading or writing has told that ended here; 0: none has."""
    is_shown: bool = False
    """Whether a request that counts has shown it, and none that does not has had to write it since."""
    left: WriteLeft | None = None
    """What wrote it last, where that counts no more."""
    behind: dict[str, SentBlock] = field(default_factory=dict[str, "SentBlock"])
    """By the hash of their content."""

    def write(self, left: WriteLeft | None) -> None:
        """Note that it was written, and by what; None: by a request that counts, or that has paid nothing.

        What had to be written was in no cache any more, whoever had shown it.
        """
        self.left, self.is_shown = left, False

    def measure(self, tokens: int) -> None:
        """Note how many tokens there are up to its end."""
        self.end = tokens

    def show(self) -> None:
        """Note that a request that counts has shown it."""
        self.is_shown = True


def writes_left(chain: Sequence[SentBlock], ends: Sequence[float]) -> Iterator[tuple[WriteLeft, int]]:
    """Yield what wrote the blocks that nobody who counts has shown, the last first, with the most of it these can be.

    Who wrote a block wrote all from where its own reading ended: what others have written of the same blocks since is
    an entry of its own.

    Args:
        chain: The blocks that a request has read, from the front on.
        ends: Where they end, by their characters, from the 0 in front of the first on.
    """
    tokens = [0, *(block.end or round(end) for block, end in zip(chain, ends[1:], strict=False))]
    # What is shown can be read as far as an entry ends: behind none, all would have been written.
    readable = max((place for place, block in enumerate(chain, 1) if block.is_shown and block.end), default=0)
    place = len(chain)
    while place > readable:
        write = chain[place - 1].left
        if write is None:
            place -= 1
            continue
        first = max(write.begins, readable)
        yield write, tokens[-1] if place == write.ends else max(tokens[place] - tokens[first], 0)
        place = first
