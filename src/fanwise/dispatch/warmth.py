"""Keeping a prefix warm between waves: a read of it, where that is cheaper than writing it again.

A read renews an entry for nothing but its own price. What is spent on a gap is bounded by what a
rewrite would cost more than a read, so that it is never more than twice the least, however long
the gap turns out to be.
"""

from __future__ import annotations

from dataclasses import dataclass

from fanwise.context.parts import Prefix
from fanwise.context.request import Request
from fanwise.pricing.rates import known_rates
from fanwise.units import now

from .call import Call
from .gate import MARGIN_S, Gate

AHEAD_S = 30.0
"""A prefix is read again when it has so long to live, the gate's margin left out."""
LOOK_S = 5.0
"""How often it is looked."""


@dataclass(slots=True)
class Warm:
    """The longest prefix that rows share of one agent's requests."""

    prefix: Prefix
    call: Call
    """The last call that used it."""
    request: Request
    reads: int = 0
    """Reads that kept it warm since its last use."""


class Warmth:
    """What is worth keeping warm; used by one event loop."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._kept: dict[str, Warm] = {}

    def used(self, call: Call, request: Request, prefixes: tuple[Prefix, ...]) -> None:
        """Take note of a request that was answered."""
        shared = next((one for one in reversed(prefixes) if one.job), None)
        if shared is not None:
            self._kept[shared.key] = Warm(shared, call, request)

    def due(self) -> list[Warm]:
        """Return the prefixes that are about to go and are worth a read."""
        found: list[Warm] = []
        for key, one in list(self._kept.items()):
            left_s = self._gate.warm_until(key) + MARGIN_S - self._gate.clock()
            if left_s <= MARGIN_S or one.reads >= worthwhile(one.call.role.model):
                del self._kept[key]  # too late, or dear enough: it is written again when it is needed
            elif left_s < AHEAD_S + MARGIN_S:
                one.reads += 1
                found.append(one)
        return found


def worthwhile(model: str) -> int:
    """Return how many reads cost no more than a rewrite costs beyond one; 0 where no price is known."""
    rate = known_rates(model, now())
    return 0 if rate is None else (rate.write_5m - rate.read) // rate.read
