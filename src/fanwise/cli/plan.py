"""`fanwise plan`: what a job will cost."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from fanwise.planning import Plan
from fanwise.planning import plan as make
from fanwise.units import usd, usd_text

from .common import told


@click.command()
@click.argument("graph")
@click.option("--rows", required=True, metavar="FILE", help="JSONL, CSV or Parquet.")
@click.option("--format", "form", type=click.Choice(["jsonl", "csv", "parquet"]), default=None, help="Their format.")
@click.option(
    "--simulate", type=click.IntRange(1), default=20, show_default=True, help="Rows that stand-ins carry out."
)
@click.option("--id", "id_field", metavar="FIELD", default=None, help="Field with the row's id.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
def plan(graph: str, rows: str, form: str | None, simulate: int, id_field: str | None, as_json: bool) -> None:
    """Tell what GRAPH over the rows will cost, for each channel, with a single agent beside it.

    Nothing is sent or paid: some rows are carried out by the agents' stand-ins on an emulator.
    Their outputs stand for the model's; the worst case counts every answer at its cap.
    """
    with told():
        made = make(graph, rows, form=form, sample=simulate, id_field=id_field)
        if as_json:
            click.echo(json.dumps(data(made), indent=2))
        else:
            show(made, Console(width=None if sys.stdout.isatty() else 120))


def data(made: Plan) -> dict[str, Any]:
    """Return a plan as JSON-ready data, money as decimal strings of dollars."""
    return {
        "simulated": True,
        "rows": made.rows,
        "rejected": made.rejected,
        "sampled": made.sampled,
        "agents": [dataclasses.asdict(one) for one in made.agents],
        "prices": [
            {
                "channel": one.channel, "side": one.side, "expected_usd": usd_text(one.expected),
                "worst_usd": usd_text(one.worst),
            }
            for one in made.prices
        ],
    }  # fmt: skip


def show(made: Plan, console: Console) -> None:
    """Print a plan."""
    aside = f" ({made.rejected} set aside)" if made.rejected else ""
    console.print(
        f"PLAN: nothing was sent or paid; {made.sampled} of {made.rows:,} rows{aside} were carried out by stand-ins, "
        "whose outputs stand for the model's",
        style="bold yellow",
        highlight=False,
    )
    table = Table("channel", "side", "expected", "worst case", box=None, pad_edge=False, header_style="dim")
    for one in made.prices:
        table.add_row(one.channel, one.side, f"${usd(one.expected):,.4f}", f"${usd(one.worst):,.4f}")
    console.print(table)
    names = ("channel", "agent", "model", "calls", "in", "written", "read", "out")
    calls = Table(*names, box=None, pad_edge=False, header_style="dim")
    for column in calls.columns[3:]:
        column.justify = "right"
    for one in made.agents:
        written = one.usage.cache_write_5m + one.usage.cache_write_1h
        counts = (one.calls, one.usage.input, written, one.usage.cache_read, one.usage.output)
        calls.add_row(one.channel, one.agent, one.model, *(f"{count:,}" for count in counts))
    console.print(calls)
