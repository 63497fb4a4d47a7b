"""What is in batches: open intents, their attempts, and those that an earlier session left behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from fanwise.journal.records import BatchRecord, EndRecord, RoleName, Served
from fanwise.quick import maker

from .attempts import also_served, billed
from .books import Books
from .budget import Hold
from .errand import Ask, Errand, never_composed
from .role import Roles


@dataclass(slots=True, eq=False, kw_only=True)
class Sent:
    """An attempt in a batch."""

    attempt: int
    errand: Errand
    hold: Hold
    at: float
    """When it was written down, in seconds since 1970."""
    prefix: str = ""
    """Key of the prefix behind which there is a breakpoint; empty: there is none."""
    led: bool = False
    """Whether others wait for it to be written."""
    raced: bool = False
    """True once its errand was sent live all the same: its result is paid for, and no longer needed."""
    ended: bool = False
    orphan: bool = False
    """True for an attempt of an earlier session whose row has not asked for it yet."""

    def end(self) -> None:
        """Take note of its end."""
        self.ended = True

    def race(self) -> None:
        """Let its errand be sent live all the same."""
        self.raced = True
        self.errand.retry()

    def take_over(self, errand: Errand) -> None:
        """Let an errand of this session have what comes of it."""
        errand.adopt(self.attempt, self.errand.served)
        self.errand, self.orphan = errand, False


new_sent = maker(Sent)


class Flight:
    """All batches in flight, of this session and of earlier ones."""

    def __init__(self, books: Books, roles: Roles) -> None:
        self._books, self._roles = books, roles
        self.open: dict[int, BatchRecord] = {}
        """Batches that have not ended, by intent."""
        self.sizes: set[int] = set()
        """Sizes of intents whose batch id is not certain: no two are equal."""
        self.sent: dict[int, dict[int, Sent]] = {}
        """Attempts in each batch that has not been read, by intent and number."""
        self.count = 0
        """Attempts in batches that have not ended."""
        self._adopted: dict[str, Sent] = {}
        """Attempts of earlier sessions that are still in a batch, by the keys of their tasks and by what these have in
        common with equal ones."""

    def load(self) -> None:
        """Take the open batches of earlier sessions from the journal, with their attempts."""
        for record in self._books.journal.open_batches():
            self.open[record.intent] = record
            if record.state != "created":
                self.sizes.add(record.size)
            batch = self.sent[record.intent] = dict[int, Sent]()
            for served in self._books.journal.open_attempts(record.intent):
                sent = batch[served.attempt.id] = _orphan(served, self._roles)
                self._books.budget.hold(sent.hold)
                self.count += 1
                for name in _names(sent):
                    self._adopted[name] = sent

    def claim(self, errand: Errand) -> bool:
        """Take over an attempt of an earlier session for an errand; returns False where there is none."""
        (own,) = errand.asks
        sent = self._found(own)
        if sent is None or not sent.orphan or len(sent.errand.asks) > 1:
            return False
        is_known = any(ask.key == own.key for ask in sent.errand.served)
        sent.take_over(errand)
        if not is_known:  # it is equal to one whose row has not asked, or has left
            self._serve_too(own, sent.attempt)
        return True

    def _serve_too(self, ask: Ask, attempt: int) -> None:
        """Write down that an attempt of an earlier session serves a task as well."""
        journal = self._books.journal
        served, place = journal.attempt(attempt), journal.tasks_of(attempt)
        shown = () if served is None else (equal.sizes for equal in served.asks if equal.work == ask.work)
        record = also_served(ask, attempt, place=place, number=ask.before + 1, sizes=next(iter(shown), ""))
        journal.add_ask(record)

    def part_of(self, ask: Ask) -> Errand | None:
        """Return what an earlier session has in a batch for several inputs, one of which is a task's; None: nothing."""
        sent = self._found(ask)
        if sent is None or not sent.orphan or len(sent.errand.asks) < 2:
            return None
        if all(served.key != ask.key for served in sent.errand.served):
            sent.errand.serve(ask._replace(before=ask.before + 1))
            self._serve_too(ask, sent.attempt)
        return sent.errand

    def _found(self, ask: Ask) -> Sent | None:
        """Return the attempt of an earlier session that serves a task, or an equal one."""
        return self._adopted.get(ask.key) or (self._adopted.get(ask.work) if ask.work else None)

    def begin(self, record: BatchRecord) -> dict[int, Sent]:
        """Record the intent to submit a batch; returns where its attempts are to be entered, by number."""
        self.sizes.add(record.size)
        self.open[record.intent] = record
        self.count += record.size
        self._books.journal.add_batch(record)
        sent = self.sent[record.intent] = dict[int, Sent]()
        return sent

    def identify(self, record: BatchRecord, batch_id: str, *, certain: bool) -> BatchRecord:
        """Record the id of a batch: certain from the reply to its creation or from its results, else provisional."""
        identified = replace(record, batch_id=batch_id, state="created" if certain else "adopted")
        if certain:
            self.sizes.discard(record.size)
        self.open[record.intent] = identified
        self._books.journal.add_batch(identified)
        return identified

    def close(self, record: BatchRecord, *, absent: bool = False) -> None:
        """Record that a batch has ended, or that it never was."""
        self.sizes.discard(record.size)
        self.open.pop(record.intent, None)
        self.sent.pop(record.intent, None)
        self._books.journal.add_batch(replace(record, state="absent" if absent else "ended"))

    def settle(self, sent: Sent, end: EndRecord) -> None:
        """Record the end of an attempt, and put what it has taken in the place of its reservation."""
        self._books.end(end)
        self._books.budget.settle(sent.hold, *billed(end))
        sent.end()
        self.count -= 1

    def race(self) -> list[Errand]:
        """Return the errands that are still in batches, whose results are not waited for any more."""
        return [errand for intent in self.sent for errand in self.race_batch(intent, with_orphans=False)]

    def race_batch(self, intent: int, *, with_orphans: bool) -> list[Errand]:
        """Return the errands of one batch, likewise.

        Args:
            intent: Of the batch.
            with_orphans: Whether rows that have not asked yet will send by themselves, too.
        """
        errands = list[Errand]()
        for sent in self.sent[intent].values():
            if sent.ended or sent.raced or (sent.orphan and not with_orphans):
                continue
            if sent.orphan:
                self.drop(sent)
            else:
                errands.append(sent.errand)
            sent.race()
        return errands

    def drop(self, sent: Sent) -> None:
        """Forget an adopted attempt that has ended."""
        for name in _names(sent):
            if self._adopted.get(name) is sent:
                del self._adopted[name]

    def is_certain(self) -> bool:
        """Return whether the id of every batch is known for certain."""
        return all(record.state == "created" for record in self.open.values())

    def awaited(self, *, with_unsure: bool) -> int:
        """Return how many batches are open; without those that may be another's, only those that are certain."""
        return sum(with_unsure or record.state == "created" for record in self.open.values())

    def holds_others(self, record: BatchRecord) -> bool:
        """Return whether a batch of the run's is open beside one that was refused."""
        return any(batch.state == "created" for intent, batch in self.open.items() if intent != record.intent)

    def certain_ids(self) -> set[str]:
        """Return the ids of all batches that are certainly the run's own."""
        open_ids = {record.batch_id for record in self.open.values() if record.state == "created" and record.batch_id}
        return self._books.journal.batch_ids() | open_ids


def _names(sent: Sent) -> Iterator[str]:
    """Yield the names by which an attempt is found: the keys of its tasks, and what equal ones have in common."""
    for ask in sent.errand.served:
        yield ask.key
        if ask.work:
            yield ask.work


def _orphan(served: Served, roles: Roles) -> Sent:
    """Return an attempt of an earlier session; an errand stands in for its own, until its row is read again."""
    record = served.attempt
    asks = tuple([
        Ask(
            key=ask.key, row=ask.row, node=ask.node, label=ask.label, before=ask.number, row_id=ask.row_id,
            work=ask.work,
        )
        for ask in served.asks
    ])  # fmt: skip
    role = roles.named(RoleName(record.arm, record.agent, record.model))
    first = {ask.work: ask for ask in reversed(asks) if ask.work}
    shown = tuple([ask for ask in asks if not ask.work or first[ask.work] is ask])
    errand = Errand(role=role, asks=shown, compose=never_composed)
    for ask in asks:
        if ask not in shown:
            errand.serve(ask)
    errand.stands_for(record.id)
    return Sent(
        attempt=record.id,
        errand=errand,
        hold=Hold(record.reserved, record.bound, asks),
        at=record.sent,
        prefix=record.prefix,
        orphan=True,
    )
