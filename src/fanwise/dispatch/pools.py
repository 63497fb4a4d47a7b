"""Errands that wait for their turn with the API: a pace for each pool of models that share rate limits."""

from __future__ import annotations

import math
from collections.abc import Callable

from fanwise.api.failures import Failure
from fanwise.api.ratelimits import rate_headers
from fanwise.api.replies import Reply
from fanwise.pricing.usage import Usage

from .errand import Errand
from .pace import Pace
from .retry import RetryPolicy
from .role import Role
from .timer import Timer

OVERLOADED = 529


class Pools:
    """Hands errands on as fast as the pace of their pool allows; used by one event loop."""

    def __init__(self, slots: int, policy: RetryPolicy, hand_on: Callable[[Errand], None]) -> None:
        """Begin without any.

        Args:
            slots: Requests in flight at most, for each pool.
            policy: How long at most a retry waits by itself.
            hand_on: Takes an errand whose turn it is.
        """
        self._slots, self._policy, self._hand_on = slots, policy, hand_on
        self._paces: dict[str, Pace] = {}
        self._asleep: set[str] = set()
        """Pools that are looked at again after a while."""
        self.wakes: Timer[str] = Timer(self._wake)
        self._closed = False

    def submit(self, errand: Errand) -> None:
        """Let an errand wait for its turn."""
        name = errand.role.pool
        if name not in self._paces:
            self._paces[name] = Pace(most=self._slots)
        self._paces[name].parked.append(errand)
        self._pump(name)

    def leave(self, role: Role) -> None:
        """Give back the slot of a request that has ended."""
        self._paces[role.pool].leave()
        self._pump(role.pool)

    def close(self) -> None:
        """Hand on nothing any more."""
        self._closed = True

    def _pump(self, name: str) -> None:
        """Hand on errands of a pool as far as its pace allows; else look again when it does."""
        pace = self._paces[name]
        while pace.parked and not self._closed:
            wait_s = pace.wait_s()
            if wait_s > 0:
                if math.isfinite(wait_s) and name not in self._asleep:
                    self._asleep.add(name)
                    self.wakes.put(name, wait_s)
                return
            pace.take()
            self._hand_on(pace.parked.popleft())

    def _wake(self, name: str) -> None:
        self._asleep.discard(name)
        self._pump(name)

    def replied(self, role: Role, reply: Reply, usage: Usage) -> None:
        """Learn from a reply: of its size, and now and then of what its headers say of the limits."""
        pace = self._paces[role.pool]
        if usage.total:  # else the reply did not say
            pace.answered(usage)
        if reply.headers is not None and pace.wants_headers():
            pace.learn(rate_headers(reply.headers))

    def failed(self, role: Role, failure: Failure, wait_s: float) -> float:
        """Learn from a failure whose request goes again after a while; returns how long that is to be, in seconds."""
        pace = self._paces[role.pool]
        pace.learn(failure.limits)
        if not pace.retries():  # a storm: wait as long as ever, so that it is not fed
            wait_s = max(wait_s, self._policy.longest_s)
        if failure.too_much:  # not the errand's fault: everyone of this pool waits, at an overload all do
            for slowed in self._paces.values() if failure.status == OVERLOADED else (pace,):
                slowed.refuse(wait_s)
        return wait_s
