"""Runs over time, as people read them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fanwise.ledger.history import History, PastRun

from .harmless import one_line
from .words import at_least


def show_history(past: History, console: Console, *, labelled: bool) -> None:
    """Print runs, a line each, and what could not be read; with their quality where there were labels."""
    if past.runs:
        console.print(_table(past.runs, labelled=labelled))
    for line in _changes(past.runs):
        console.print(Text(one_line(line)))
    for run in past.unreadable:
        console.print(Text(one_line(f"not read: {run.directory}: {run.reason}")))


def _table(runs: Sequence[PastRun], *, labelled: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("run", "created", "graph", "models"):
        table.add_column(name, overflow="fold")
    quality = ["quality"] if labelled else []
    for name in ("rows", "succeeded", *quality, "per good row", "multiplier", "read", "cost"):
        table.add_column(name, justify="right")
    for run in runs:
        table.add_row(*_cells(run, labelled=labelled))
    return table


def _cells(run: PastRun, *, labelled: bool) -> Iterator[str | Text]:
    yield from (Text(run.directory), str(run.created or "")[:16])
    yield from (Text(one_line(run.graph)), Text(one_line(", ".join(run.models))))
    yield from (f"{run.rows:,}", f"{100 * run.success:.0f} %")
    if labelled:
        yield "none" if run.quality is None else f"{run.quality:.3f}"
    per_row = at_least(run.cost_per_successful_row_usd, run.fanout_attempts_of_unknown_cost)
    yield per_row if run.success else "none succeeded"
    yield "" if run.multiplier_usd is None else f"{run.multiplier_usd:.2f}x"
    yield "unknown" if run.cache_read is None else f"{100 * run.cache_read:.0f} %"
    yield at_least(run.cost_usd, run.attempts_of_unknown_cost) + (" simulated" if run.offline else "")


def _changes(runs: Sequence[PastRun]) -> Iterator[str]:
    """Yield what was changed in which agent, a line each."""
    for run in runs:
        for agent, words in run.changed.items():
            yield f"changed in {run.directory}: {', '.join(words)} of {agent}"
