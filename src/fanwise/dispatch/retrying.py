"""What was in a batch and goes again: when, and how often."""

from __future__ import annotations

import anyio

from fanwise.api.failures import Failure

from .carrier import Sink
from .errand import Errand
from .filling import MOST_REQUESTS
from .flight import Sent
from .queue import Queue
from .retry import RetryPolicy
from .timer import Timer

AT_ONCE_S = 0.25
"""Less than this is not waited for: a batch waits as long for more errands."""


class Retrying:
    """Sends what failed in a batch back to the queue, at once or after a while; used by one event loop."""

    def __init__(self, queue: Queue, sink: Sink, policy: RetryPolicy) -> None:
        self._queue, self._sink, self._policy = queue, sink, policy
        self.later: Timer[Errand] = Timer(queue.put)
        """Errands that wait for their next attempt."""
        self.paused_until = 0.0
        """Until when no batch is created, by the event loop's clock."""
        self._refused = 0
        """Batches that were refused for too much, since one was taken."""
        self._away_since: float | None = None
        """Since when nobody answers who is to create batches; None: somebody does."""
        self.most = MOST_REQUESTS
        """Requests that the next batch may have: fewer after one was too large."""

    def created(self) -> None:
        """Take note that a batch was taken."""
        self._away_since = None
        self._refused, self.most = 0, min(2 * self.most, MOST_REQUESTS)

    def halve(self, size: int) -> None:
        """Take note that a batch of so many requests was refused as a whole: halves of it may be taken."""
        self.most = max(size // 2, 1)

    def refused(self, failure: Failure) -> None:
        """Create nothing for a while: the queue of batches is full, or creates come too fast."""
        if too_long := self._policy.too_long(failure):
            self._sink.halt(too_long)
        self._refused += 1
        wait_s = self._policy.wait_s(failure, self._refused)
        self.paused_until = anyio.current_time() + (wait_s or 0.0)

    def away(self, failure: Failure) -> None:
        """Create nothing for a while: nobody answers, which is the fault of no request; halt where that lasts."""
        moment = anyio.current_time()
        if self._away_since is None:
            self._away_since = moment
        if gives_up := self._policy.gives_up(moment - self._away_since, failure):
            self._sink.halt(gives_up)
        self._refused += 1
        self.paused_until = moment + min(self._policy.first_s * 2 ** min(self._refused, 10), self._policy.longest_s)

    def again(self, sent: Sent, failure: Failure, *, blameless: bool = False) -> None:
        """Ask again; the row of an orphan asks by itself when it comes to the task.

        Args:
            sent: What was sent.
            failure: How it failed.
            blameless: Whether its batch was refused for what it is as a whole, whatever its requests are.
        """
        errand = sent.errand
        if sent.orphan or sent.raced or failure.verdict == "terminal":
            return
        errand.retry()
        if blameless:
            errand.excuse()
            self._queue.put(errand)
            return
        if failure.too_much and self._policy.wait_s(failure, self._refused) is not None:
            errand.excuse()  # the whole batch was refused, and waits
            self._queue.put(errand)
            return
        wait_s = self._policy.wait_s(failure, errand.tries)
        if wait_s is None:
            self._sink.failed(errand, failure)
        elif wait_s < AT_ONCE_S:
            self._queue.put(errand)
        else:
            self.later.put(errand, wait_s)
