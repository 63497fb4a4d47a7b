"""The prefix gate of batches: one request writes a prefix for an hour, the rest reads it.

A batch reads nothing that it writes itself and nothing that live calls wrote; entries that an ended
batch wrote are read by later ones, best effort (observed in the field, see the reference of
2026-11-23). So one request per cold prefix goes ahead in a batch of its own, and the others wait
for its end, also those that have only its front in common and have something of their own to write
behind it; where too few wait for that to pay, or reads turn out to be rare, no breakpoint is sent at
all. Price alone decides that, by no amount that a round of batches would be worth: with one, more
rows would cost less in all than few. What one row has to itself is never marked: its few readers travel in one batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from fanwise.journal.meta import PRIMED
from fanwise.journal.port import Journal
from fanwise.journal.records import ArmName
from fanwise.pricing.rates import known_rates
from fanwise.pricing.usage import Usage
from fanwise.units import now

from .errand import Errand
from .jobpart import WHOLE, JobPart
from .prefixes import Prefixes
from .queue import Queue

PRIOR, WEIGHT = 0.98, 4
"""Share of reads that is expected before any was seen, and how many requests it counts as. Batches hit in 30 to 98 %
("Batch processing", read 2026-11-23): the best of it, since a request of its own has written the prefix for an hour
before, as "Prompt caching" advises. One that misses is soon believed; what is never tried is never learnt."""
LEARNT = 20
"""Requests behind a prefix after which what was seen is gone by."""
ROUND_PICO = 10**10
"""What the others' waiting for pilots in a batch is worth, a round: a cent. A choice of ours."""
LIFE_S = 3600.0 - 60.0
"""Seconds that an entry of an hour counts as alive, from when its batch was submitted."""
Way = Literal["plain", "lead", "read", "wait"]


@dataclass(slots=True)
class _PrefixState:
    """What is known of one prefix."""

    leading: bool = False
    """Whether a request is under way that writes it, and others wait for that."""
    warm_until: float = 0.0
    """Until when batches can read it, in seconds since 1970; 0: they never could."""
    cached: bool = True
    """False once a reply has shown that it is not cached at all."""


class _Prices(NamedTuple):
    """What a prefix costs, in the input price of its tokens."""

    write: float
    """Writing it for an hour."""
    again: float
    """Being marked once it is written: a read where batches hit, a write of five minutes where they do not."""


class Primer:
    """Knows which prefixes batches can read; used by one event loop."""

    def __init__(
        self,
        journal: Journal,
        prefixes: Prefixes,
        queue: Queue,
        rows: Callable[[], int],
        part: JobPart = WHOLE,
        sharers: Mapping[str, float] | None = None,
    ) -> None:
        """Begin with what earlier sessions have written.

        Args:
            journal: Where that is kept.
            prefixes: Knows what requests begin with.
            queue: Where errands wait for a prefix.
            rows: Gives the rows that are in work: about so many errands of a node are still to come.
            part: Of the job, that comes here.
            sharers: Nodes of the run whose requests begin with a prefix, by its key; one where it is not in there.
        """
        self._journal, self._prefixes, self._queue = journal, prefixes, queue
        self._rows, self._part, self._sharers = rows, part, sharers or {}
        self._expected, self._read = 0, 0
        self._states = {key: _PrefixState(warm_until=until) for key, until in PRIMED.of(journal).items()}
        self._led: dict[str, tuple[str, ...]] = {}
        """By the key of a prefix that is being written: all keys that are written with it, its own among them."""
        self._behind: dict[str, set[str]] = {}
        """By the key of a front that is being written: those whose leaders wait for that."""

    @property
    def hit_rate(self) -> float:
        """Share of reads that is expected of a prefix that was written."""
        return expected_hits(self._read, self._expected)

    def way(self, errand: Errand) -> Way:
        """Return how an errand is to travel now: `lead` is said once for a cold prefix."""
        prefix, key, fronts = self._prefixes.of(errand)
        if prefix is None:
            return "plain"
        state = self._state(key)
        if not state.cached:
            return "plain"
        if state.leading:
            return "wait"
        price, at = _prices(errand.role.model, self.hit_rate), now().timestamp()
        if state.warm_until > at:
            return "read" if price.again < 1 else "plain"
        if not self._pays(key, errand.role.arm, price):
            return "plain"
        cold = [front for front in fronts if self._state(front).warm_until <= at]
        under_way = {led for keys in self._led.values() for led in keys}
        front = next((front for front in cold if front in under_way), None)
        if front is not None:  # each would write it once more
            self._behind.setdefault(front, set()).add(key)
            return "wait"
        state.leading = True
        self._led[key] = (*cold, key)
        return "lead"

    def hits(self, errand: Errand) -> float:
        """Return the share of reads that an errand can expect in a batch behind one that has led; 0 where none does."""
        prefix, key, _ = self._prefixes.of(errand)
        return 0.0 if prefix is None or not self._state(key).cached else self.hit_rate

    def learnt(self) -> bool:
        """Return whether reads were seen often enough to be gone by."""
        return self._expected >= LEARNT

    def worth(self, loss: int) -> bool:
        """Return whether not to lose so many picodollars on each errand to come is worth two rounds of batches."""
        return loss * self._rows() * self._part.scale >= 2 * ROUND_PICO

    def _pays(self, key: str, arm: ArmName, price: _Prices) -> bool:
        """Return whether to write a prefix first costs less than not to mark it."""
        to_come = self._rows() * self._part.scale * self._sharers.get(key, 1)
        count = max(self._queue.waiting(key) * self._part.of(arm), to_come)
        return price.write + price.again * (count - 1) < count

    def _state(self, key: str) -> _PrefixState:
        state = self._states.get(key)
        if state is None:
            state = self._states[key] = _PrefixState()
        return state

    def answered(self, key: str, usage: Usage, sent: float, *, led: bool) -> None:
        """Take the usage of a request that was marked; errands that waited for it need not wait any more."""
        state = self._state(key)
        read, written = usage.cache_read > 0, usage.cache_write_5m + usage.cache_write_1h > 0
        if not led:
            self._expected += 1
            self._read += read
        if read or usage.cache_write_1h:
            for written_key in self._led.get(key, (key,)) if led else (key,):
                warm = self._state(written_key)
                warm.warm_until = max(warm.warm_until, sent + LIFE_S)
        if led:
            state.cached = read or written
            self._keep()
            self.release(key)

    def release(self, key: str) -> None:
        """Let the errands go on that waited for a prefix: its leader has ended, or does not go."""
        self._state(key).leading = False
        self._queue.release(key)
        for front in self._led.pop(key, ()):
            for waiting in self._behind.pop(front, ()):
                self._queue.release(waiting)

    def _keep(self) -> None:
        """Remember over sessions what is warm."""
        warm = {key: state.warm_until for key, state in self._states.items() if state.warm_until and state.cached}
        PRIMED.keep(self._journal, warm)


def expected_hits(read: int, marked: int) -> float:
    """Return the share of reads that is expected in batches after so many of the requests that could have read did."""
    return (read + PRIOR * WEIGHT) / (marked + WEIGHT)


def _prices(model: str, hit_rate: float) -> _Prices:
    rate = known_rates(model, now())
    if rate is None:
        return _Prices(2.0, 1.0)  # nothing to go by: no breakpoints
    read, write = rate.read / rate.input, rate.write_5m / rate.input
    return _Prices(rate.write_1h / rate.input, hit_rate * read + (1 - hit_rate) * write)
