"""The engine: rows in, bounded by a window; from then on events drive it. Nothing here waits for one row."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Literal

import anyio
import anyio.lowlevel

from fanwise.api.failures import Failure
from fanwise.api.replies import Reply
from fanwise.dispatch.books import Books
from fanwise.dispatch.carriers import Carry
from fanwise.dispatch.errand import Errand
from fanwise.errors import NotKeptError
from fanwise.journal.records import ArmName
from fanwise.log import log
from fanwise.threads import MOST_ABANDONED, Threads

from .arms import Arm
from .doubts import Doubts
from .elsewhere import AnswersElsewhere
from .flow import TaskFlow
from .intake import Counters, Intake
from .keeper import Keeper
from .recorder import Recorder
from .records import Record
from .rows import Row, RowTypes
from .settings import Settings
from .settlement import Settlement
from .standstill import standstill
from .talks import Talks
from .ways import AskedBefore
from .window import Window

DETACH_S = 5.0
"""Seconds in which batches that nobody waits for are read before a detached session leaves them."""
LOOK_S = 0.1
"""How often is looked whether a session can be left, where it is to be."""
STEPS_S = 2.0
"""Seconds that what was gathered waits for steps, behind which other agents may show the same blocks of a row."""
BREATH = 64
"""Rows that are started before replies and steps get their turn."""
Stop = Literal["halted", "interrupted", "detached"]


class Engine:
    """One session of one run. To its carriers it is the `Sink`."""

    def __init__(
        self,
        *,
        arms: Mapping[ArmName, Arm],
        books: Books,
        types: RowTypes,
        settings: Settings,
        arms_of: Callable[[Row], tuple[ArmName, ...]],
        carry: Carry,
        elsewhere: AnswersElsewhere | None = None,
    ) -> None:
        """Set up.

        Args:
            arms: By name, the one whose rows a display counts first.
            books: Where all is written down.
            types: Validates records.
            settings: Bounds of the session.
            arms_of: Gives the arms on which a row runs.
            carry: Makes the carriers, which tell this engine how errands end.
            elsewhere: Answers of other runs; None: there are none.
        """
        self._books, self._types, self._settings, self._arms_of = books, types, settings, arms_of
        self.counters = Counters()
        self.notes: list[str] = []
        """What the user should hear of now and find in the report."""
        self.ended: Literal["completed"] | Stop = "completed"
        self.halted = ""
        """Why the run was halted."""
        self._tasks = max(max((len(arm.graph.tasks()) for arm in arms.values()), default=1), 1)
        """Tasks of a row, of the arm that has most."""
        self._window = Window(settings)
        self._over = anyio.Event()
        """Set when all rows are done, or the session is to end."""
        self._waits = False
        """Whether nothing is left to do here but to wait for what ends."""
        self.carriers = carry(self)
        self._threads = Threads(self._overrun)
        talks = Talks(books.journal, self._threads, resumed=settings.resumed)
        self._flow = TaskFlow(
            arms=arms,
            books=books,
            settings=settings,
            window=self._window,
            counters=self.counters,
            recorder=Recorder(books),
            talks=talks,
            carriers=self.carriers,
            threads=self._threads,
            elsewhere=elsewhere,
        )
        self._keeper = Keeper(books.journal, self.counters, self._flow.asking.equal, self)
        self._settlement = Settlement(arms, self._flow, talks, self.carriers, AskedBefore(books.journal))
        self._doubts = Doubts(self._settlement.failed, self.halt)

    async def run(self, records: Iterator[Record]) -> None:
        """Run all rows; returns when they are done, or the run is halted, stopped or detached.

        What is halted because nothing can be kept any more may have more in its books than is durable: `keep`.
        """
        async with anyio.create_task_group() as group:
            group.start_soon(self._keeper.run, name="keeper")  # until the last request in flight has ended
            await self._carry_out(records)
            group.cancel_scope.cancel()
        await self.keep()

    async def keep(self) -> None:
        """Make durable what is in the books; where that cannot be done, the run is halted."""
        await self._keeper.keep()

    async def _carry_out(self, records: Iterator[Record]) -> None:
        async with anyio.create_task_group() as group:
            await group.start(self.carriers.run, name="carriers")
            group.start_soon(self._flow.steps.run, name="steps")
            group.start_soon(self._flow.conversing.run, name="tools")
            group.start_soon(self._watch, group.cancel_scope, name="standstill")
            try:
                await self._admit(records)
                while self._window and not self._stopping:
                    await self._next_event()
                if self._settings.resumed:
                    await self._last_batches()
            finally:
                self._over.set()
                self.carriers.stop()
                self._flow.steps.stop()
                self._flow.conversing.stop()
        self._threads.close()

    @property
    def _stopping(self) -> bool:
        return self.ended != "completed"

    @property
    def read_all(self) -> bool:
        """Whether the rows were read to their end."""
        return self._window.read_all

    def stop(self, how: Stop, reason: str = "") -> None:
        """Start nothing any more; what is in flight live ends, batches go on without us."""
        if self._stopping:
            return
        self.ended, self.halted = how, reason
        self.carriers.stop()
        self._flow.steps.stop()
        self._window.changed.ring()

    # Rows in -----------------------------------------------------------------------------------

    async def _admit(self, records: Iterator[Record]) -> None:
        """Take rows into the window as it has room."""
        settings = self._settings
        intake = Intake(
            self._books.journal, self._types, self.counters, settings.limit, settings.only,
            many=settings.window_calls is None,
        )  # fmt: skip
        while not self._stopping:
            self.carriers.gather()
            try:
                rows = await intake.more(records)
            except NotKeptError as error:
                self.halt(error.reason)
                return
            if rows is None:
                self._window.end_rows()
                await self._end_gathering()
                return
            for index, row in enumerate(rows):
                if self._is_full():
                    await self._room()
                if self._stopping:
                    return
                self._flow.start(row, self._arms_of(row))
                if index % BREATH == BREATH - 1:
                    await anyio.lowlevel.checkpoint()

    async def _room(self) -> None:
        """Return when the window has room for a row, or the run is stopped."""
        while not self._stopping and self._is_full():
            await self._end_gathering()
            await self._next_event()
            self.carriers.gather()

    def _is_full(self) -> bool:
        return self._window.is_full(self.carriers.live.queued, len(self._doubts))

    async def _end_gathering(self) -> None:
        """Send what was gathered: no more rows come for now. What agents behind steps show is waited for a moment."""
        if self.carriers.gathers():
            with anyio.move_on_after(STEPS_S):
                while self._flow.steps.at_work and not self._stopping:
                    await self._next_event()
        self.carriers.end_gathering()

    async def _next_event(self) -> None:
        self._waits = True
        try:
            await self._wait()
        finally:
            self._waits = False

    async def _wait(self) -> None:
        """Wait until something ended; with `detach`, also look whether all is submitted."""
        if self._flow.waits_in_packs_alone() or (self._settings.detach and not self._flow.works_here()):
            self._flow.asking.packs.send()
        if not self._settings.detach and not self._doubts:
            await self._window.changed.wait()
            return
        with anyio.move_on_after(LOOK_S):
            await self._window.changed.wait()
        if self._doubts and not self._stopping and self._tells_nothing():
            self._doubts.release()
        if not self._settings.detach:
            return
        idle = not self._flow.works_here() and self.carriers.outlive()
        if idle and 0 < len(self._flow.asking) <= self.carriers.in_flight:
            self.stop("detached")

    async def _watch(self, everything: anyio.CancelScope) -> None:
        """Halt a run that would wait for ever, and keep its prefixes warm meanwhile: that is a bug of ours."""
        if await standstill(self._is_still, self._over):
            self.halt(
                f"{len(self._window)} rows wait for {len(self._flow.asking)} requests, of which none is under way: "
                "this is a bug of fanwise, please report it"
            )
            everything.cancel()  # nothing is under way, so nothing is lost

    def _is_still(self) -> bool:
        """Return whether rows are in work and nothing goes on that could bring them on."""
        nothing_goes_on = not self._flow.works_here() and self.carriers.is_idle() and not self._doubts
        return self._waits and not self._stopping and len(self._window) > 0 and nothing_goes_on

    def _tells_nothing(self) -> bool:
        """Return whether nothing goes on that would soon tell if refused requests are to blame; batches take hours."""
        live, waiting = self.carriers.live, self.carriers.live.queued + self.carriers.batches.queued
        more_rows = not self._window.read_all and not self._window.is_full(0, len(self._doubts))
        return not more_rows and not waiting and live.is_idle() and not self._flow.works_here()

    async def _last_batches(self) -> None:
        """Read batches of earlier sessions that no row waits for: what they answered is paid, and is to be known."""
        with anyio.move_on_after(DETACH_S if self._settings.detach else math.inf):
            while self.carriers.open_batches and not self._stopping:
                with anyio.move_on_after(LOOK_S):
                    await self._window.changed.wait()
        if self.carriers.open_batches and self._settings.detach:
            self.stop("detached")

    # What carriers tell and ask ----------------------------------------------------------------

    def replied(self, errand: Errand, attempt: int, reply: Reply) -> bool:
        """Take a reply whose record is kept; returns whether the errand is to go again."""
        self._doubts.answered()
        return self._settlement.replied(errand, attempt, reply)

    def failed(self, errand: Errand, failure: Failure) -> None:
        """Take the final failure of an errand."""
        self._doubts.failed(errand, failure)
        if self._doubts:
            self._window.changed.ring()  # whoever waits looks when that is decided

    def note(self, text: str) -> None:
        """Keep something that the user should hear of."""
        self.notes.append(text)
        log.note(text)

    def halt(self, reason: str) -> None:
        """Stop the run: no request will do."""
        self.stop("halted", reason)

    def _overrun(self) -> None:
        """Halt a run whose steps and tools hang: each that was given up holds a thread."""
        self.halt(
            f"{MOST_ABANDONED} calls of steps and tools have not ended within their time limits and are still at work; "
            "see what they wait for"
        )

    def undone(self, errand: Errand) -> None:
        """Take note that a pack of an earlier session has come to nothing."""
        self._flow.undone(errand)

    def fill_up(self) -> None:
        """Submit what waits to be packed: a batch is about to be filled."""
        self._flow.asking.packs.send()

    def works_here(self) -> bool:
        """Return whether steps or tools are at work, whose tasks will be sent when they are done."""
        return self._flow.works_here()

    def rows_in_work(self) -> int:
        """Return how many rows are in the window."""
        return len(self._window)

    def requests_left(self) -> int:
        """Return how many requests the rows in work may need: each may still need all its tasks."""
        return max(len(self._flow.asking), len(self._window)) * self._tasks

    def expects_more(self) -> bool:
        """Return whether rows are still to come or to be finished."""
        return not self._stopping and (len(self._window) > 0 or not self._window.read_all)
