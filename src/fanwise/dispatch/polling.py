"""Waiting for the end of a batch: how often it is looked at, and what is done when batches are left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

import anyio

from fanwise.api.client import Api
from fanwise.api.failures import MALFORMED, Failure, RequestError
from fanwise.api.replies import BatchInfo
from fanwise.log import log

from .carrier import Sink
from .retry import RetryPolicy
from .silence import Silence

ABSENT_S = 600.0
"""A batch that answers 404 for so long is gone: new ones do so for seconds (seen in the field). One that is shown in
no form that is understood for so long halts the run."""
OFFLINE_S, ABSENT_OFFLINE_S = (0.05, 1.0), 5.0
"""First and longest interval offline, and how long one may be absent: a simulated batch ends in moments."""
GONE = (404, 410)


@dataclass(frozen=True, slots=True, kw_only=True)
class Polling:
    """How often batches are looked at, and how long one may stay unlisted."""

    grace_s: float
    """Seconds after which a batch that is not listed was never taken."""
    first_s: float = 5.0
    longest_s: float = 60.0
    """First and longest interval between polls."""
    pay_twice: bool = False
    """Whether requests are sent again while a batch that may have them already is looked into."""


class Poller:
    """Looks at batches until they end; used by one event loop."""

    def __init__(self, api: Api, sink: Sink, polling: Polling, policy: RetryPolicy) -> None:
        self._api, self._sink, self._polling = api, sink, polling
        self.silence = Silence(
            sink, policy, what="batches could not be looked at", ends="batches can be looked at again"
        )  # fmt: skip
        """Of all that looks at batches: their list, polls, and results."""
        self._left = anyio.Event()
        """Set when batches are left."""

    def leave(self) -> None:
        """Cancel the batches that are certainly the run's own, and look often from now on.

        What has succeeded counts, the rest goes elsewhere.
        """
        self._left.set()

    @property
    def pays_twice(self) -> bool:
        """Whether nobody waits for a batch that may be another's."""
        return self._polling.pay_twice

    @property
    def absent_s(self) -> float:
        """For how many seconds something has to be absent to be gone."""
        return ABSENT_OFFLINE_S if self._api.offline else ABSENT_S

    def pause_s(self, trial: int) -> float:
        """Return how long to wait before something that could not be read is read again, after so many trials."""
        if self._api.offline:
            return min(OFFLINE_S[0] * trial, OFFLINE_S[1])
        return min(self._polling.first_s * trial, self._polling.longest_s)

    async def end(self, batch_id: str, *, is_certain: bool) -> BatchInfo | None:
        """Return a batch when it has ended, None where it is gone; the interval grows from the first to the longest.

        Args:
            batch_id: The batch.
            is_certain: Whether it is the run's own; one that may be another's is never cancelled.
        """
        first_s, longest_s = self._polling.first_s, self._polling.longest_s
        if self._api.offline:
            first_s, longest_s = min(first_s, OFFLINE_S[0]), min(longest_s, OFFLINE_S[1])
        interval_s, absent_s = first_s, 0.0
        cancelled = not is_certain  # it may be another program's
        while True:
            if self._left.is_set():
                interval_s = first_s  # somebody waits for its end
                if not cancelled:
                    cancelled = True
                    await self._cancel(batch_id)
            try:
                info = await self._api.get_batch(batch_id)
                self.silence.answered()
                if info.status == "ended":
                    return info
                absent_s = 0.0
            except RequestError as error:
                is_gone = error.failure.status in GONE
                absent_s += interval_s if is_gone or error.failure.kind == MALFORMED else 0.0
                if is_gone and absent_s > self.absent_s:
                    return None
                await self._bear(batch_id, error.failure, absent_s)
            await self._pause(interval_s)
            interval_s = min(interval_s * 1.5, longest_s)

    async def _pause(self, interval_s: float) -> None:
        """Wait for an interval, or until batches are left."""
        with anyio.move_on_after(interval_s):
            await (anyio.sleep_forever() if self._left.is_set() else self._left.wait())

    async def _cancel(self, batch_id: str) -> None:
        try:
            await self._api.cancel_batch(batch_id)
        except RequestError as error:  # it may have ended by itself: then it is read as it is
            log.info("a batch could not be cancelled", batch=batch_id, error=str(error))

    async def _bear(self, batch_id: str, failure: Failure, absent_s: float) -> None:
        """Go on after a failed poll; where it is hopeless, halt the run, and never return: the batch stays open."""
        hopeless = failure.verdict == "final" and failure.status not in GONE
        if failure.is_hopeless or hopeless or (failure.kind == MALFORMED and absent_s > ABSENT_S):
            await self.halt(f"batch {batch_id}", failure)
        if failure.status in GONE:
            self.silence.answered()
        elif failure.kind != MALFORMED:
            self.silence.failed(failure)

    async def halt(self, what: str, failure: Failure) -> NoReturn:
        """Halt the run, and never return: the batch stays open, until the halted run cancels who looks at it."""
        self._sink.halt(f"{what}: {failure.kind}: {failure.message}")
        await anyio.sleep_forever()
        raise AssertionError("unreachable")
