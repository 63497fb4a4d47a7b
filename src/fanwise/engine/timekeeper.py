"""Keeping a deadline: batches are left for live calls in time, and it is said where that was too late."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import anyio

from fanwise.dispatch.deadline import Left, live_s, need_s
from fanwise.units import now

LOOK_S = 5.0
"""How often it is looked whether the deadline can still be kept in batches."""


@dataclass(frozen=True, kw_only=True)
class TimeKeeper:
    """Watches one deadline."""

    deadline: float
    """When the run should have ended, in seconds since 1970."""
    started: float
    left: Callable[[], Left]
    """Gives what is to be done."""
    leave: Callable[[], int]
    """Leaves batches; gives how many requests are in them."""
    race: Callable[[], int] | None
    """Sends live what cancelled batches have not given back, and gives how many requests that is; None: never."""
    open_: Callable[[], tuple[int, int]]
    """Gives rows that are not done, and requests in batches."""
    note: Callable[[str], None]

    async def keep(self, scope: anyio.CancelScope) -> None:
        """Watch until the scope is cancelled."""
        with scope:
            # What is left changes with every reply, so it is looked at now and then.
            while (spare_s := self.spare_s()) > 0:  # noqa: ASYNC110
                await anyio.sleep(min(spare_s, LOOK_S))
            inside = self.leave()
            if inside:
                self.note(
                    f"the deadline is near: batches with {inside} requests are cancelled, and what comes back undone "
                    "goes live"
                )
            if self.race is not None:
                await anyio.sleep(max(self.deadline - now().timestamp() - self._live_s(), 0))
                twice = self.race()
                if twice:
                    self.note(
                        f"{twice} requests are sent live though their batches have not ended: what these still answer "
                        "is paid twice"
                    )
            await anyio.sleep(max(self.deadline - now().timestamp(), 0))
            rows, requests = self.open_()
            self.note(
                f"the deadline has passed: {rows} rows are not done, {requests} requests are in batches that have not "
                "ended; they are waited for, since nothing is paid twice"
            )

    def _whole_s(self) -> float:
        return max(self.deadline - self.started, 1.0)

    def _live_s(self) -> float:
        """Return the seconds that live calls need for what is left."""
        return live_s(self.left(), self._whole_s())

    def spare_s(self) -> float:
        """Return the seconds before batches have to be left."""
        return self.deadline - now().timestamp() - need_s(self.left(), self._whole_s())
