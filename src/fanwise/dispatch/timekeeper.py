"""Keeping a deadline: batches are left for live calls in time, and it is said where that was too late."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import anyio

from .carrier import Sink
from .deadline import Left, live_s, need_s
from .live import Live

LOOK_S = 5.0
"""How often it is looked whether the deadline can still be kept in batches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLimit:
    """When a run should have ended, and what that is worth."""

    at: float
    """In seconds since 1970, at the server."""
    started: float
    """When the session began, likewise."""
    begun: float = field(default_factory=anyio.current_time)
    """The same by the event loop's clock, by which time is measured from then on: nobody sets it."""
    pay_twice: bool = False
    """Whether the deadline is worth paying twice for what cancelled batches do not give back in time."""

    @property
    def whole_s(self) -> float:
        """Seconds from the start to the deadline."""
        return max(self.at - self.started, 1.0)

    def left_s(self) -> float:
        """Return the seconds until the deadline."""
        return self.at - self.started - (anyio.current_time() - self.begun)


class TimeLeft:
    """Knows how much time there is before batches have to be left."""

    def __init__(self, limit: TimeLimit, sink: Sink, live: Live, depth: int) -> None:
        """Set up.

        Args:
            limit: The deadline.
            sink: Knows what is to be done.
            live: Where that is done once batches are left.
            depth: Requests of one row that go one after another, at most.
        """
        self.limit, self._sink, self._live, self._depth = limit, sink, live, depth

    def spare_s(self) -> float:
        """Return the seconds before batches have to be left."""
        return self.limit.left_s() - need_s(self._left(), self.limit.whole_s)

    def live_s(self) -> float:
        """Return the seconds that live calls need for what is left."""
        return live_s(self._left(), self.limit.whole_s)

    def _left(self) -> Left:
        live = self._live
        return Left(
            requests=self._sink.requests_left(), depth=self._depth, slots=live.slots, latency_s=live.latency_s
        )  # fmt: skip


class TimeKeeper:
    """Watches one deadline."""

    def __init__(
        self,
        time_left: TimeLeft,
        sink: Sink,
        leave: Callable[[], int],
        race: Callable[[], int],
        in_batches: Callable[[], int],
    ) -> None:
        """Set up.

        Args:
            time_left: Knows when batches have to be left.
            sink: Who is told.
            leave: Leaves batches; gives how many requests are in them.
            race: Sends live what cancelled batches have not given back, and gives how many requests that is.
            in_batches: Gives how many requests are in batches.
        """
        self._time_left, self._sink, self._leave, self._race, self._in_batches = (
            time_left,
            sink,
            leave,
            race,
            in_batches,
        )

    async def keep(self) -> None:
        """Watch until the deadline has passed."""
        limit = self._time_left.limit
        # What is left changes with every reply, so it is looked at now and then.
        while (spare_s := self._time_left.spare_s()) > 0:  # noqa: ASYNC110
            await anyio.sleep(min(spare_s, LOOK_S))
        inside = self._leave()
        if inside:
            self._sink.note(
                f"the deadline is near: batches with {inside} requests are cancelled, and what comes back undone "
                "goes live"
            )
        if limit.pay_twice:
            await anyio.sleep(max(limit.left_s() - self._time_left.live_s(), 0))
            twice = self._race()
            if twice:
                self._sink.note(
                    f"{twice} requests are sent live though their batches have not ended: what these still answer "
                    "is paid twice"
                )
        await anyio.sleep(max(limit.left_s(), 0))
        rows, requests = self._sink.rows_in_work(), self._in_batches()
        self._sink.note(
            f"the deadline has passed: {rows} rows are not done, {requests} requests are in batches that have not "
            "ended; they are waited for, since nothing is paid twice"
        )
