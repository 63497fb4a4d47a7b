"""`fanwise show`: a request again, checked against the hash of what was sent."""

from __future__ import annotations

import json
import sys

import click

from fanwise.studies.show import rendered

from .ending import exit_on_error


@click.command()
@click.argument("directory", metavar="DIR")
@click.argument("row")
@click.argument("task")
@click.option("--side", "arm", type=click.Choice(["fanout", "baseline"]), default="fanout", show_default=True)
def show(directory: str, row: str, task: str, arm: str) -> None:
    """Print what TASK (such as `draft` or `research[2]`) of ROW (its id) was shown.

    Nothing of a request is stored: it is rendered again from the rows file, the graph and the
    answers in the journal, and checked against the hash of what was sent. Exit status 1 when
    it is not the same any more.
    """
    with exit_on_error():
        found = rendered(directory, row, task, arm)
        click.echo(json.dumps(found.body, indent=2, ensure_ascii=False))
        for attempt in found.attempts:
            click.echo(
                f"attempt {attempt.number}: {'the same request' if attempt.same else 'NOT the same request any more'}",
                err=True,
            )
        if found.answer is not None:
            click.echo(f"answer: {found.answer}", err=True)
        sys.exit(0 if all(attempt.same for attempt in found.attempts) else 1)
