"""`fanwise status`: how far a run is."""

from __future__ import annotations

import json

import click

from fanwise.job.directory import peeking
from fanwise.job.lock import is_held
from fanwise.ledger.status import status as status_of
from fanwise.rendering.status import status_lines

from .command import Command
from .ending import exit_on_error


@click.command(cls=Command)
@click.argument("directory", metavar="DIR")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def status(directory: str, as_json: bool) -> None:
    """Print how far the run in DIR is, whether a process works on it or it is dead. Nothing is touched."""
    with exit_on_error(), peeking(directory) as db:
        run, held = status_of(db), is_held(directory)
        if as_json:
            click.echo(json.dumps({"working": held} | run.data(), indent=2))
        else:
            for line in status_lines(run, directory, held=held):
                click.echo(line)
