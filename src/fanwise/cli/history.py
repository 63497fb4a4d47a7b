"""`fanwise history`: runs beside each other, the oldest first."""

from __future__ import annotations

import click

from fanwise.rendering.console import standard_output
from fanwise.rendering.history import show_history
from fanwise.studies import history as study

from .command import Command
from .saying import echo_json


@click.command(cls=Command)
@click.argument("folders", metavar="FOLDER...", nargs=-1)
@click.option("--labels", metavar="FIELD|FILE", default=None, help="What is right, as for `compare`.")
@click.option("--score", metavar="FILE.py:FUNCTION", default=None, help="As for `compare`; needs --graph.")
@click.option("--graph", metavar="FILE.py:NAME", default=None, help="What the runs are of, for --score.")
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for each run.")
def history(folders: tuple[str, ...], labels: str | None, score: str | None, graph: str | None, as_json: bool) -> None:
    """Show the runs in folders, or run directories themselves, over time.

    Price of a good row, multiplier, cache reads and success; the models; what changed in which agent since
    the run of the same graph before; with --labels how right they were. What cannot be read is listed behind
    them with the reason, with --json under `unreadable`.

    No graph is imported but that of --graph: a scorer is given its objects.
    """
    past = study.history(*folders, labels=labels, score=score, graph=graph)
    if as_json:
        for run in (*past.runs, *past.unreadable):
            echo_json(run.data())
    else:
        show_history(past, standard_output(), labelled=labels is not None)
