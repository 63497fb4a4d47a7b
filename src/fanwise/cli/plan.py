"""`fanwise plan`: what a job will cost."""

from __future__ import annotations

import json
from typing import Any

import click

from fanwise.errors import UsageError
from fanwise.job.job import Job
from fanwise.rendering.console import standard_output
from fanwise.rendering.forecast import show_forecast
from fanwise.studies.plan.drawn import Drawn
from fanwise.studies.plan.plan import Asked, make
from fanwise.studies.plan.plan import sample as sample_rows  # an option of the command has that name

from .common import told
from .consent import threshold
from .options import given
from .sampled import carry_out_sample


@click.command()
@click.argument("graph")
@click.option("--rows", required=True, metavar="FILE", help="JSONL, CSV or Parquet.")
@click.option("--format", "form", type=click.Choice(["jsonl", "csv", "parquet"]), default=None, help="Their format.")
@click.option(
    "--simulate", type=click.IntRange(1), default=20, show_default=True, help="Rows that stand-ins carry out."
)
@click.option("--id", "id_field", metavar="FIELD", default=None, help="Field with the row's id.")
@click.option("--limit", type=click.IntRange(1), default=None, help="Take only so many rows from the front.")
@click.option("--schemas", type=click.Choice(["auto", "strict", "shared"]), default="auto", help="As in `fanwise run`.")
@click.option(
    "--sample", type=click.IntRange(1), default=None, help="Pay for so many rows, drawn at random; needs --out."
)
@click.option("--out", metavar="DIR", default=None, help="Where the sample's answers are kept for the run.")
@click.option("--channel", type=click.Choice(["live", "batch"]), default="live", help="How the sample travels.")
@click.option("--baseline", metavar="auto|GRAPH|none", default=None, help="The single agent that is paid for too.")
@click.option("--base-url", metavar="URL", default=None, help="Another server, such as `fanwise emulate`.")
@click.option("--budget-usd", metavar="X", default=None, help="Most that the sample and the run may cost.")
@threshold
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
def plan(graph: str, rows: str, form: Any, simulate: int, sample: int | None, out: str | None, **options: Any) -> None:
    """Tell what GRAPH over the rows will cost, for each channel, with a single agent beside it.

    Nothing is sent or paid: some rows are carried out by the agents' stand-ins on an emulator. With
    --sample some rows are carried out by the models themselves, and paid for; their answers are kept
    for the run, which goes on with `fanwise resume DIR`.
    """
    as_json = options.pop("as_json")
    with told():
        if (sample is None) != (out is None):
            raise UsageError("--sample and --out go together: what is paid for is kept for the run")
        asked = Asked(graph, rows, form, options["id_field"], options["limit"], options["schemas"])
        drawn = sample_rows(asked, sample or simulate)
        if sample is not None and out is not None:
            _pay(asked, out, drawn, options)
        forecast = make(asked, drawn, run=out)
        if as_json:
            click.echo(json.dumps(forecast.data(), indent=2))
        else:
            show_forecast(forecast, standard_output())
        if out is not None:
            click.echo(f"fanwise: the sample's answers are kept; go on with: fanwise resume {out}", err=True)


def _pay(asked: Asked, out: str, drawn: Drawn, options: dict[str, Any]) -> None:
    names = ("channel", "baseline", "base_url", "budget_usd", "limit", "id_field", "schemas")
    chosen = given({name: options[name] for name in names})
    job = Job(asked.graph, rows=asked.rows, out=out, format=asked.form, **chosen)
    what = f"the sample of {len(drawn.rows)} rows"
    carry_out_sample(job, asked, drawn, options["channel"], what, options, both=False)
