"""`fanwise advise`: what to change in a graph so that it costs less."""

from __future__ import annotations

from typing import Any

import click

from fanwise.rendering.advice import show_advice
from fanwise.rendering.console import standard_output
from fanwise.studies.advice import advise as study

from .command import Command
from .options import WholeNumber, chosen, graph_argument, job_option
from .saying import echo_json


@click.command(cls=Command)
@graph_argument
@job_option("rows", required=True, help="JSONL, CSV or Parquet.")
@job_option("format", help="Their format.")
@job_option("encoding")
@click.option(
    "--simulate",
    type=WholeNumber(1),
    default=study.SIMULATED,
    show_default=True,
    help="Rows that stand-ins carry out for each plan.",
)
@job_option("id_field", help="Field with the row's id.")
@job_option("limit")
@job_option("channel", default="auto", help="The channel that is planned for.")
@job_option("schemas", default="auto", help="As in `fanwise run`.")
@job_option("reuse", default=True, help="As in `fanwise run`; each row is priced by itself all the same.")
@click.option("--json", "as_json", is_flag=True, help="Print the advice as JSON.")
def advise(simulate: int, as_json: bool, **options: Any) -> None:
    """Tell whether the work of GRAPH decomposes, and which change would make it cheaper, by forecast.

    Nothing is sent or paid. Each saving is the difference of two plans, as `fanwise plan` makes them:
    of the graph as it is, and of the graph with the change. Cheaper models are not among the changes.
    """
    advice = study.advise(simulate=simulate, **chosen(options))
    if as_json:
        echo_json(advice.data(), 2)
    else:
        show_advice(advice, standard_output())
