"""What is different between two runs, as people read it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fanwise.ledger.changes import AgentChange, changed_words
from fanwise.ledger.diff import PER_ROW, Diff, Figure

from .harmless import one_line
from .words import at_least, money, with_unknown


def show_diff(diff: Diff, console: Console) -> None:
    """Print what is different between two runs."""
    console.print(_figures(diff))
    rise = diff.rise_percent
    if rise is not None:
        console.print(Text(f"a successful row costs {abs(rise):.1f} % {'more' if rise >= 0 else 'less'}"))
    else:
        console.print(Text(f"how much more a successful row costs is unknown: {diff.why_no_rise}"))
    console.print(_agents(diff.agents))
    for line in _instructions(diff.agents):
        console.print(Text(one_line(line)))


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
        before = _price(change.before, change.unknown_before, change.calls_before)
        after = _price(change.after, change.unknown_after, change.calls_after)
        calls = (_calls(change.calls_before), _calls(change.calls_after))
        words = ", ".join(_words(change)) or "nothing"
        table.add_row(Text(change.agent), words, " to ".join(calls), before, after, _difference(change))
    return table


def _calls(calls: Decimal | None) -> str:
    return "unknown" if calls is None else f"{calls:.2f}"


def _price(dollars: Decimal | None, unknown: int, calls: Decimal | None) -> str:
    """Return what an agent cost for each successful row; of one that was not asked nothing is known."""
    if dollars is None:
        return "not asked" if calls == 0 else "unknown"
    return with_unknown(money(str(dollars)), dollars > 0, unknown)


def _difference(change: AgentChange) -> str:
    if change.difference is None or not change.is_known:
        return "unknown"
    return f"{'+' if change.difference >= 0 else '-'}{money(str(abs(change.difference)))}"


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
