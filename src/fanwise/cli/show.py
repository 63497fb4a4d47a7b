"""`fanwise show`: a request again, checked against the hash of what was sent; or before any run."""

from __future__ import annotations

import sys
from typing import Any

import click

from fanwise.errors import UsageError
from fanwise.rendering.harmless import one_line
from fanwise.rendering.request import request_text, settings_line
from fanwise.studies.preview import preview
from fanwise.studies.show import rendered

from .command import Command
from .options import job_option, named_baseline, named_graph, option_names
from .saying import echo, echo_json

CHECKED = {
    True: "the same request",
    False: "NOT the same request any more",
    None: "not checked: not all of its request was kept",
}

_OF_ROWS = option_names("format", "encoding", "id_field", "schemas")
OTHER_FORM = ": the run began with an earlier fanwise, whose requests had another form"


@click.command(cls=Command)
@click.argument("target", metavar="DIR|GRAPH")
@click.argument("row", required=False)
@click.argument("task", required=False)
@job_option("rows", default=None, help="Show requests of GRAPH over these rows, before any run.")
@job_option("format", help="Their format.")
@job_option("encoding")
@job_option("id_field", help="Field with the row's id.")
@job_option("schemas", help="As in `fanwise run`.")
@click.option("--side", "arm", type=click.Choice(["fanout", "baseline"]), default="fanout", show_default=True)
@click.option(
    "--text", "as_text", is_flag=True, help="Print the texts as the model reads them; what --rows does anyway."
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print each request as a line of JSON; what DIR does anyway, indented."
)
@named_graph
@named_baseline
def show(target: str, row: str | None, task: str | None, **options: Any) -> None:
    """Print what TASK (such as `draft` or `research[2]`) of ROW (its id) of a run was shown, or would be.

    Of a run, DIR: nothing of a request is stored: it is rendered again from the rows file, the graph and the
    answers in the journal, and checked against the hash of what was sent. Exit status 1 when
    it is not the same any more. The graph is imported where it lies under the current directory;
    any other is named by --graph. Why an answer was refused is not kept: what says so is not checked.

    Before any run, GRAPH --rows FILE: nothing is sent. The first row without ROW; without TASK each task that needs
    no answer of an agent. What a later one shows of tasks before it is what their stand-ins answer, which is said.
    """
    if options["rows"] is not None:
        _before_a_run(target, row, task, options)
        return
    needless = [option for field, option in _OF_ROWS.items() if options[field] is not None]
    if needless:
        raise UsageError(f"{', '.join(needless)}: only for a graph before a run, which is named with --rows FILE")
    if row is None or task is None:
        raise click.UsageError("name ROW and TASK of a run; or, before any run, a graph with --rows FILE")
    _of_a_run(target, row, task, options)


def _before_a_run(target: str, row: str | None, task: str | None, options: dict[str, Any]) -> None:
    """Print requests that a run would send."""
    if options["graph"] is not None:
        raise UsageError("--graph is for a run directory; with --rows the graph is the first argument")
    fields = {name: options[name] for name in (*_OF_ROWS, "baseline")}
    chosen = {name: value for name, value in fields.items() if value is not None}
    previews = preview(target, options["rows"], row, task, side=options["arm"], **chosen)
    for number, request in enumerate(previews):
        after = f", with what stand-ins answer for {', '.join(request.after)}" if request.after else ""
        echo(f"{request.task} of row {request.row}, as it would be sent{after}", err=True)
        if options["as_json"]:
            echo_json(request.body)
        else:
            gap = "\n" if number else ""
            echo(f"{gap}{request.task}: {settings_line(request.body)}\n\n{request_text(request.body)}")


def _of_a_run(directory: str, row: str, task: str, options: dict[str, Any]) -> None:
    """Print a request of a run, and whether it is the one that was sent."""
    request = rendered(directory, row, task, options["arm"], graph=options["graph"], baseline=options["baseline"])
    if options["as_text"]:
        echo(request_text(request.body))
    else:
        echo_json(request.body, 2)
    for attempt in request.attempts:
        why = OTHER_FORM if request.has_another_form and attempt.is_unchanged is False else ""
        words = CHECKED[attempt.is_unchanged]
        if attempt.taken:
            words = f"taken of {one_line(attempt.taken)}, {words}"
        if attempt.served:
            words = f"served by that of {attempt.served}" + (f", {words}" if attempt.is_unchanged is not None else "")
        echo(f"attempt {attempt.number}: {words}{why}", err=True)
    if request.answer is not None:
        echo(f"answer: {request.answer}", err=True)
    sys.exit(1 if any(attempt.is_unchanged is False for attempt in request.attempts) else 0)
