"""All that a session sends by: live calls, batches, and who chooses between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import anyio
from anyio.abc import TaskStatus

from fanwise.api.client import Api
from fanwise.api.replies import Reply
from fanwise.graph.dag import rounds
from fanwise.graph.nodes import GraphSpec
from fanwise.journal.records import ArmName

from .batches import Batches
from .books import Books
from .carrier import Carrier, Sink
from .channel import ChannelChoice, Chooser, Lengths
from .errand import Errand
from .follow import Polling
from .live import Live
from .retry import RetryPolicy
from .role import Role, Roles
from .rounds import Rounds
from .timekeeper import Clock, TimeKeeper, TimeLimit


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
        self._stopped = anyio.Event()

    @property
    def in_flight(self) -> int:
        """Requests that are under way."""
        return self.live.in_flight + self.batches.in_flight

    @property
    def open_batches(self) -> int:
        """Batches that have not been read to their end, of earlier sessions too."""
        return self.live.open_batches + self.batches.open_batches

    def claim(self, errand: Errand) -> bool:
        """Take over a request that an earlier session has under way; returns False where there is none."""
        return self.batches.claim(errand) or self.live.claim(errand)

    def submit(self, errand: Errand) -> None:
        """Send an errand the way that is chosen for it, or let it wait until that can be told."""
        channel = self.chooser.channel(errand)
        if channel is None:
            self._parked.setdefault(errand.role, []).append(errand)
        else:
            (self.live if channel == "live" else self.batches).submit(errand)

    def replied(self, errand: Errand, reply: Reply) -> None:
        """Learn from a reply."""
        self.chooser.replied(errand, reply)

    def ended(self, errand: Errand) -> None:
        """Take the end of an errand; what waited for it as a pilot goes."""
        if self.chooser.ended(errand):
            for parked in self._parked.pop(errand.role, ()):
                self.submit(parked)

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """How a session may send."""

    channel: ChannelChoice
    slots: int
    """Live requests in flight at most."""
    gated: bool = True
    """False: nobody waits for a prefix to be written."""
    polling: Polling
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    limit: TimeLimit | None = None
    """The deadline; None: there is none."""
    scale: float = 1.0
    """Errands of the whole job for each that is sent, where its rows are a sample."""
    folder: Path | None = None
    """Where large bodies are kept while they are sent."""
    patient: bool = True
    """Whether others may wait for pilots in a batch; nobody stays to send them after `--detach`."""


def build_carriers(
    sink: Sink, api: Api, books: Books, roles: Roles, graphs: Mapping[ArmName, GraphSpec], ways: Ways
) -> Carriers:
    """Return the carriers of a session, with what earlier ones have shown.

    Args:
        sink: Who is told how errands end.
        api: The connection.
        books: Where they write.
        roles: Of the run.
        graphs: The graph of each arm.
        ways: How it may send.
    """
    depth = max((rounds(graph) for graph in graphs.values()), default=1)
    live = Live(api, books, sink, slots=ways.slots, policy=ways.policy, gated=ways.gated)
    clock = None if ways.limit is None else Clock(ways.limit, sink, live, depth)
    time = None if clock is None else Rounds(graphs, clock.spare_s)
    batches = Batches(
        api,
        books,
        sink,
        roles,
        policy=ways.policy,
        polling=ways.polling,
        took=_forget if time is None else time.took,
        scale=ways.scale,
        rounds=depth,
        folder=ways.folder,
    )
    lengths = {
        roles.named(shown.arm, shown.agent, shown.model): Lengths(shown.answers, shown.tokens)
        for shown in books.journal.outputs()
    }
    chooser = Chooser(ways.channel, batches.primer, lengths, time, patient=ways.patient)
    return Carriers(live, batches, chooser, None if clock is None else _timekeeper(clock, sink, live, batches, chooser))


def _timekeeper(clock: Clock, sink: Sink, live: Live, batches: Batches, chooser: Chooser) -> TimeKeeper:
    def leave() -> int:
        chooser.only_live()
        return batches.leave(live.submit)

    return TimeKeeper(clock, sink, leave, batches.race, lambda: batches.in_flight)


def _forget(seconds: float) -> None:
    """Take no note of how long a batch took: there is no deadline."""


Carry = Callable[[Sink], Carriers]
"""Makes the carriers of a session, which tell a sink how errands end."""
