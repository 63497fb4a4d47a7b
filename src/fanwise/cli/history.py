"""`fanwise history`: runs beside each other, the oldest first."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fanwise.errors import UsageError
from fanwise.ledger.summary import read_share
from fanwise.report.terminal import money

from .common import told


@click.command()
@click.argument("places", metavar="FOLDER...", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for each run.")
def history(places: tuple[str, ...], as_json: bool) -> None:
    """Show the runs in folders, or run directories themselves: price, multiplier, cache reads, success over time."""
    with told():
        found = sorted(_summaries(places or (".",)), key=lambda one: str(one[1].get("created") or ""))
        if not found:
            raise UsageError(f"there is no run in {', '.join(places) or 'this folder'}: none has a summary.json")
        if as_json:
            for path, one in found:
                click.echo(json.dumps({"directory": str(path), **_figures(one)}))
            return
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in ("run", "created", "graph", "rows"):
            table.add_column(name, overflow="fold")
        for name in ("succeeded", "per good row", "multiplier", "read", "cost"):
            table.add_column(name, justify="right")
        for path, one in found:
            row = _figures(one)
            times = "" if row["multiplier_usd"] is None else f"{row['multiplier_usd']:.2f}x"
            table.add_row(
                Text(str(path)), str(row["created"] or "")[:16], Text(str(row["graph"] or "").rpartition(":")[2]),
                f"{row['rows']:,}", f"{100 * row['success']:.0f} %", money(row["cost_per_successful_row_usd"]), times,
                f"{100 * row['cache_read']:.0f} %", money(row["cost_usd"]) + (" simulated" if row["offline"] else ""),
            )  # fmt: skip
        Console(width=None if sys.stdout.isatty() else 120).print(table)


def _summaries(places: Iterable[str]) -> Iterator[tuple[Path, dict[str, Any]]]:
    for place in places:
        folder = Path(place)
        if not folder.is_dir():
            raise UsageError(f"there is no folder {place!r}")
        for file in (folder / "summary.json", *sorted(folder.glob("*/summary.json"))):
            if (file.parent / "journal.db").is_file() and file.is_file():
                yield file.parent, json.loads(file.read_text(encoding="utf-8"))


def _figures(one: dict[str, Any]) -> dict[str, Any]:
    tokens, rows = one["tokens"]["fanout"], one["rows"]
    times = one["multiplier"]
    return {
        "created": one.get("created"), "graph": one["graph"], "rows": rows["read"],
        "success": rows["succeeded"] / max(rows["read"], 1), "cache_read": read_share(tokens),
        "cost_per_successful_row_usd": one["cost_per_successful_row_usd"], "cost_usd": one["cost_usd"],
        "multiplier_tokens": None if times is None else times["tokens"]["mean"],
        "multiplier_usd": None if times is None else times["usd"]["mean"], "offline": one["offline"],
    }  # fmt: skip
