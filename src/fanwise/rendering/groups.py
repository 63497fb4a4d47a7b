"""The ledger by whatever was asked, as a table for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fanwise.ledger.by import Group
from fanwise.units import usd_text

from .terminal import known, money, printable

MOST_GROUPS = 50


def show_groups(names: Sequence[str], groups: Iterable[Group], console: Console) -> None:
    """Print the ledger in groups, the dearest first."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        table.add_column(name, overflow="fold")
    for name in ("attempts", "failed", "lost", "in", "written", "read", "out", "cost"):
        table.add_column(name, justify="right")
    count = 0
    for count, one in enumerate(groups, 1):
        if count > MOST_GROUPS:
            continue
        usage = one.usage
        written = usage.cache_write_5m + usage.cache_write_1h
        numbers = (one.attempts, one.failed, one.lost, usage.input, written, usage.cache_read, usage.output)
        table.add_row(
            *(Text(printable(str(name))) for name in one.names), *(f"{number:,}" for number in numbers),
            known(money(usd_text(one.cost)), one.cost, one.unknown),
        )  # fmt: skip
    console.print(table)
    if count > MOST_GROUPS:
        console.print(f"and {count - MOST_GROUPS:,} more; --json prints all")
