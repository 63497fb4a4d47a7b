"""Which channel is cheaper for a task, by price: the decision of `--channel auto`.

What it goes by is learnt from the run: how long an agent's answers are, and how often batches
read a prefix that was written for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Literal

from fanwise.api.replies import Reply
from fanwise.context.request import Request
from fanwise.errors import UnknownPriceError
from fanwise.journal.records import Channel
from fanwise.models import facts
from fanwise.pricing.cost import cost
from fanwise.pricing.rates import rates
from fanwise.pricing.usage import Usage
from fanwise.units import now

from .call import Call

ChannelChoice = Literal["live", "batch", "auto"]


class Chooser:
    """Gives each call its channel."""

    def __init__(
        self,
        choice: ChannelChoice,
        hit_rate: Callable[[Call], float],
        outputs: Iterable[tuple[str, str, int, int]] = (),
    ) -> None:
        """Begin with what earlier sessions have seen.

        Args:
            choice: What the user wants.
            hit_rate: Gives how likely a call reads its prefix in a batch.
            outputs: Side, agent, answers and their tokens.
        """
        self._choice: ChannelChoice = choice
        self._hit_rate = hit_rate
        self._outputs = {(side, agent): (count, tokens) for side, agent, count, tokens in outputs}

    def only_live(self) -> None:
        """Let nothing go in batches any more."""
        self._choice = "live"

    def saw(self, call: Call, reply: Reply) -> None:
        """Learn from a reply how long an agent's answers are."""
        count, tokens = self._outputs.get((call.side, call.agent), (0, 0))
        answered = int(reply.usage.get("output_tokens") or 0)
        self._outputs[call.side, call.agent] = count + 1, tokens + answered

    def output(self, call: Call, request: Request) -> int:
        """Return how many tokens an answer has on average; a quarter of its cap before the first."""
        count, tokens = self._outputs.get((call.side, call.agent), (0, 0))
        return max(round(tokens / count) if count else request.max_tokens // 4, 1)

    def channel(self, call: Call) -> Channel:
        """Return how a call travels."""
        if self._choice == "live" or self._choice == "batch":
            return self._choice
        request = call.request()
        return cheaper(request, now(), output=self.output(call, request), hit_rate=self._hit_rate(call))


def cheaper(request: Request, at: datetime, *, output: int, hit_rate: float = 0.0) -> Channel:
    """Return the channel in which a request is expected to cost less.

    Live, the prefix that all rows share is read from the cache, the prefix of a row is written
    once and the reply costs full price. In a batch everything costs half, and the shared prefix is
    read as often as `hit_rate` says, or not marked at all where that is cheaper. Where no price is
    known the answer is batch.
    """
    minimum = facts(request.model).cache_minimum
    total = round(request.chars() / request.per_token)
    shared = max((prefix.tokens for prefix in request.prefixes() if prefix.job and prefix.tokens >= minimum), default=0)
    try:
        rate = rates(request.model, at, total)
        marked = hit_rate * rate.read + (1 - hit_rate) * rate.write_5m < rate.input
        read = round(shared * hit_rate) if marked else 0
        written = shared - read if marked else 0
        live = cost(Usage(input=total - shared, cache_read=shared, output=output), request.model, at)
        half = Usage(input=total - read - written, cache_write_5m=written, cache_read=read, output=output)
        batch = cost(half, request.model, at, batch=True)
    except (UnknownPriceError, ValueError):
        return "batch"
    return "live" if live < batch else "batch"
