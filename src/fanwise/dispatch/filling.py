"""Filling a batch: calls from the queue, as far as count, bytes and budget go, written into its body."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from typing import NamedTuple

from fanwise.api.failures import Failure
from fanwise.context.parts import Ttl
from fanwise.context.repeats import Piece
from fanwise.journal.port import Journal
from fanwise.units import now

from .budget import Budget, Hold
from .call import Call, Outline, outline, worst_case
from .primer import Primer, Way
from .spool import Spool

MOST_REQUESTS = 100_000
MOST_BYTES = 250_000_000
"""Requests and bytes of one batch; the API takes 256 MB ("Batch processing", read 2026-11-23)."""
FRAME_BYTES = 100
"""More than a request in a batch has around its parameters."""
PARTS, LEAST_PART = 5, 1_000
"""Into how many batches one round is cut at most, and how small at least."""
TTL: dict[Way, Ttl | None] = {"plain": None, "lead": "1h", "read": "5m", "wait": None}
"""Life of what is written, by the way in which a call travels."""


class Chosen(NamedTuple):
    """A call on its way into a batch."""

    call: Call
    attempt: int
    outline: Outline
    common: tuple[Piece, ...]
    own: tuple[Piece, ...]
    hold: Hold
    way: Way


def cut(waiting: int, rounds: int) -> int:
    """Return how many requests a batch may have of those that wait.

    Results can be read when a whole batch has ended. Where more rounds follow, what waits is cut into
    parts, so that the next round of one part starts while another is still in work; not into many:
    what it gains gets less, and a batch more is one more to wait for.
    """
    return MOST_REQUESTS if rounds < 2 else min(max(-(-waiting // PARTS), LEAST_PART), MOST_REQUESTS)


class Filler:
    """Fills one batch after another from one queue."""

    def __init__(self, queue: deque[Call], primer: Primer, budget: Budget, journal: Journal, run_id: str) -> None:
        self.queue, self.primer, self.budget = queue, primer, budget
        self.journal, self.run_id = journal, run_id
        self.over: Callable[[Call, Failure], None]
        """Told of calls that their row's budget has no room for."""
        self.most = MOST_REQUESTS
        """Requests that the next batch may have."""

    def fill(self, body: Spool) -> list[Chosen]:
        """Write calls from the queue into a body as far as count, bytes and budget go; leaders travel alone."""
        chosen: list[Chosen] = []
        others: list[Call] = []
        at = now()
        settled: dict[str, Way] = {}
        """Ways by prefix, where they are the same until the batch is full."""
        while self.queue and len(chosen) < self.most:
            call = self.queue[0]
            key = call.prefix
            way = settled.get(key) or self.primer.way(call)
            if way in ("plain", "read"):
                settled[key] = way
            if way == "wait":
                self.primer.hold(self.queue.popleft())
                continue
            if chosen and (chosen[0].way == "lead") != (way == "lead"):
                if way != "lead":
                    others.append(self.queue.popleft())
                    continue
                while chosen:  # what was chosen so far goes back: the prefix is written first
                    one = chosen.pop()
                    body.drop()
                    self.budget.settle(one.hold, 0, 0)
                    others.append(one.call)
            request = call.request()
            hold = worst_case(request, call.row, batch=True, at=at, ttl=TTL[way])
            head, rest = request.encode(run_id=self.run_id, ttl=TTL[way], row_ttl=None)
            full = bool(chosen) and body.size + len(head) + len(rest) + FRAME_BYTES > MOST_BYTES
            fit = "wait" if full else self.budget.reserve(hold)
            if fit != "fits" and way == "lead":
                self.queue.extend(self.primer.release(key))
            if fit == "row full":
                self.queue.popleft()
                self.primer.waiting[key] -= 1
                self.over(call, Failure(verdict="final", kind="row_budget", message=self.budget.row_lack(hold)))
                continue
            if fit == "row waits":
                others.append(self.queue.popleft())
                continue
            if fit != "fits":
                break
            self.queue.popleft()
            attempt = self.journal.next_attempt()
            body.add(f"{self.run_id}-{attempt}", head, rest)
            told = outline(request, batch=True, marked=way != "plain")  # what is kept of a request is small
            chosen.append(Chosen(call, attempt, told, request.common, request.own, hold, way))
        self.queue.extendleft(reversed(others))
        self.primer.waiting.subtract(Counter([one.call.prefix for one in chosen]))
        return chosen

    def give_back(self, one: Chosen, body: Spool) -> None:
        """Put a call back to the front of the queue."""
        body.drop()
        self.budget.settle(one.hold, 0, 0)
        key = one.call.prefix
        if one.way == "lead":
            self.queue.extend(self.primer.release(key))
        self.queue.appendleft(one.call)
        self.primer.waiting[key] += 1
