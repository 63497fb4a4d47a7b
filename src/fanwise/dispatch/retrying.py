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
from .silence import Silence
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
        self._put_off = 0
        """Batches that could not be created for now, since one was taken."""
        self._silence = Silence(sink, policy, what="no batch could be created", ends="batches are created again")
        self.most = MOST_REQUESTS
        """Requests that the next batch may have: fewer after one was too large."""

    def created(self) -> None:
        """Take note that a batch was taken."""
        self._silence.answered()
        self._put_off, self.most = 0, min(2 * self.most, MOST_REQUESTS)

    def halve(self, size: int) -> None:
        """Take note that a batch of so many requests was refused as a whole: halves of it may be taken."""
        self.most = max(size // 2, 1)

    def put_off(self, failure: Failure, *, is_full: bool = False) -> None:
        """Create nothing for a while, through no fault of any request; halt where that lasts.

        Args:
            failure: Nobody answers, creates come too fast, or the queue of batches is full.
            is_full: Whether batches of ours are in that queue: it has room again when they end, however late.
        """
        if too_long := self._policy.too_long(failure):
            self._sink.halt(too_long)
        elif not is_full:
            self._silence.failed(failure)
        self._put_off += 1
        self.paused_until = anyio.current_time() + self._policy.pause_s(failure, self._put_off)

    def again(self, sent: Sent, failure: Failure, *, blameless: bool = False) -> None:
        """Ask again; the row of an orphan asks by itself when it comes to the task.

        Args:
            sent: What was sent.
            failure: How it failed.
            blameless: Whether its batch was refused as a whole or answered by nobody, whatever its requests are.
        """
        errand = sent.errand
        if sent.orphan or sent.raced or failure.verdict == "terminal":
            return
        errand.retry()
        if blameless:
            errand.excuse()
            self._queue.put(errand)
            return
        wait_s = self._policy.wait_s(failure, errand.tries)
        if wait_s is None:
            self._sink.failed(errand, failure)
        elif too_long := self._policy.too_long(failure):
            self._sink.halt(too_long)
            self._queue.put(errand)
        elif wait_s < AT_ONCE_S:
            self._queue.put(errand)
        else:
            self.later.put(errand, wait_s)
