"""The results of batches, each applied once: an end in the journal, and what the errand makes of it."""

from __future__ import annotations

import time

from fanwise.api.failures import Failure
from fanwise.api.replies import BatchResult
from fanwise.journal.port import Journal
from fanwise.journal.records import BatchRecord, EndRecord
from fanwise.units import moment, now

from .attempts import paid, unpaid
from .carrier import Sink
from .flight import Flight, Sent
from .primer import Primer
from .queue import Queue
from .reading import Reading
from .retrying import Retrying

RESULTS_LOST = "results_lost"
"""Kind of a request of a batch whose answer was paid, or may have been, and does not come: it is not asked again
before somebody says so, since that is paid a second time."""
PAID_TWICE = "paid_twice"
"""Kind of an attempt whose answer came after its task had been sent again, as somebody had agreed to."""


class Results:
    """Takes what comes back from batches."""

    def __init__(
        self, journal: Journal, sink: Sink, flight: Flight, queue: Queue, primer: Primer, retrying: Retrying
    ) -> None:
        self._journal, self._sink, self._flight = journal, sink, flight
        self._queue, self._primer, self._retrying = queue, primer, retrying

    def apply(self, sent: Sent, result: BatchResult) -> None:
        """Take the result of an attempt."""
        reply, errand = result.reply, sent.errand
        if reply is None:
            self.fail(sent, result.failure or Failure(verdict="retry", kind=result.kind, message="no result"))
            return
        unneeded = sent.raced or (sent.orphan and self._is_answered(sent))
        latency_s, kind = max(time.time() - sent.at, 0.0), PAID_TWICE if unneeded else ""
        end = paid(
            sent.attempt, errand.role.model, reply, moment(sent.at), batch=True, latency_s=latency_s, kind=kind
        )  # fmt: skip
        self._end(sent, end)  # no await between the reply and its record
        if unneeded:
            self._drop(sent)
            return
        again = self._sink.replied(errand, sent.attempt, reply)
        if sent.orphan:
            self._drop(sent)
        elif again:
            self._queue.put(errand)

    def _is_answered(self, sent: Sent) -> bool:
        return all(self._journal.task(ask.key) is not None for ask in sent.errand.served)

    def fail(self, sent: Sent, failure: Failure) -> None:
        """Take the failure of an attempt."""
        self._end(sent, unpaid(sent.attempt, failure, max(now().timestamp() - sent.at, 0.0)))
        if sent.orphan:
            self._drop(sent)  # its row must not wait for it any more
        if failure.verdict == "terminal":
            self._sink.halt(f"{failure.kind}: {failure.message}")
        elif failure.kind != RESULTS_LOST:
            self._retrying.again(sent, failure)
        elif not sent.raced:  # its row, also one that has not asked yet, is told that it is lost
            self._sink.failed(sent.errand, failure)

    def _drop(self, sent: Sent) -> None:
        """Forget an attempt of an earlier session that has ended; what rows still wait for of it is sent again."""
        self._flight.drop(sent)
        if sent.orphan and len(sent.errand.asks) > 1:
            self._sink.undone(sent.errand)

    def race(self, record: BatchRecord) -> None:
        """Send again what is in a batch that may not be the run's: what it answers, if it is, is paid twice."""
        orphans = [sent for sent in self._flight.sent[record.intent].values() if sent.orphan and not sent.ended]
        for errand in self._flight.race_batch(record.intent, with_orphans=True):
            self._queue.put(errand)
        for sent in orphans:
            self._drop(sent)

    def absent(self, record: BatchRecord, failure: Failure, *, blameless: bool = False) -> None:
        """End an intent whose batch does not exist: nothing was billed, everything goes again.

        Args:
            record: The intent.
            failure: Why there is no batch.
            blameless: Whether it was refused for what it is as a whole: each request goes again, as if not sent.
        """
        batch = self._flight.sent[record.intent]
        self._flight.close(record, absent=True)
        for sent in batch.values():
            self._end(sent, unpaid(sent.attempt, failure, 0.0))
            self._retrying.again(sent, failure, blameless=blameless)
            self._drop(sent)

    def close(self, record: BatchRecord, reading: Reading) -> None:
        """Close a batch that was read to its end, and say what becomes of its requests without a result."""
        lacking = [sent for sent in self._flight.sent[record.intent].values() if not sent.ended]
        if lacking and not reading.all_paid:
            self._sink.note(
                f"batch {record.batch_id} gives no result for {len(lacking)} of {record.size} requests: {reading.why}; "
                "their answers may have been paid, so they are not asked again; `resume --retry results_lost` does"
            )
        for sent in lacking:
            self.fail(sent, self._lack(record, reading, sent.attempt))
        self._flight.close(record)

    def _lack(self, record: BatchRecord, reading: Reading, attempt: int) -> Failure:
        """Return what it means that a request of a batch has no result."""
        if reading.all_paid:  # errored, canceled or expired, which costs nothing
            text = f"batch {record.batch_id} has no result for this request, and has billed no more than what has come"
            return Failure(verdict="retry", kind="missing", message=text)
        odd = reading.odd.get(attempt)
        why = reading.why if odd is None else odd.message
        text = f"batch {record.batch_id} has no result for this request, which may have been paid: {why}"
        return Failure(verdict="lost", kind=RESULTS_LOST, message=text)

    def _end(self, sent: Sent, end: EndRecord) -> None:
        """Record an end, and say what it has shown of the prefix that was marked."""
        self._flight.settle(sent, end)
        if not sent.prefix:
            return
        if end.status == "succeeded" and end.tokens is not None:
            self._primer.answered(sent.prefix, end.usage, sent.at, led=sent.led)
        elif sent.led:
            self._primer.release(sent.prefix)
