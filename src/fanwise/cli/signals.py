"""Signals while a job runs: the first ends it cleanly, the second at once, whatever users' functions do."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import FrameType

import anyio
import click

from fanwise.job.watcher import Watcher

from .ending import BY_SIGNAL

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
"""Signals that end a run: Ctrl-C, a scheduler, a terminal that is closed."""
GRACE_S = 3.0
"""Seconds after the second signal; then the process ends, since something of the user's holds it."""


@dataclass(slots=True, kw_only=True)
class Signals:
    """The signals of one run."""

    out: str
    """The run directory, for the last words."""
    count: int = 0
    number: int = signal.SIGINT
    """The first that came."""
    _over: threading.Event = field(default_factory=threading.Event)

    @property
    def status(self) -> int:
        """The exit status of a process that it has ended."""
        return BY_SIGNAL + self.number

    async def heed(self, watcher: Watcher, scope: anyio.CancelScope) -> None:
        """First signal: start nothing more and end cleanly. Second: stop at once."""
        numbers = _heeded()
        with anyio.open_signal_receiver(*numbers) as signals, self._counted(numbers):
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
        for number in numbers:
            signal.signal(number, self._came)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _came(self, number: int, frame: FrameType | None) -> None:
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
        say(f"stopped at once; go on with: fanwise resume {self.out}")
        os._exit(self.status)


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
        click.echo(f"fanwise: {text}", err=True)
