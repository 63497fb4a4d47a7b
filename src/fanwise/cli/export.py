"""`fanwise export`: the account as tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from fanwise.errors import UsageError
from fanwise.job.directory import reading
from fanwise.journal.meta import check_begun
from fanwise.ledger.summary import summary
from fanwise.rendering.export import column_lines
from fanwise.rendering.export import export as write_tables

from .command import Command
from .saying import echo


@click.command(cls=Command)
@click.argument("directory", metavar="DIR", required=False)
@click.option("--to", "form", type=click.Choice(["csv", "jsonl", "parquet"]), default="csv", show_default=True)
@click.option("--out", metavar="FOLDER", default=None, help="Where the files are written. [default: DIR/export]")
@click.option("--columns", is_flag=True, help="Print what every column means, and nothing else.")
def export(directory: str | None, form: Any, out: str | None, columns: bool) -> None:
    """Write attempts, tasks, rows and totals of the run in DIR, one file each."""
    if columns:
        echo("\n".join(column_lines()))
        return
    if directory is None:
        raise UsageError("DIR: nothing is given; name a run directory")
    with reading(directory) as journal:
        check_begun(journal)
        folder = Path(out) if out is not None else Path(directory) / "export"
        if out is None and folder.is_symlink():
            raise UsageError(f"{folder} is a link, which no run makes: name the folder by --out")
        for path, count in write_tables(journal.db, summary(journal.db), folder, form):
            echo(f"{path}: {count:,} records", err=True)
