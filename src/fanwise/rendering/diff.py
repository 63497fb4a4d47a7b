"""What is different between two runs, as people read it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fanwise.ledger.changes import AgentChange, changed_words
from fanwise.ledger.diff import PER_ROW, Diff, Figure

from .words import at_least, money, printable, with_unknown


def show_diff(diff: Diff, console: Console) -> None:
    """Print what is different between two runs."""
    console.print(_figures(diff))
    rise = diff.rise_percent
    if rise is not None:
        console.print(Text(f"a successful row costs {abs(rise):.1f} % {'more' if rise >= 0 else 'less'}"))
    elif diff.before.unknown or diff.after.unknown:
        console.print(Text("how much more a successful row costs is unknown, since the cost of some attempts is"))
    console.print(_agents(diff.agents))
    for line in _instructions(diff.agents):
        console.print(Text(printable(line)))


def _figures(diff: Diff) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("", "before", "after"):
        table.add_column(name)
    for name, (before, after) in diff.figures().items():
        if name == PER_ROW:
            pairs = ((before, diff.before.unknown), (after, diff.after.unknown))
            texts = (at_least(None if figure is None else str(figure), unknown) for figure, unknown in pairs)
            table.add_row(name, *texts)
        else:
            table.add_row(name, _text(before), _text(after))
    return table


def _text(figure: Figure) -> str:
    if figure is None:
        return "not known"
    return f"{figure:.2f}x" if isinstance(figure, float) else str(figure)


def _agents(changes: Iterable[AgentChange]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("agent", "what changed"):
        table.add_column(name, overflow="fold")
    for name in ("calls a row", "before", "after", "difference"):
        table.add_column(name, justify="right")
    for change in changes:
        sign = "+" if change.difference >= 0 else "-"
        table.add_row(
            Text(change.agent),
            ", ".join(_words(change)) or "nothing",
            f"{change.calls_before:.2f} to {change.calls_after:.2f}",
            with_unknown(money(str(change.before)), change.before > 0, change.unknown_before),
            with_unknown(money(str(change.after)), change.after > 0, change.unknown_after),
            f"{sign}{money(str(abs(change.difference)))}" if change.is_known else "unknown",
        )
    return table


def _words(change: AgentChange) -> Iterator[str]:
    """Yield what is different of an agent; of its channel, what it was and is."""
    for name, word in zip(change.changed, changed_words(change.changed), strict=True):
        channels = (" and ".join(channels) for channels in (change.channels_before, change.channels_after))
        yield f"{word} ({' to '.join(channels)})" if name == "channel" else word


def _instructions(changes: Iterable[AgentChange]) -> Iterator[str]:
    """Yield the instructions' lines that differ."""
    for change in changes:
        if change.text:
            yield f"instructions of {change.agent}:"
            yield from (f"  {line}" for line in change.text.splitlines() if not line.startswith("@@"))
