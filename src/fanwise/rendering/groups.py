"""The ledger by whatever was asked, as a table for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fanwise.ledger.by import Group
from fanwise.units import usd_text

from .harmless import one_line
from .words import money, token_cells, with_unknown

MOST_GROUPS = 50


def show_groups(dimensions: Sequence[str], groups: Iterable[Group], console: Console) -> None:
    """Print the ledger in groups, in their order."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in dimensions:
        table.add_column(name, overflow="fold")
    for name in ("attempts", "failed", "lost", "in", "written", "read", "out", "cost"):
        table.add_column(name, justify="right")
    count = 0
    for count, group in enumerate(groups, 1):  # there may be as many as attempts: the rest is only counted
        if count <= MOST_GROUPS:
            table.add_row(*_cells(group))
    console.print(table)
    if count > MOST_GROUPS:
        console.print(f"and {count - MOST_GROUPS:,} more; --json prints all")


def _cells(group: Group) -> list[str | Text]:
    return [
        *(Text(one_line(str(name))) for name in group.names),
        *(f"{number:,}" for number in (group.attempts, group.failed, group.lost)),
        *token_cells(group.usage, group.unknown),
        with_unknown(money(usd_text(group.cost)), group.cost, group.unknown),
    ]
