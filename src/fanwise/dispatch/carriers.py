"""All that a session sends by: live calls, batches, and who chooses between them."""

from __future__ import annotations

from collections.abc import Callable

import anyio
from anyio.abc import TaskStatus

from fanwise.api.replies import Reply

from .carrier import Carrier, Sink
from .channel import Chooser
from .errand import Ask, Errand
from .role import Role
from .timekeeper import TimeKeeper


class Carriers:
    """Gives each errand its carrier; those that wait for pilots of their role wait here."""

    def __init__(self, live: Carrier, batches: Carrier, chooser: Chooser, timekeeper: TimeKeeper | None = None) -> None:
        """Set up.

        Args:
            live: Carries what is chosen to go live.
            batches: Carries the rest.
            chooser: Chooses.
            timekeeper: Watches the deadline; None where there is none.
        """
        self.live, self.batches, self.chooser = live, batches, chooser
        self._timekeeper = timekeeper
        self._parked: dict[Role, list[Errand]] = {}
        """Errands that wait until pilots have shown what their role's channel depends on."""
        self._gathered: list[Errand] | None = None
        """Errands that wait until more rows have come; None where nobody waits for that."""
        self._stopped = anyio.Event()

    @property
    def in_flight(self) -> int:
        """Requests that are under way."""
        return self.live.in_flight + self.batches.in_flight

    @property
    def open_batches(self) -> int:
        """Batches that have not been read to their end, of earlier sessions too."""
        return self.live.open_batches + self.batches.open_batches

    def is_idle(self) -> bool:
        """Return whether nothing goes on that could end an errand; those that wait for pilots do not count."""
        return self.live.is_idle() and self.batches.is_idle()

    def claim(self, errand: Errand) -> bool:
        """Take over a request that an earlier session has under way; returns False where there is none."""
        return self.batches.claim(errand) or self.live.claim(errand)

    def part_of(self, ask: Ask) -> Errand | None:
        """Return what an earlier session has under way for several inputs, one of which is a task's; None: nothing."""
        return self.batches.part_of(ask) or self.live.part_of(ask)

    def gather(self) -> None:
        """Let errands wait whose channel depends on what other rows show: these are about to come."""
        if self._gathered is None:
            self._gathered = []

    def gathers(self) -> bool:
        """Return whether errands wait, or would, until it is known what other rows show."""
        return self._gathered is not None and self.chooser.gathers()

    def end_gathering(self) -> None:
        """Send what was gathered: no more rows come for now."""
        gathered, self._gathered = self._gathered, None
        for errand in gathered or ():
            self._choose(errand)

    def submit(self, errand: Errand) -> None:
        """Send an errand the way that is chosen for it, or let it wait until that can be told."""
        if self._gathered is not None and self.chooser.is_gathered(errand):
            self._gathered.append(errand)
        else:
            self._choose(errand)

    def _choose(self, errand: Errand) -> None:
        channel = self.chooser.channel(errand)
        if channel is None:
            self._parked.setdefault(errand.role, []).append(errand)
        else:
            (self.live if channel == "live" else self.batches).submit(errand)

    def replied(self, errand: Errand, reply: Reply) -> None:
        """Learn from a reply; what waited for it goes."""
        if self.chooser.replied(errand, reply):
            self._release(errand.role)

    def ended(self, errand: Errand) -> None:
        """Take the end of an errand; what waited for it as a pilot goes."""
        if self.chooser.ended(errand):
            self._release(errand.role)

    def _release(self, role: Role) -> None:
        for parked in self._parked.pop(role, ()):
            self.submit(parked)

    def only_live(self) -> None:
        """Let nothing go in batches any more, nor wait for what pilots in them show."""
        self.chooser.only_live()
        for role in list(self._parked):
            self._release(role)

    def outlive(self) -> bool:
        """Return whether all that was given to them goes on without this process."""
        return self.live.outlives() and self.batches.outlives()

    def stop(self) -> None:
        """Send nothing any more."""
        self._stopped.set()
        self.live.stop()
        self.batches.stop()

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Work until `stop` is called and what cannot be left has ended."""
        async with anyio.create_task_group() as group:
            await group.start(self.live.run, name="live")
            await group.start(self.batches.run, name="batches")
            async with anyio.create_task_group() as watch:
                if self._timekeeper is not None:
                    watch.start_soon(self._timekeeper.keep, name="deadline")
                task_status.started()
                await self._stopped.wait()
                watch.cancel_scope.cancel()


Carry = Callable[[Sink], Carriers]
"""Makes the carriers of a session, which tell a sink how errands end."""
