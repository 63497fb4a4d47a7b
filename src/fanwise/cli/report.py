"""`fanwise report`: the account of a run."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from fanwise.job.directory import reading
from fanwise.ledger.by import DIMENSIONS, by
from fanwise.ledger.summary import summary
from fanwise.rendering.files import replace_file
from fanwise.rendering.groups import show_groups
from fanwise.rendering.html import page
from fanwise.rendering.terminal import show

from .ending import exit_on_error


@click.command()
@click.argument("directory", metavar="DIR")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.option(
    "--by", "dimensions", metavar="NAMES", help=f"Print the ledger by {', '.join(DIMENSIONS)}; several with commas."
)
@click.option("--html", is_flag=True, help="Write the report as one HTML file, which needs no network.")
@click.option("--out", metavar="FILE", default=None, help="Where --html writes. [default: DIR/report.html]")
def report(directory: str, as_json: bool, dimensions: str | None, html: bool, out: str | None) -> None:
    """Print what the run in DIR cost, against one agent, and what failed."""
    with exit_on_error(), reading(directory) as journal:
        console = Console(width=None if sys.stdout.isatty() else 120)
        if dimensions is not None:
            names = [name.strip() for name in dimensions.split(",")]
            groups = by(journal.db, names)
            if as_json:
                for group in groups:
                    click.echo(json.dumps(group.data(names), ensure_ascii=False))
            else:
                show_groups(names, groups, console)
            return
        data = summary(journal.db) | {"bill_usd": _bill(Path(directory))}
        if html:
            place = Path(out) if out is not None else Path(directory) / "report.html"
            replace_file(place, [page(data, journal.db)])
            click.echo(f"report: {place}", err=True)
        elif as_json:
            click.echo(json.dumps(data, indent=2, ensure_ascii=False))
        else:
            show(data, journal.db, console)


def _bill(directory: Path) -> Any:
    """Return the bill that the last session fetched: it needs the emulator, which is not running."""
    try:
        return json.loads((directory / "summary.json").read_text(encoding="utf-8")).get("bill_usd")
    except (OSError, ValueError):
        return None
