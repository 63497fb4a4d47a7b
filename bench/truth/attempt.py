"""A request as the journal has it, priced by the price list."""

from __future__ import annotations

from dataclasses import dataclass

from .prices import Tokens


@dataclass(frozen=True, kw_only=True)
class Ask:
    """A task that an attempt serves."""

    key: str
    row: int
    row_id: str
    node: str
    label: str
    number: int
    sizes: list[int]
    work: str
    """What equal tasks have in common; empty where it is served alone."""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """A request, its end and the tasks that it serves."""

    id: int
    arm: str
    agent: str
    model: str
    channel: str
    why: str
    status: str
    """`open` where the journal has no end of it."""
    kind: str
    tokens: Tokens
    is_counted: bool
    """Whether its reply said what it took."""
    usd: int | None
    """Picodollars by the price list; None where they cannot be known."""
    journal_usd: int | None
    reserved: int | None
    sent: float
    bill_id: str
    """Of its entry in the bill."""
    job_share: float
    prefix: str
    chars: int
    repeated: int
    blocks: str
    asks: tuple[Ask, ...]

    @property
    def followers(self) -> tuple[Ask, ...]:
        """The tasks whose values the request shows for an equal one before them."""
        works = [ask.work for ask in self.asks]
        return tuple(ask for place, ask in enumerate(self.asks) if ask.work and ask.work in works[:place])

    @property
    def inputs(self) -> int:
        """How many different inputs it shows."""
        return max(len(self.asks) - len(self.followers), 1)

    @property
    def total(self) -> int:
        """Tokens, input and output."""
        return self.tokens.prompt + self.tokens.output
