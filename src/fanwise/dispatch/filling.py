"""Filling a batch: errands from the queue, as far as count, bytes and budget go, written into its body."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

from fanwise.api.failures import Failure
from fanwise.context.parts import Ttl
from fanwise.quick import maker
from fanwise.units import now

from .attempts import Outline, outline, worst_case
from .books import Books
from .budget import ROW_BUDGET, Hold
from .carrier import Sink
from .errand import Errand
from .primer import Primer, Way
from .queue import Queue
from .spool import Spool

MOST_REQUESTS = 100_000
MOST_BYTES = 250_000_000
"""Requests and bytes of one batch; the API takes 256 MB ("Batch processing", read 2026-11-23)."""
FRAME_BYTES = 100
"""More than a request in a batch has around its parameters."""
PARTS, LEAST_PART = 5, 1_000
"""Into how many batches one round is cut at most, and how small at least."""
TTL: dict[Way, Ttl | None] = {"plain": None, "lead": "1h", "read": "5m", "wait": None}
"""Life of what is written, by the way in which an errand travels."""


class Chosen(NamedTuple):
    """An errand on its way into a batch."""

    errand: Errand
    attempt: int
    outline: Outline
    hold: Hold
    way: Way


_new_chosen = maker(Chosen)


def cut(waiting: int, rounds: int) -> int:
    """Return how many requests a batch may have of those that wait.

    Results can be read when a whole batch has ended. Where more rounds follow, what waits is cut into
    parts, so that the next round of one part starts while another is still in work; not into many:
    what it gains gets less, and a batch more is one more to wait for.
    """
    return MOST_REQUESTS if rounds < 2 else min(max(-(-waiting // PARTS), LEAST_PART), MOST_REQUESTS)


class Filler:
    """Fills one batch after another from one queue."""

    def __init__(self, books: Books, sink: Sink, queue: Queue, primer: Primer) -> None:
        self._books, self._sink, self._queue, self._primer = books, sink, queue, primer
        self.lack = ""
        """Why the errand that is next fits into no room that the run has; empty where it does, or may later."""

    def fill(self, body: Spool, most: int) -> list[Chosen]:
        """Write so many errands at most from the queue into a body, as count, bytes and budget go; leaders go alone."""
        chosen: list[Chosen] = []
        settled: dict[str, Way] = {}
        """Ways by prefix, where they are the same until the batch is full."""
        queue, at, is_full, self.lack = self._queue, now(), False, ""
        while not is_full and len(chosen) < most and (errand := queue.first()) is not None:
            prefix = queue.prefix_of(errand)
            way = settled.get(prefix) or self._primer.way(errand)
            if way == "wait":
                queue.hold(prefix)
                continue
            if way != "lead":
                settled[prefix] = way
            if chosen and (chosen[0].way == "lead") != (way == "lead"):
                if way != "lead":
                    queue.pass_over()
                    continue
                self._empty(chosen, body)  # the prefix is written first
            is_full = self._add(errand, prefix, way, at, chosen, body) == "full"
        queue.rewind()
        return chosen

    def _empty(self, chosen: list[Chosen], body: Spool) -> None:
        """Let what was chosen so far wait for the next batch."""
        while chosen:
            last = chosen.pop()
            body.drop()
            self._books.budget.settle(last.hold, 0, 0)
            self._queue.pass_back(last.errand)

    def _add(
        self, errand: Errand, prefix: str, way: Way, at: datetime, chosen: list[Chosen], body: Spool
    ) -> Literal["added", "left", "full"]:
        """Write the errand that is next into a body, where there is room for it."""
        books, queue, request = self._books, self._queue, errand.request()
        hold = worst_case(request, errand.asks, batch=True, at=at, ttl=TTL[way])
        head, rest = request.encode(run_id=books.run_id, ttl=TTL[way], row_ttl=None)
        is_full = bool(chosen) and body.size + len(head) + len(rest) + FRAME_BYTES > MOST_BYTES
        fit = "wait" if is_full else books.budget.reserve(hold)
        if fit != "fits":
            return self._leave(errand, prefix, way, hold, fit)
        queue.take(prefix)
        attempt = books.journal.next_attempt()
        body.add(f"{books.run_id}-{attempt}", head, rest)
        sent = outline(request, batch=True, marked=way != "plain")
        chosen.append(_new_chosen(errand=errand, attempt=attempt, outline=sent, hold=hold, way=way))
        return "added"

    def _leave(self, errand: Errand, prefix: str, way: Way, hold: Hold, fit: str) -> Literal["left", "full"]:
        """Do without the errand that is next, for which there is no room."""
        if way == "lead":
            self._primer.release(prefix)
        if fit == "row full":
            self._queue.take(prefix)
            lack = self._books.budget.row_lack(hold)
            self._sink.failed(errand, Failure(verdict="final", kind=ROW_BUDGET, message=lack))
            return "left"
        if fit == "row waits":
            self._queue.pass_over()
            return "left"
        if fit == "never":
            self.lack = self._books.budget.lack(hold, errand.place, errand.role.model)
        return "full"

    def give_back(self, chosen: Chosen, body: Spool) -> None:
        """Put the errand that was written last back to the front of the queue."""
        body.drop()
        self._books.budget.settle(chosen.hold, 0, 0)
        if chosen.way == "lead":
            self._primer.release(chosen.outline.prefix)
        self._queue.give_back(chosen.errand)
