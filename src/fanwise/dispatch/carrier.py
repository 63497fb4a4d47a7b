"""The port between the engine and what carries its errands: what either side asks of the other."""

from __future__ import annotations

from typing import Protocol

from anyio.abc import TaskStatus

from fanwise.api.failures import Failure
from fanwise.api.replies import Reply

from .errand import Ask, Errand


class Carrier(Protocol):
    """One way to the API: live requests, or batches. It tells a `Sink` how errands end."""

    @property
    def queued(self) -> int:
        """Errands that wait to be sent, or for their next attempt."""
        ...

    @property
    def in_flight(self) -> int:
        """Requests that are under way."""
        ...

    @property
    def open_batches(self) -> int:
        """Batches that have not been read to their end, of earlier sessions too."""
        ...

    def submit(self, errand: Errand) -> None:
        """Take an errand; after `stop` it is left undone."""
        ...

    def claim(self, errand: Errand) -> bool:
        """Take over a request that an earlier session has under way; returns False where there is none."""
        ...

    def part_of(self, ask: Ask) -> Errand | None:
        """Return what an earlier session has under way for several inputs, one of which is a task's; None: nothing."""
        ...

    def is_idle(self) -> bool:
        """Return whether nothing is sent, nor about to be, nor waits for a time: no errand will end by itself."""
        ...

    def outlives(self) -> bool:
        """Return whether all that it was given goes on without this process."""
        ...

    def stop(self) -> None:
        """Send nothing any more; `run` returns when what cannot be left has ended."""
        ...

    async def run(self, *, task_status: TaskStatus[None]) -> None:
        """Work until `stop` is called; it has started once it can `claim`."""
        ...


class Sink(Protocol):
    """Who hears how errands end: the engine."""

    def replied(self, errand: Errand, attempt: int, reply: Reply) -> bool:
        """Take a reply whose record is kept; returns whether the errand, which knows what to say, is to go again."""
        ...

    def failed(self, errand: Errand, failure: Failure) -> None:
        """Take the final failure of an errand."""
        ...

    def undone(self, errand: Errand) -> None:
        """Take note that a request of several tasks, which an earlier session had under way, has come to nothing."""
        ...

    def fill_up(self) -> None:
        """Submit what could be sent now and waits for more: a batch is about to be filled."""
        ...

    def note(self, text: str) -> None:
        """Take something that the user should hear of now and find in the report."""
        ...

    def halt(self, reason: str) -> None:
        """Stop the run: no request will do."""
        ...

    def works_here(self) -> bool:
        """Return whether steps or tools are at work, whose tasks will be sent when they are done."""
        ...

    def rows_in_work(self) -> int:
        """Return how many rows are in work."""
        ...

    def requests_left(self) -> int:
        """Return how many requests the rows in work may still need."""
        ...

    def expects_more(self) -> bool:
        """Return whether rows are still to come or to be finished."""
        ...
