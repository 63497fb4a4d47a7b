"""`fanwise plan`: what a job will cost."""

from __future__ import annotations

from typing import Any

import click

from fanwise.rendering.console import standard_output
from fanwise.rendering.forecast import show_forecast
from fanwise.studies.plan import plan as study

from .command import Command
from .consent import asking, threshold
from .options import WholeNumber, Word, chosen, graph_argument, job_option
from .sampled import carry_out_sample
from .saying import echo, echo_json


@click.command(cls=Command)
@graph_argument
@job_option("rows", required=True, help="JSONL, CSV or Parquet.")
@job_option("format", help="Their format.")
@click.option("--simulate", type=WholeNumber(1), default=20, show_default=True, help="Rows that stand-ins carry out.")
@job_option("id_field", help="Field with the row's id.")
@job_option("limit")
@job_option("schemas", default="auto", help="As in `fanwise run`.")
@job_option("reuse", default=True, help="As in `fanwise run`; each row is priced by itself all the same.")
@click.option("--sample", type=WholeNumber(1), default=None, help="Pay for so many rows, drawn at random; needs --out.")
@job_option("out", help="Where the sample's answers are kept for the run.")
@job_option("channel", type=Word(["live", "batch"]), default="live", help="How the sample travels.")
@job_option("baseline", help="The single agent that is paid for too.")
@job_option("base_url", help="Another server, such as `fanwise emulate`.")
@job_option("budget_usd", help="Most that the sample and the run may cost.")
@threshold
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
def plan(simulate: int, sample: int | None, as_json: bool, **options: Any) -> None:
    """Tell what GRAPH over the rows will cost, for each channel, with a single agent beside it.

    Nothing is sent or paid: some rows are carried out by the agents' stand-ins on an emulator. With
    --sample some rows are carried out by the models themselves, and paid for; their answers are kept
    for the run, which goes on with `fanwise resume DIR`.
    """
    carry_out = carry_out_sample(asking(options))
    forecast = study.plan(simulate=simulate, sample=sample, carry_out=carry_out, **chosen(options))
    if as_json:
        echo_json(forecast.data(), 2)
    else:
        show_forecast(forecast, standard_output())
    if out := options["out"]:
        echo(f"fanwise: the sample's answers are kept; go on with: fanwise resume {out}", err=True)
