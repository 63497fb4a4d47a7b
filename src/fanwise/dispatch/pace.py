"""How fast one pool of models is asked: slots that adapt, the server's buckets, and pauses. No I/O.

Slots begin few and grow with every success, as fast as replies come, until the first refusal; from
then on they grow by one a round and shrink by 0.7 with a refusal, at most once a second. Latency
says nothing: it grows with the length of an answer.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from fanwise.api.ratelimits import KINDS, RateHeaders
from fanwise.pricing.usage import Usage

from .errand import Errand

FIRST = 8
"""Slots at the start: a sharp rise is refused ("Rate limits", ramp limits, read 2026-11-23)."""
SHRINK = 0.7
LOOK_S = 0.5
"""How often headers are read: they cost time, and buckets move slowly."""
RETRY_SHARE, RETRY_FLOOR = 0.1, 20.0
"""Retries may be a tenth of the traffic, and twenty more: a storm must not be fed."""


@dataclass(slots=True)
class _Level:
    """One bucket, as last told."""

    limit: int
    level: float
    at: float
    """Our clock when it was told."""

    def now(self, moment: float) -> float:
        return min(self.limit, self.level + self.limit / 60 * (moment - self.at))


@dataclass(kw_only=True)
class Pace:
    """The pace of one pool; used by one event loop."""

    most: int
    """Slots at most."""
    clock: Callable[[], float] = time.monotonic
    in_flight: int = 0
    slots: float = 0.0
    parked: deque[Errand] = field(default_factory=deque[Errand])
    """Errands that wait for a slot, a bucket or the end of a pause."""
    until: float = 0.0
    """End of a pause, by the clock."""
    refused: int = 0
    """Requests that were refused."""
    _steady: bool = False
    """True after the first refusal."""
    _shrunk: float = float("-inf")
    _looked: float = float("-inf")
    _newest: float = float("-inf")
    """The server's date of the newest headers."""
    _levels: dict[str, _Level] = field(default_factory=dict[str, _Level])
    _input: float = 0.0
    _output: float = 0.0
    """Tokens of a request that count, on average."""
    _retries: float = RETRY_FLOOR

    def __post_init__(self) -> None:
        self.slots = float(min(FIRST, self.most))

    # May one more be sent? ------------------------------------------------------------------------

    def wait_s(self) -> float:
        """Return how long the next request must wait; 0: none, infinite: until one in flight ends."""
        if self.in_flight >= int(self.slots):
            return float("inf")
        moment = self.clock()
        wait = max(self.until - moment, 0.0)
        for kind, need in self._needs().items():
            bucket = self._levels.get(kind)
            if bucket is not None:
                lacking = min(need, bucket.limit) - bucket.now(moment)
                wait = max(wait, lacking * 60 / bucket.limit)
        return wait

    def take(self) -> None:
        """Take a slot and what a request needs on average from the buckets."""
        self.in_flight += 1
        for kind, need in self._needs().items():
            if kind in self._levels:
                self._levels[kind].level -= need

    def _needs(self) -> dict[str, float]:
        """Return what a request takes of each bucket, on average."""
        return dict(zip(KINDS, (1.0, self._input, self._output), strict=True))

    def leave(self) -> None:
        """Give a slot back."""
        self.in_flight -= 1

    # What came of it ------------------------------------------------------------------------------

    def answered(self, usage: Usage) -> None:
        """Take note of a reply: slots grow where they are used."""
        counted = usage.input + usage.cache_write_5m + usage.cache_write_1h  # reads do not count
        self._input += (counted - self._input) * 0.1 if self._input else counted
        self._output += (usage.output - self._output) * 0.1 if self._output else usage.output
        self._retries = min(self._retries + RETRY_SHARE, 10 * RETRY_FLOOR)
        if self.in_flight >= self.slots / 2:
            self.slots = min(self.slots + (1 / self.slots if self._steady else 1.0), float(self.most))

    def refuse(self, pause_s: float) -> None:
        """Take note of a refusal for too much: fewer slots, and a pause."""
        moment = self.clock()
        self.refused += 1
        self._steady = True
        self.until = max(self.until, moment + pause_s)
        if moment - self._shrunk >= 1.0:
            self._shrunk = moment
            self.slots = max(self.slots * SHRINK, 1.0)

    def retries(self) -> bool:
        """Return whether one more retry is within the budget, and take it."""
        if self._retries < 1:
            return False
        self._retries -= 1
        return True

    def wants_headers(self) -> bool:
        """Return whether it is time to read headers again."""
        moment = self.clock()
        if moment - self._looked < LOOK_S:
            return False
        self._looked = moment
        return True

    def learn(self, headers: RateHeaders | None) -> None:
        """Take the limits that a reply told of; what is older than what is known says nothing.

        The remaining amount does not know of requests that are under way, so these are taken off.
        """
        if headers is None or headers.at < self._newest:
            return
        self._newest = headers.at
        moment, others = self.clock(), max(self.in_flight - 1, 0)
        needs = self._needs()
        for kind, bucket in headers.buckets.items():
            self._levels[kind] = _Level(bucket.limit, bucket.remaining - others * needs[kind], moment)
