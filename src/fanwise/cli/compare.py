"""`fanwise compare`: should this job fan out?"""

from __future__ import annotations

import sys
from typing import Any

import click

from fanwise.ledger.verdict import Word
from fanwise.rendering.comparison import show_comparison
from fanwise.rendering.console import standard_output
from fanwise.studies import compare as study
from fanwise.studies.plan.plan import SampleRun

from .command import Command
from .consent import asking, threshold
from .options import WholeNumber, chosen, graph_argument, job_option
from .sampled import carry_out_sample
from .saying import echo, echo_json

STATUSES: dict[Word, int] = {"fan out": 0, "do not fan out": 1, "not enough rows to tell": 4}


@click.command("compare", cls=Command)
@graph_argument
@job_option("rows", required=True, help="JSONL, CSV or Parquet.")
@job_option("format", help="Their format.")
@click.option(
    "--labels",
    metavar="FIELD|FILE",
    default=None,
    help="Field of the rows with what is right, or a JSONL; NAME=FIELD or NAME=FILE for a field of the outputs.",
)
@click.option("--score", metavar="FILE.py:FUNCTION", default=None, help="Gives 0 to 1 for an output and its label.")
@click.option(
    "--sample", type=WholeNumber(2), default=None, help="Rows, drawn at random. [default: 40, or those that DIR holds]"
)
@click.option("--seed", type=WholeNumber(), default=0, show_default=True, help="Another one draws other rows.")
@job_option("baseline", metavar="auto|auto:thinking|GRAPH", default="auto", show_default=True, help="The single agent.")
@job_option("id_field", help="Field with the row's id.")
@job_option("channel")
@job_option(
    "out",
    help="Keep the run here: the same call again compares what it has, more of --sample goes on, `fanwise resume` with "
    "all rows.",
)
@job_option("base_url", help="Another server, such as `fanwise emulate`.")
@job_option("budget_usd", help="Most that it may cost.")
@threshold
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def compare(
    labels: str | None, score: str | None, sample: int | None, seed: int, as_json: bool, **options: Any
) -> None:
    """Tell whether GRAPH should fan out: both it and one agent carry out the same rows, and are held together.

    Exit status: 0 fan out, 1 do not, 4 not enough rows to tell, 2 something is wrong with the call, 3
    halted, 5 the price needs a yes, 70 the score raised.
    """
    carried_out, out = list[SampleRun](), options["out"]
    carry_out_asked = carry_out_sample(asking(options))

    def carry_out(sample_run: SampleRun) -> None:
        carried_out.append(sample_run)
        carry_out_asked(sample_run)

    comparison = study.compare(
        labels=labels, score=score, sample=sample, seed=seed, carry_out=carry_out, **chosen(options)
    )
    if not carried_out:
        echo(f"fanwise: {out} holds a run; its answers are compared, and nothing is sent", err=True)
    if as_json:
        echo_json(comparison.data(), 2)
    else:
        show_comparison(comparison, standard_output())
    sys.exit(STATUSES[comparison.verdict.word])
