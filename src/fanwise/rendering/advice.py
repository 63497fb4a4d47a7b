"""Advice on a graph as people read it."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fanwise.ledger.advice import Advice, AdvisedChange, WorkShape
from fanwise.units import usd

from .harmless import one_line


def show_advice(advice: Advice, console: Console) -> None:
    """Print what a graph's work is like, the published rules, and the changes that make it cheaper."""
    rejected = f" ({advice.rejected} set aside)" if advice.rejected else ""
    head = f"ADVICE: nothing was sent or paid; {advice.sampled} of {advice.rows:,} rows{rejected} were carried out by"
    _say(console, f"{head} stand-ins", "bold yellow")
    alone = f", one agent alone {_money(advice.alone)}" if advice.alone is not None else ""
    _say(console, f"forecast ({advice.channel}): {_money(advice.price)}{alone}")
    for line in _shape(advice.shape):
        _say(console, line)
    console.print(_rules(advice))
    for line, style in _changes(advice):
        _say(console, line, style)


def _say(console: Console, text: str, style: str = "") -> None:
    console.print(Text(text, style=style))


def _money(pico: int) -> str:
    return f"${usd(pico):,.4f}"


def _shape(shape: WorkShape) -> Iterator[str]:
    items = f"; once per item of a list: {', '.join(shape.per_item)}" if shape.per_item else ""
    parts = f"{shape.parts} independent part{'s' if shape.parts != 1 else ''}"
    yield f"work: {shape.agents} agents, at most {shape.at_once} at once, {shape.depth} deep, {parts}{items}"
    for name, agents in shape.shared.items():
        yield one_line(f"shared context: {name} ({', '.join(agents)})")
    yield f"sent twice: {shape.twice_share:.0%} of the {shape.sent:,} tokens that the sample's rows send"
    if shape.tokens is not None and shape.usd is not None:
        yield f"against one agent: {shape.tokens:.2f} times the tokens, {shape.usd:.2f} times the dollars"


def _rules(advice: Advice) -> Table:
    table = Table("published", "here", "source", box=None, pad_edge=False, header_style="dim")
    for rule in advice.rules:
        table.add_row(rule.text, rule.own, rule.source)
    return table


def _changes(advice: Advice) -> Iterator[tuple[str, str]]:
    """Yield the lines about changes, each with its style."""
    if advice.unpriced:
        yield f"no price is known of {', '.join(advice.unpriced)}, so no change was planned", "bold red"
    elif not advice.changes:
        yield "no cheaper change was found", "bold"
    for number, change in enumerate(advice.changes, 1):
        yield one_line(f"{number}. {_saving(change)}: {change.text}", 2_000), "bold"
        yield one_line(f"   {change.place}; {change.basis}", 2_000), ""
    if len(advice.changes) > 1:
        yield "each change was planned by itself: savings do not add up", ""


def _saving(change: AdvisedChange) -> str:
    share = change.saved / change.before
    return (
        f"saves {_money(change.saved)} of {_money(change.before)} ({share:.0%}), ${usd(change.saved_per_row):.6f} a row"
    )
