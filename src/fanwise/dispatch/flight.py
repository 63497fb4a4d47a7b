"""What is in batches: open intents, their attempts, and those that an earlier session left behind."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fanwise.context.request import Request
from fanwise.journal.port import Journal
from fanwise.journal.records import BatchRecord, EndRecord, Served

from .budget import Budget, Hold
from .call import Call, taken
from .role import Roles


@dataclass(slots=True, eq=False)
class Sent:
    """An attempt in a batch."""

    attempt: int
    call: Call
    hold: Hold
    sent: float
    prefix: str = ""
    """Key of the prefix behind which there is a breakpoint; empty: there is none."""
    led: bool = False
    """Whether others wait for it to be written."""
    raced: bool = False
    """True once its call was sent live all the same: its result is paid for, and no longer needed."""
    ended: bool = False
    orphan: bool = False
    """True for an attempt of an earlier session whose row has not asked for it yet."""


class Flight:
    """All batches in flight, of this session and of earlier ones."""

    def __init__(self, journal: Journal, budget: Budget, roles: Roles) -> None:
        self.journal, self.budget, self._roles = journal, budget, roles
        self.open: dict[int, BatchRecord] = {}
        """Batches that have not ended, by intent."""
        self.sizes: set[int] = set()
        """Sizes of intents whose batch id is not certain: no two are equal."""
        self.adopted: dict[str, Sent] = {}
        """Attempts of earlier sessions that are still in a batch, by task key."""
        self.sent: dict[int, dict[int, Sent]] = {}
        """Attempts in each batch that has not been read, by intent."""
        self.count = 0
        """Calls in batches."""

    def load(self) -> dict[int, dict[int, Sent]]:
        """Take the open batches of earlier sessions from the journal; returns their attempts by intent."""
        found: dict[int, dict[int, Sent]] = {}
        for record in self.journal.open_batches():
            self.open[record.intent] = record
            if record.state != "created":
                self.sizes.add(record.size)
            mine = found[record.intent] = self.sent[record.intent] = {}
            for served in self.journal.open_attempts(record.intent):
                attempt, call = served.attempt, _orphan(served, self._roles)
                hold = Hold(attempt.reserved, attempt.bound, call.row)
                self.budget.hold(hold)
                mine[attempt.id] = self.adopted[call.key] = Sent(
                    attempt.id, call, hold, attempt.sent, prefix=attempt.prefix, orphan=True
                )
                self.count += 1
        return found

    def claim(self, call: Call) -> bool:
        """Take over an attempt of an earlier session for a call; False where there is none."""
        sent = self.adopted.get(call.key)
        if sent is None or not sent.orphan:
            return False
        call.channel, call.number, call.tries = "batch", sent.call.number, 1
        sent.call, sent.orphan = call, False
        return True

    def begin(self, record: BatchRecord, count: int) -> None:
        """Record the intent to submit a batch."""
        self.sizes.add(record.size)
        self.open[record.intent] = record
        self.count += count
        self.journal.add_batch(record)

    def known(self, record: BatchRecord, batch_id: str, *, certain: bool) -> BatchRecord:
        """Record the id of a batch: certain from the reply to its creation or from its results, else provisional."""
        known = replace(record, batch_id=batch_id, state="created" if certain else "adopted")
        if certain:
            self.sizes.discard(record.size)
        self.open[record.intent] = known
        self.journal.add_batch(known)
        return known

    def close(self, record: BatchRecord, *, absent: bool = False) -> None:
        """Record that a batch has ended, or that it never was."""
        self.sizes.discard(record.size)
        self.open.pop(record.intent, None)
        self.sent.pop(record.intent, None)
        self.journal.add_batch(replace(record, state="absent" if absent else "ended"))

    def settle(self, one: Sent, end: EndRecord) -> None:
        """Put what an attempt has taken in the place of its reservation."""
        self.budget.settle(one.hold, *taken(end))
        one.ended = True
        self.count -= 1

    def race(self) -> list[Call]:
        """Return the calls that are still in batches, whose results are not waited for any more."""
        racing = [one for sent in self.sent.values() for one in sent.values() if not one.ended and not one.orphan]
        for one in racing:
            one.raced, one.call.why = True, "retry"
        return [one.call for one in racing]

    def drop(self, one: Sent) -> None:
        """Forget an adopted attempt that has ended."""
        if self.adopted.get(one.call.key) is one:
            del self.adopted[one.call.key]

    def certain_ids(self) -> set[str]:
        """Return the ids of all batches that are certainly the run's own."""
        mine = {one.batch_id for one in self.open.values() if one.state == "created" and one.batch_id}
        return self.journal.batch_ids() | mine


def _orphan(served: Served, roles: Roles) -> Call:
    """Return a stand-in for the call of an attempt whose row has not been read again yet."""

    def compose(*_: object) -> Request:
        raise AssertionError("an attempt of an earlier session is never composed again")

    record, (ask,) = served
    role = roles.named(record.arm, record.agent, record.model)
    return Call(role, ask.key, ask.row, ask.node, ask.label, compose, number=ask.number)
