"""`fanwise purge`: keep the account, forget the content."""

from __future__ import annotations

import click

from fanwise.job.purge import purge_content
from fanwise.rendering.harmless import one_line

from .command import Command
from .saying import echo


@click.command(cls=Command)
@click.argument("directory", metavar="DIR")
@click.option(
    "--content", is_flag=True, required=True, help="Forget blocks, values, outputs, rejected rows and error texts."
)
def purge(directory: str, content: bool) -> None:
    """Remove all content from DIR; rows, attempts, tokens and money stay."""
    purged = purge_content(directory)
    for path in purged.left:
        echo(f"left as it is, since no run has written it: {one_line(path)}", err=True)
    echo(f"removed the content of {purged.records} records; {directory} keeps the account only", err=True)
    echo("tables and pages that --out has put elsewhere are yours to remove", err=True)
