"""`fanwise show`: a request again, checked against the hash of what was sent."""

from __future__ import annotations

import sys

import click

from fanwise.rendering.request import request_text
from fanwise.studies.show import rendered

from .command import Command
from .options import named_baseline, named_graph
from .saying import echo, echo_json

CHECKED = {
    True: "the same request",
    False: "NOT the same request any more",
    None: "not checked: not all of its request was kept",
}

OTHER_FORM = ": the run began with an earlier fanwise, whose requests had another form"


@click.command(cls=Command)
@click.argument("directory", metavar="DIR")
@click.argument("row")
@click.argument("task")
@click.option("--side", "arm", type=click.Choice(["fanout", "baseline"]), default="fanout", show_default=True)
@click.option(
    "--text", "as_text", is_flag=True, help="Print the texts as the model reads them, not the request as JSON."
)
@named_graph
@named_baseline
def show(directory: str, row: str, task: str, arm: str, as_text: bool, graph: str | None, baseline: str | None) -> None:
    """Print what TASK (such as `draft` or `research[2]`) of ROW (its id) was shown.

    Nothing of a request is stored: it is rendered again from the rows file, the graph and the
    answers in the journal, and checked against the hash of what was sent. Exit status 1 when
    it is not the same any more. The graph is imported where it lies under the current directory;
    any other is named by --graph. Why an answer was refused is not kept: what says so is not checked.
    """
    request = rendered(directory, row, task, arm, graph=graph, baseline=baseline)
    if as_text:
        echo(request_text(request.body))
    else:
        echo_json(request.body, 2)
    for attempt in request.attempts:
        why = OTHER_FORM if request.has_another_form and attempt.is_unchanged is False else ""
        echo(f"attempt {attempt.number}: {CHECKED[attempt.is_unchanged]}{why}", err=True)
    if request.answer is not None:
        echo(f"answer: {request.answer}", err=True)
    sys.exit(1 if any(attempt.is_unchanged is False for attempt in request.attempts) else 0)
