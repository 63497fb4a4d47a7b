"""Calls about batches that bring no answer: said once, tried again more and more rarely, given up in time."""

from __future__ import annotations

import anyio

from fanwise.api.failures import Failure

from .carrier import Sink
from .retry import RetryPolicy

SAID_AT = 3
"""Failures in a row after which it is said: one or two pass by themselves."""


class Silence:
    """Sees that one kind of call fails, whatever it is about; used by one event loop."""

    def __init__(self, sink: Sink, policy: RetryPolicy, *, what: str, ends: str) -> None:
        """Begin without one.

        Args:
            sink: Who is told.
            policy: When to give up.
            what: What could not be done, in words.
            ends: That it can be done again, in words.
        """
        self._sink, self._policy, self._what, self._ends = sink, policy, what, ends
        self._since: float | None = None
        """When the first call in a row has failed, by the event loop's clock; None: the last one was answered."""
        self._in_a_row = 0

    def failed(self, failure: Failure) -> None:
        """Take a failure that is the fault of nothing that was sent; where that lasts, the run halts."""
        moment = anyio.current_time()
        if self._since is None:
            self._since = moment
        self._in_a_row += 1
        if gives_up := self._policy.gives_up(moment - self._since, failure, self._what):
            self._sink.halt(gives_up)
        elif self._in_a_row == SAID_AT:
            self._sink.note(
                f"{self._what} ({failure.kind}: {failure.message}): it is tried again, more and more rarely; no row "
                "fails by it"
            )

    def answered(self) -> None:
        """Take note that a call was answered."""
        if self._since is not None and self._in_a_row >= SAID_AT:
            self._sink.note(f"{self._ends} after {anyio.current_time() - self._since:.0f} s")
        self._since, self._in_a_row = None, 0
