"""The progress of a run on standard error: a line that changes on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from contextlib import suppress

import anyio
from rich.console import Console
from rich.live import Live
from rich.text import Text

from fanwise.job.watcher import Watcher
from fanwise.rendering.harmless import one_line
from fanwise.rendering.progress import progress_line

TERMINAL_S = 0.25
PLAIN_S = 10.0


async def display(watcher: Watcher, console: Console) -> None:
    """Show a run until it is cancelled; what was noted is said in any case."""
    notes = _Notes(watcher, console)
    with suppress(OSError):  # a terminal that was closed: the run goes on to a clean end
        try:
            await (_on_a_terminal if console.is_terminal else _elsewhere)(watcher, notes)
        finally:
            notes.print_new()


async def _on_a_terminal(watcher: Watcher, notes: _Notes) -> None:
    """Show one line that changes."""
    started = time.monotonic()
    with Live(console=notes.console, transient=True, refresh_per_second=4) as live:
        while True:
            notes.print_new()
            live.update(Text(_line(watcher, time.monotonic() - started)))
            await anyio.sleep(TERMINAL_S)


async def _elsewhere(watcher: Watcher, notes: _Notes) -> None:
    """Print a line now and then."""
    started = printed = time.monotonic()
    while True:
        await anyio.sleep(TERMINAL_S)
        notes.print_new()
        if watcher.engine is not None and time.monotonic() - printed >= PLAIN_S:
            printed = time.monotonic()
            notes.console.print(_line(watcher, printed - started), highlight=False, soft_wrap=True)


def _line(watcher: Watcher, elapsed_s: float) -> str:
    progress = watcher.progress(elapsed_s)
    return "starting" if progress is None else progress_line(progress)


class _Notes:
    """Prints what a run has noted, each note once."""

    def __init__(self, watcher: Watcher, console: Console) -> None:
        self.console = console
        self._watcher = watcher
        self._printed = [0, 0]

    def print_new(self) -> None:
        """Print what was noted since the last time."""
        engine = self._watcher.engine
        for index, notes in enumerate((self._watcher.notes, engine.notes if engine is not None else [])):
            for note in notes[self._printed[index] :]:
                self.console.print(f"fanwise: {one_line(note, 3_000)}", highlight=False, markup=False, soft_wrap=True)
            self._printed[index] = len(notes)
