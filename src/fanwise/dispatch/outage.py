"""An outage: nobody answers, whoever asks. It is no row's fault, so the run pauses, and one request at a time tries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import anyio

from fanwise.api.failures import Failure

from .carrier import Sink
from .errand import Errand
from .retry import RetryPolicy
from .timer import Timer

IN_A_ROW, REQUESTS = 10, 3
"""Failures in a row, and of how many requests at least, that are an outage: one request may fail by what it is."""
PROBE_S = 30.0
"""Longest wait between two probes."""


class Outage:
    """Sees outages of live calls, and keeps what waits for their end; used by one event loop."""

    def __init__(self, sink: Sink, policy: RetryPolicy, submit: Callable[[Errand], None]) -> None:
        """Begin without one.

        Args:
            sink: Who is told.
            policy: When to give up.
            submit: Takes errands that may be sent.
        """
        self._sink, self._policy, self._submit = sink, policy, submit
        self._failed = Counter[Errand]()
        """The failures in a row, by errand."""
        self._held: list[Errand] = []
        """What waits for the end of the outage."""
        self._probe: Errand | None = None
        self._since: float | None = None
        """When the outage began, by the event loop's clock; None: there is none."""
        self._wait_s = policy.first_s
        self.probes: Timer[None] = Timer(self._send_probe)

    def __len__(self) -> int:
        """Return how many errands wait."""
        return len(self._held)

    def holds(self, errand: Errand) -> bool:
        """Keep an errand that is about to be sent, where there is an outage; its probe goes."""
        if self._since is None or errand is self._probe:
            return False
        self._held.append(errand)
        return True

    def failed(self, errand: Errand, failure: Failure) -> bool:
        """Take a failure; returns whether the errand waits here, with no attempt used up."""
        if not failure.is_away:
            self.answered()
            return False
        self._failed[errand] += 1
        if self._since is None:
            if self._failed.total() < IN_A_ROW or len(self._failed) < REQUESTS:
                return False
            self._begin(failure)
        else:
            errand.excuse()
            if errand is self._probe:
                self._again(failure)
        errand.retry()
        self._held.append(errand)
        return True

    def unsent(self, errand: Errand) -> None:
        """Take note that an errand was not sent after all; another one tries where it was the probe."""
        if errand is self._probe:
            self._probe = None
            self.probes.put(None, self._wait_s)

    def answered(self) -> None:
        """Take note that somebody answers: all goes on."""
        self._failed.clear()
        if self._since is None:
            return
        self._sink.note(f"the API answers again after {anyio.current_time() - self._since:.0f} s: the run goes on")
        self._since = self._probe = None
        held, self._held = self._held, []
        for errand in held:
            self._submit(errand)

    def _begin(self, failure: Failure) -> None:
        self._since, self._wait_s = anyio.current_time(), self._policy.first_s
        for errand, failures in self._failed.items():
            for _ in range(failures):
                errand.excuse()
        self._sink.note(
            f"the API does not answer ({failure.kind}: {failure.message}): the run pauses, and one request at a time "
            "tries whether it is over; no row fails by it"
        )
        self.probes.put(None, self._wait_s)

    def _again(self, failure: Failure) -> None:
        """Try again after a while, or give up."""
        self._probe = None
        if gives_up := self._policy.gives_up(anyio.current_time() - (self._since or 0.0), failure):
            self._sink.halt(gives_up)
            return
        self._wait_s = min(2 * self._wait_s, PROBE_S)
        self.probes.put(None, self._wait_s)

    def _send_probe(self, _: None) -> None:
        if self._since is None:
            return
        if self._held:
            self._probe = self._held.pop(0)
            self._submit(self._probe)
        else:
            self.probes.put(None, self._wait_s)
