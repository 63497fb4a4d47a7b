"""`fanwise run`: a graph over rows."""

from __future__ import annotations

import sys
from typing import Any

import anyio
import click

from fanwise.dispatch.deadline import seconds
from fanwise.errors import UsageError
from fanwise.job.account import Account
from fanwise.job.arms import is_simulated
from fanwise.job.job import Job
from fanwise.job.watcher import Watcher
from fanwise.studies.plan.plan import Asked
from fanwise.units import pico_from_usd

from .common import carry_out, told
from .consent import asking, consent, foreseen, threshold
from .options import given, session


@click.command()
@click.argument("graph")
@click.option("--rows", required=True, metavar="FILE", help="JSONL, CSV or Parquet; `-` is standard input.")
@click.option("--out", required=True, metavar="DIR", help="The run directory; must not hold another run.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl", "csv", "parquet"]),
    default=None,
    help="Format of the rows where the name does not say it.",
)
@click.option(
    "--baseline", metavar="auto|GRAPH|none", default=None, help="The single agent to compare with. [default: none]"
)
@click.option(
    "--sample", type=click.IntRange(1), default=None, help="Run the baseline on so many rows, drawn at random."
)
@click.option("--seed", type=int, default=None, help="Of that sample: another one draws other rows. [default: 0]")
@click.option("--limit", type=click.IntRange(1), default=None, help="Take only so many rows from the front.")
@click.option(
    "--id",
    "id_field",
    metavar="FIELD",
    default=None,
    help="Field with the row's id. [default: id, else the line number]",
)
@threshold
@session
def run(graph: str, rows: str, out: str, form: Any, detach: bool, as_json: bool, **options: Any) -> None:
    """Run GRAPH (path/file.py:name or package.module:name) over rows.

    Exit status: 0 all rows have their output, 1 some rows failed or are partial, 2 something is
    wrong with the call, 3 the run was halted (budget, refused key), 130 interrupted.
    """
    with told():
        check_budget(options)
        asked = asking(options)
        job = Job(graph, rows=rows, out=out, format=form, **given(options))

        if not anyio.run(is_simulated, job.options):
            _consent(job, graph, rows, asked)

        async def work(watcher: Watcher) -> Account:
            return await job.run(watcher, detach=detach)

        sys.exit(carry_out(work, as_json=as_json, out=out))


def _consent(job: Job, graph: str, rows: str, asked: dict[str, Any]) -> None:
    """Say what the run will cost before it begins, and ask where that is much."""
    options, price, unpriced, count = job.options, None, (), "the run"
    if rows != "-":
        of = Asked(
            graph, rows, job.format, options.id_field, options.limit, options.schemas,
            baseline=options.baseline,
        )  # fmt: skip
        planned = foreseen(of, options.channel)
        price, unpriced, count = planned.total(), planned.unpriced, f"the run over {planned.rows:,} rows"
    consent(price, count, options, unpriced=unpriced, **asked)


def check_budget(options: dict[str, Any]) -> None:
    """Refuse a budget that is no amount of dollars, and a deadline that is no length of time.

    Raises:
        UsageError: It is not.
    """
    for name in ("budget_usd", "row_budget_usd"):
        if options.get(name) is not None:
            try:
                pico_from_usd(options[name])
            except ValueError as error:
                raise UsageError(f"--{name.replace('_', '-')}: {error}") from None
    if options.get("deadline") is not None:
        try:
            seconds(options["deadline"])
        except ValueError as error:
            raise UsageError(f"--deadline: {error}") from None
