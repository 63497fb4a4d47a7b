"""`fanwise status`: how far a run is."""

from __future__ import annotations

import click

from fanwise.job.directory import peeking
from fanwise.job.lock import is_held
from fanwise.ledger.status import status as status_of
from fanwise.rendering.harmless import one_line
from fanwise.rendering.status import status_lines

from .command import Command
from .saying import echo, echo_json


@click.command(cls=Command)
@click.argument("directory", metavar="DIR")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def status(directory: str, as_json: bool) -> None:
    """Print how far the run in DIR is, whether a process works on it or it is dead. Nothing is touched."""
    with peeking(directory) as db:
        run, held = status_of(db), is_held(directory)
        if as_json:
            echo_json({"working": held} | run.data(), 2)
        else:
            for line in status_lines(run, directory, held=held):
                echo(one_line(line, 3_000))
