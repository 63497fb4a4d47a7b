"""Signals while a job runs: the first ends it cleanly, the second at once, whatever users' functions do."""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import AsyncIterator, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import anyio
from anyio.abc import TaskStatus

from fanwise.engine.load import is_loading
from fanwise.foreign import Stopped
from fanwise.job.watcher import Watcher
from fanwise.paths import typed

from .ending import BY_SIGNAL
from .saying import echo

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
"""Signals that end a run: Ctrl-C, a scheduler, a terminal that is closed."""
LOOK_S = 0.1
"""Seconds between two looks for a signal of which the loop does not hear."""
GRACE_S = 3.0
"""Seconds after the second signal; then the process ends, since something of the user's holds it."""


@dataclass(slots=True, kw_only=True)
class Signals:
    """The signals of one run."""

    out: Path
    """The run directory, for the last words."""
    count: int = 0
    number: int = signal.SIGINT
    """The first that came."""
    _over: threading.Event = field(default_factory=threading.Event)

    @property
    def status(self) -> int:
        """The exit status of a process that it has ended."""
        return BY_SIGNAL + self.number

    async def heed(
        self, watcher: Watcher, scope: anyio.CancelScope, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED
    ) -> None:
        """First signal: start nothing more and end cleanly. Second, or before a session has begun: stop at once."""
        numbers = _heeded()
        with heard(*numbers) as signals, self._counted(numbers):
            task_status.started()
            seen = 0
            async for _ in signals:
                seen += 1
                if seen > 1 or watcher.engine is None:
                    scope.cancel()
                    return
                say("ending; requests in flight are awaited, batches go on (press again to stop at once)")
                watcher.engine.stop("interrupted")

    @contextmanager
    def _counted(self, numbers: Sequence[signal.Signals]) -> Generator[None]:
        """Count signals where they come in: a function that holds the loop keeps it from hearing of them."""
        before = {number: signal.getsignal(number) for number in numbers}

        def came(number: int, frame: FrameType | None) -> None:
            self._came(number)
            handler = before[signal.Signals(number)]
            if callable(handler):
                handler(number, frame)
            if self.count == 1 and is_loading(frame):
                raise Stopped

        for number in numbers:
            signal.signal(number, came)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _came(self, number: int) -> None:
        self.count += 1
        if self.count == 1:
            self.number = number
        elif self.count == 2:
            threading.Thread(target=self._end, daemon=True).start()

    def over(self) -> None:
        """Take note that the run has come to its end."""
        self._over.set()

    def _end(self) -> None:
        """End a process that a function of the user's holds; what is in the journal is kept."""
        if self._over.wait(GRACE_S):
            return
        say(f"stopped at once; go on with: fanwise resume {typed(self.out)}")
        os._exit(self.status)


@contextmanager
def heard(*numbers: signal.Signals) -> Generator[AsyncIterator[signal.Signals]]:
    """Yield the signals that come, one by one; where a loop hears of none, as on Windows, they are looked for."""
    try:
        receiver = anyio.open_signal_receiver(*numbers)
        came = receiver.__enter__()
    except NotImplementedError:
        with looked_for(*numbers) as polled:
            yield polled
        return
    try:
        yield came
    finally:
        receiver.__exit__(None, None, None)


@contextmanager
def looked_for(*numbers: signal.Signals) -> Generator[AsyncIterator[signal.Signals]]:
    """Yield the signals that come; Python's own handlers note them, and now and then somebody looks."""
    noted: deque[signal.Signals] = deque()
    before = {number: signal.signal(number, lambda got, _: noted.append(signal.Signals(got))) for number in numbers}

    try:
        yield _Looked(noted)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Looked:
    """What was noted, one by one, as it is found."""

    def __init__(self, noted: deque[signal.Signals]) -> None:
        self._noted = noted

    def __aiter__(self) -> _Looked:
        return self

    async def __anext__(self) -> signal.Signals:
        while not self._noted:  # noqa: ASYNC110 - a handler of a signal cannot set an event of a loop
            await anyio.sleep(LOOK_S)
        return self._noted.popleft()


def _heeded() -> list[signal.Signals]:
    """Return the signals that are to be heeded: a SIGHUP that `nohup` has ignored stays ignored.

    Any other is heeded, though a shell that starts a program in the background lets it ignore Ctrl-C: who sends it
    one means it.
    """
    there = [signal.Signals[name] for name in NAMES if name in signal.Signals.__members__]
    ignored = {number for number in there if signal.getsignal(number) is signal.SIG_IGN}
    return [number for number in there if number.name != "SIGHUP" or number not in ignored]


def say(text: str) -> None:
    """Write a line to standard error; a terminal that was closed takes none."""
    with suppress(OSError, ValueError):
        echo(f"fanwise: {text}", err=True)
