"""The progress of a run on standard error: a line that changes on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time

import anyio
from rich.console import Console
from rich.live import Live
from rich.text import Text

from fanwise.job.watcher import Watcher
from fanwise.units import usd

TERMINAL_S = 0.25
PLAIN_S = 10.0


async def display(watcher: Watcher, console: Console) -> None:
    """Show a run until it is cancelled; what was noted is said in any case."""
    said = [0, 0]
    try:
        await _display(watcher, console, said)
    finally:
        _notes(watcher, console, said)


async def _display(watcher: Watcher, console: Console, said: list[int]) -> None:
    started = printed = time.monotonic()
    if not console.is_terminal:
        while True:
            await anyio.sleep(TERMINAL_S)
            _notes(watcher, console, said)
            if watcher.engine is not None and time.monotonic() - printed >= PLAIN_S:
                printed = time.monotonic()
                console.print(line(watcher, printed - started), highlight=False, soft_wrap=True)
    with Live(console=console, transient=True, refresh_per_second=4) as live:
        while True:
            _notes(watcher, console, said)
            live.update(Text(line(watcher, time.monotonic() - started)))
            await anyio.sleep(TERMINAL_S)


def _notes(watcher: Watcher, console: Console, said: list[int]) -> None:
    engine = watcher.engine
    for index, notes in enumerate((watcher.notes, engine.notes if engine is not None else [])):
        for note in notes[said[index] :]:
            console.print(f"fanwise: {note}", highlight=False, markup=False, soft_wrap=True)
        said[index] = len(notes)


def line(watcher: Watcher, elapsed_s: float) -> str:
    """Return one line about a run: rows, calls, batches, spend, cache reads, time left."""
    engine = watcher.engine
    if engine is None:
        return "starting"
    counters = engine.counters
    total = "" if watcher.rows is None else f"/{max(watcher.rows, counters.read)}"
    parts = [f"{counters.finished}{total} rows", f"{watcher.calls} calls"]
    if counters.failed or counters.rejected:
        parts[0] += f" ({counters.failed} failed, {counters.rejected} set aside)"
    if counters.remembered:
        parts.append(f"{counters.remembered} answers known")
    batches = engine.carriers.batches
    if batches.open_batches:
        parts.append(f"{batches.open_batches} batches with {batches.in_flight} requests")
    parts.append(f"${usd(watcher.cost):.4f}{' simulated' if watcher.offline else ''}")
    parts.append(f"{watcher.read_tokens:,} tokens read from the cache")
    done = counters.finished + counters.rejected
    if watcher.rows and done and done < watcher.rows:
        left = elapsed_s / done * (watcher.rows - done)
        parts.append(f"about {left:.0f} s left")
    return ", ".join(parts)
