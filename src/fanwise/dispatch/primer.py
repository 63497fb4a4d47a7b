"""The prefix gate of batches: one request writes a prefix for an hour, the rest reads it.

A batch reads nothing that it writes itself and nothing that live calls wrote; entries that an ended
batch wrote are read by later ones, best effort (observed in the field, see the reference of
2026-11-23). So one request per cold prefix goes ahead in a batch of its own, and the others wait
for its end; where too few wait for that to pay, or reads turn out to be rare, no breakpoint is sent
at all. What one row has to itself is never marked: its few readers travel in one batch.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal

from fanwise.context.parts import Prefix
from fanwise.journal.meta import PRIMED
from fanwise.journal.port import Journal
from fanwise.pricing.rates import known_rates
from fanwise.pricing.usage import Usage
from fanwise.units import now

from .call import Call
from .role import Role

PRIOR, WEIGHT = 0.5, 4
"""Share of reads that is expected before any was seen, and how many requests it counts as: batches hit
in 30 to 98 % ("Batch processing", read 2026-11-23)."""
LEARNT = 20
"""Requests behind a prefix after which what was seen is gone by."""
ROUND_PICO = 10**10
"""What one round of batches more is worth: a cent. Less is not waited for. A choice of ours."""
LIFE_S = 3600.0 - 60.0
"""Seconds that an entry of an hour counts as alive, from when its batch was submitted."""
Way = Literal["plain", "lead", "read", "wait"]


@dataclass(slots=True)
class _State:
    leading: bool = False
    warm_until: float = 0.0
    cached: bool = True


class Primer:
    """Knows which prefixes batches can read; used by one event loop."""

    def __init__(self, journal: Journal, rows: Callable[[], int], scale: float = 1.0) -> None:
        """Begin with what earlier sessions have written.

        Args:
            journal: Where that is kept.
            rows: Gives the rows that are in work: about so many calls of a node are still to come.
            scale: Calls of the whole job for each that comes here.
        """
        self._journal, self._rows, self._scale = journal, rows, scale
        self._states: dict[str, _State] = {}
        self._prefixes: dict[Role, dict[str, Prefix | None]] = {}
        """The longest prefix that rows share and that could be cached, by role and node: it is the same for
        every row. By node too, since two that call one agent may have requests of another order."""
        self.waiting = Counter[str]()
        """Calls that are queued or held, by prefix."""
        self.held: dict[str, deque[Call]] = {}
        """Calls that wait until their prefix is written."""
        self._expected, self._read = 0, 0
        for key, until in PRIMED.of(journal).items():
            self._states[key] = _State(warm_until=until)

    def key(self, call: Call) -> str:
        """Return the key of a call's prefix, empty where it has none that could be cached."""
        prefix = self._prefix(call)
        return "" if prefix is None else prefix.key[:16]

    def _prefix(self, call: Call) -> Prefix | None:
        nodes = self._prefixes.get(call.role)
        if nodes is None:
            nodes = self._prefixes[call.role] = {}
        if call.node not in nodes:
            shared = [prefix for prefix in call.request().prefixes() if prefix.job]  # shortest first
            long_enough = bool(shared) and shared[-1].tokens >= call.role.facts.cache_minimum
            nodes[call.node] = shared[-1] if long_enough else None
        return nodes[call.node]

    @property
    def hit_rate(self) -> float:
        """Share of reads that is expected of a prefix that was written."""
        return (self._read + PRIOR * WEIGHT) / (self._expected + WEIGHT)

    def way(self, call: Call) -> Way:
        """Return how a call is to travel now: `lead` is told once for a cold prefix."""
        key = self.key(call)
        if not key:
            return "plain"
        state = self._state(key)
        if not state.cached:
            return "plain"
        if state.leading:
            return "wait"
        write, again = _prices(call.role.model, self.hit_rate)
        if state.warm_until > now().timestamp():
            return "read" if again < 1 else "plain"
        if not self._pays(call, key, write, again):
            return "plain"
        state.leading = True
        return "lead"

    def hits(self, call: Call) -> float:
        """Return the share of reads that a call can expect in a batch; 0 where it would not be marked."""
        key = self.key(call)
        state = self._states.get(key, _State()) if key else None
        if state is None or not state.cached:
            return 0.0
        ready = state.leading or state.warm_until > now().timestamp()
        return self.hit_rate if ready or self._pays(call, key, *_prices(call.role.model, self.hit_rate)) else 0.0

    def learnt(self) -> bool:
        """Return whether reads were seen often enough to be gone by."""
        return self._expected >= LEARNT

    def worth(self, gain: int) -> bool:
        """Return whether two rounds of batches are worth so many picodollars for each call to come."""
        return gain * self._rows() * self._scale >= 2 * ROUND_PICO

    def _pays(self, call: Call, key: str, write: float, again: float) -> bool:
        """Return whether to write a prefix first is worth a round of batches."""
        count = max(self.waiting[key], self._rows()) * self._scale
        return self._gain(call, write, again, count) >= ROUND_PICO

    def _gain(self, call: Call, write: float, again: float, count: float) -> float:
        """Return what a written prefix saves over a plain one, in picodollars."""
        prefix, rate = self._prefix(call), known_rates(call.role.model, now())
        if prefix is None or rate is None:
            return 0.0
        return (count - write - again * (count - 1)) * prefix.tokens * rate.input / 2

    def hold(self, call: Call) -> None:
        """Keep a call until its prefix is written."""
        key = self.key(call)
        if key not in self.held:
            self.held[key] = deque()
        self.held[key].append(call)

    def _state(self, key: str) -> _State:
        if key not in self._states:
            self._states[key] = _State()
        return self._states[key]

    def saw(self, key: str, usage: Usage, sent: float, *, led: bool) -> Collection[Call]:
        """Take the usage of a request that was marked; returns the calls that need not wait any more."""
        state = self._state(key)
        read, written = usage.cache_read > 0, usage.cache_write_5m + usage.cache_write_1h > 0
        if not led:
            self._expected += 1
            self._read += read
        if read or usage.cache_write_1h:
            state.warm_until = max(state.warm_until, sent + LIFE_S)
        if not led:
            return ()
        state.cached = read or written
        self._keep()
        return self.release(key)

    def release(self, key: str) -> deque[Call]:
        """Return the calls that waited for a prefix, whose leader has ended or failed."""
        self._state(key).leading = False
        return self.held.pop(key, deque())

    def _keep(self) -> None:
        """Remember over sessions what is warm."""
        warm = {key: state.warm_until for key, state in self._states.items() if state.warm_until and state.cached}
        PRIMED.keep(self._journal, warm)


def _prices(model: str, hit_rate: float) -> tuple[float, float]:
    """Return what writing for an hour, and being marked when it is written, cost in the input price."""
    rate = known_rates(model, now())
    if rate is None:
        return 2.0, 1.0  # nothing to go by: no breakpoints
    read, write = rate.read / rate.input, rate.write_5m / rate.input
    return rate.write_1h / rate.input, hit_rate * read + (1 - hit_rate) * write
