"""`fanwise diff`: two runs, what was changed between them, and what that did to the bill."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fanwise.job.directory import reading
from fanwise.ledger.changes import WORDS, AgentChange, changes
from fanwise.ledger.summary import read_share, summary
from fanwise.rendering.terminal import money, printable

from .common import OK, told

ABOVE = 1


@click.command()
@click.argument("before", metavar="RUN_A")
@click.argument("after", metavar="RUN_B")
@click.option(
    "--fail-above", type=float, metavar="PERCENT", default=None,
    help="End with status 1 where a successful row costs so much more in RUN_B.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def diff(before: str, after: str, fail_above: float | None, as_json: bool) -> None:
    """Tell what changed between two runs, agent by agent, and what it did to the price of a successful row.

    Exit status: 0, or 1 where the price rose by more than --fail-above, 2 something is wrong with the call.
    """
    with told():
        with reading(before) as one, reading(after) as two:
            sums, found = (summary(one.db), summary(two.db)), changes(one.db, two.db)
        rise = _rise(*sums)
        if as_json:
            figures = {name: [read(each) for each in sums] for name, read in FIGURES.items()}
            agents = [change.data() for change in found]
            percent = None if rise is None else float(round(rise, 6))
            click.echo(json.dumps({"rise_percent": percent, "figures": figures, "agents": agents}, indent=2))
        else:
            _show(sums, found, rise)
        sys.exit(ABOVE if fail_above is not None and (rise is None or rise > Decimal(str(fail_above))) else OK)


def _rows(one: dict[str, Any]) -> str:
    rows = one["rows"]
    return f"{rows['succeeded']:,} of {rows['read']:,} succeeded"


def _per_row(one: dict[str, Any]) -> str | None:
    return one["cost_per_successful_row_usd"]


def _times(kind: str) -> Any:
    def read(one: dict[str, Any]) -> float | None:
        return None if one["multiplier"] is None else one["multiplier"][kind]["mean"]

    return read


def _reads(one: dict[str, Any]) -> str:
    return f"{100 * read_share(one['tokens']['fanout']):.0f} %"


def _retried(one: dict[str, Any]) -> int:
    return one["attempts"]["fanout"]["retried"]


def _failed(one: dict[str, Any]) -> int:
    return sum(one["failed_tasks"].values())


FIGURES: dict[str, Any] = {
    "rows": _rows,
    "per successful row": _per_row,
    "multiplier in tokens": _times("tokens"),
    "multiplier in dollars": _times("usd"),
    "input read from the cache": _reads,
    "retried": _retried,
    "failed tasks": _failed,
}


def _rise(one: dict[str, Any], two: dict[str, Any]) -> Decimal | None:
    """Return by how many percent a successful row costs more; None where that is not known."""
    before, after = _per_row(one), _per_row(two)
    if before is None or after is None or not Decimal(before):
        return None
    return (Decimal(after) / Decimal(before) - 1) * 100


def _show(sums: tuple[dict[str, Any], ...], found: list[AgentChange], rise: Decimal | None) -> None:
    console = Console(width=None if sys.stdout.isatty() else 120)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("", "before", "after"):
        table.add_column(name)
    for name, read in FIGURES.items():
        values = [read(one) for one in sums]
        table.add_row(name, *(_value(name, value) for value in values))
    console.print(table)
    if rise is not None:
        console.print(Text(f"a successful row costs {abs(rise):.1f} % {'more' if rise >= 0 else 'less'}"))
    agents = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("agent", "what changed"):
        agents.add_column(name, overflow="fold")
    for name in ("calls a row", "before", "after", "difference"):
        agents.add_column(name, justify="right")
    for one in found:
        calls = f"{one.calls_before:.2f} to {one.calls_after:.2f}"
        sign = "+" if one.difference >= 0 else "-"
        agents.add_row(
            Text(one.agent), ", ".join(WORDS.get(name, name) for name in one.changed) or "nothing", calls,
            money(str(one.before)), money(str(one.after)), f"{sign}{money(str(abs(one.difference)))}",
        )  # fmt: skip
    console.print(agents)
    for line in _texts(found):
        console.print(Text(printable(line)))


def _value(name: str, value: Any) -> str:
    if value is None:
        return "not known"
    if name == "per successful row":
        return money(value)
    return f"{value:.2f}x" if isinstance(value, float) else str(value)


def _texts(found: list[AgentChange]) -> Iterator[str]:
    """Yield the instructions' lines that differ."""
    for one in found:
        if one.text:
            yield f"instructions of {one.agent}:"
            yield from (f"  {line}" for line in one.text.splitlines() if not line.startswith("@@"))
