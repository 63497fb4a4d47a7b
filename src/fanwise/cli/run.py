"""`fanwise run`: a graph over rows."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import anyio
import click

from fanwise.errors import Mistake, SpecError
from fanwise.job.account import Account
from fanwise.job.job import begin
from fanwise.job.mode import is_simulated
from fanwise.job.otherruns import answers_priced
from fanwise.job.spec import JobSpec
from fanwise.job.watcher import Watcher
from fanwise.studies.plan.rest import rest_of_new_run
from fanwise.studies.plan.twice import NOTHING_TWICE
from fanwise.studies.plan.unpriced import models_without_price

from .carrying import carry_out
from .command import Command
from .consent import ROWS, Question, asking, foreseen, threshold
from .goingon import ask_for_rest
from .options import chosen, graph_argument, job_option, session_options, start_options


@click.command(cls=Command)
@graph_argument
@job_option("rows", required=True)
@job_option("out", required=True)
@job_option("format")
@start_options
@threshold
@session_options
def run(graph: str, out: str, detach: bool, as_json: bool, **options: Any) -> None:
    """Run GRAPH (path/file.py:name or package.module:name) over rows.

    Exit status: 0 all rows have their output, 1 some rows were set aside, failed or are partial, 2
    something is wrong with the call or all rows were set aside, 3 the run was halted (budget,
    refused key) and can be resumed, 5 the price needs a yes and nothing was sent, 129, 130 and 143
    ended by a signal.
    """
    question = asking(options)
    spec, directory = _spec(graph=graph, out=out, **chosen(options))
    if not anyio.run(is_simulated, spec.base_url):
        _consent(spec, question)

    async def work(watcher: Watcher) -> Account:
        return await begin(spec, watcher, detach=detach)

    sys.exit(carry_out(work, as_json=as_json, out=directory))


def _spec(**fields: Any) -> tuple[JobSpec, Path]:
    """Return the job of a call, and its directory.

    Raises:
        SpecError: Values are wrong or missing; all of them are named.
    """
    missing = (Mistake("out", "nothing is given", "name the run directory"),) if fields["out"] is None else ()
    try:
        spec = JobSpec(**fields)
    except SpecError as error:
        raise SpecError((*error.mistakes, *missing), error.subject) from None
    if spec.out is None:
        raise SpecError(missing)
    return spec, Path(spec.out)


def _consent(spec: JobSpec, question: Question) -> None:
    """Say what the run will cost before it begins, and ask where that is much."""
    if spec.rows_file is None:
        question.consent(None, "the run", spec)
        return
    unpriced = models_without_price(spec)
    if unpriced:
        question.consent(None, "the run", spec, unpriced=unpriced)
        return
    with answers_priced(spec) as elsewhere:
        if elsewhere is not None:
            rest = rest_of_new_run(spec, ROWS, elsewhere)
            ask_for_rest(question, "the run without what is taken of other runs", rest, NOTHING_TWICE, spec, None)
            return
    forecast = foreseen(spec)
    question.consent(forecast.total(), f"the run over {forecast.rows:,} rows", spec, unpriced=forecast.unpriced)
