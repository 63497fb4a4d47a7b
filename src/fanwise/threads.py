"""Users' functions at work: on threads that can be given up, each for so long and no longer.

A thread cannot be ended from outside. One whose function overruns is left to itself: nobody waits for it, its place
is free, and it does not keep the process alive.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from contextvars import Context, copy_context
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

import anyio
import anyio.from_thread
import anyio.lowlevel

from .foreign import let_through

T = TypeVar("T")
DEFAULT_TIME_LIMIT_S = 600.0
"""Seconds that a step or a tool may take that does not say otherwise."""
MOST_ABANDONED = 100
"""Functions that may overrun and still be at work, before a run ends."""


class UsersCodeError(Exception):
    """A function of the user's has raised; the cause is what it raised, of whatever kind."""

    def __init__(self, raised: BaseException) -> None:
        super().__init__(type(raised).__name__)
        self.raised = raised


@dataclass(slots=True, eq=False, kw_only=True)
class _Call(Generic[T]):
    """One call of a function on its way."""

    function: Callable[[], T]
    context: Context
    ended: anyio.Event
    loop: Any
    """The token of the loop that waits."""
    value: Any = None
    raised: BaseException | None = None

    def carry_out(self) -> None:
        """Call the function, on the thread that this runs on."""
        try:
            self.value = self.context.run(self.function)
        except BaseException as error:
            self.raised = error


class Threads:
    """Calls functions on threads of its own; used by one event loop."""

    def __init__(self, overrun: Callable[[], None] = lambda: None) -> None:
        """Begin without a thread.

        Args:
            overrun: Told when so many functions have overrun that the run is to end.
        """
        self._overrun = overrun
        self._idle: list[_Worker] = []
        self._abandoned: list[_Worker] = []
        """Those whose functions have overrun, and may still be at work."""

    async def call(self, function: Callable[[], T], limit_s: float) -> T:
        """Return what a function returns.

        Args:
            function: Takes nothing.
            limit_s: Seconds that it may take.

        Raises:
            UsersCodeError: It has raised.
            TimeoutError: It has overrun; it is left to itself.
        """
        worker = self._idle.pop() if self._idle else _Worker()
        call = _Call(
            function=function, context=copy_context(), ended=anyio.Event(), loop=anyio.lowlevel.current_token()
        )
        worker.calls.put(call)
        try:
            with anyio.fail_after(limit_s):
                await call.ended.wait()
        except BaseException:
            if call.ended.is_set():
                self._idle.append(worker)
            else:
                worker.calls.put(None)  # it ends behind its function
                self._abandon(worker)
            raise
        self._idle.append(worker)
        if call.raised is not None:
            raise UsersCodeError(call.raised)
        return call.value

    def _abandon(self, worker: _Worker) -> None:
        self._abandoned = [thread for thread in (*self._abandoned, worker) if thread.is_alive()]
        if len(self._abandoned) >= MOST_ABANDONED:
            self._overrun()

    def close(self) -> None:
        """Let the threads end that have nothing to do."""
        while self._idle:
            self._idle.pop().calls.put(None)


class _Worker(threading.Thread):
    """A thread that calls one function after another, until it is given None."""

    def __init__(self) -> None:
        super().__init__(name="fanwise, users' functions", daemon=True)
        self.calls: SimpleQueue[_Call[Any] | None] = SimpleQueue()
        self.start()

    def run(self) -> None:
        while (call := self.calls.get()) is not None:
            call.carry_out()
            try:
                anyio.from_thread.run_sync(call.ended.set, token=call.loop)
            except Exception:  # the loop has ended: nobody waits
                return
            del call


async def awaited(function: Callable[[], Awaitable[T]], limit_s: float) -> T:
    """Return what an asynchronous function of the user's returns.

    Args:
        function: Takes nothing.
        limit_s: Seconds that it may take.

    Raises:
        UsersCodeError: It has raised.
        TimeoutError: It has overrun, and was cancelled.
    """
    with anyio.fail_after(limit_s):
        try:
            return await function()
        except BaseException as error:
            let_through(error)
            is_cancelled = isinstance(error, anyio.get_cancelled_exc_class())
            if is_cancelled and anyio.current_effective_deadline() <= anyio.current_time():
                raise  # by us: at its limit, or the run ends
            raise UsersCodeError(error) from None
