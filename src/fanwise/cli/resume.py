"""`fanwise resume`: go on with a run; ask again only for what is missing."""

from __future__ import annotations

import sys
from typing import Any

import anyio
import click

from fanwise.job import batches, job
from fanwise.job.account import Account
from fanwise.job.directory import bring_up_to_date, peeking
from fanwise.job.manifest import Manifest
from fanwise.job.mode import is_simulated
from fanwise.job.otherruns import answers_priced
from fanwise.job.recorded import going_on
from fanwise.job.watcher import Watcher
from fanwise.rendering.status import cancelled_line
from fanwise.studies.plan.rest import rest_of_run
from fanwise.studies.plan.twice import NOTHING_TWICE, paid_twice_at_most
from fanwise.studies.plan.unpriced import models_without_price

from .carrying import carry_out
from .command import Command
from .consent import ROWS, Question, asking
from .goingon import GoingOn, ask_for_rest, going_on_options, retry_options
from .saying import echo


@click.command(cls=Command)
@click.argument("directory", metavar="DIR")
@retry_options
@click.option("--cancel", is_flag=True, help="Cancel the batches that are still running, and end.")
@going_on_options
def resume(
    directory: str,
    retry: tuple[str, ...],
    pay_twice: bool,
    cancel: bool,
    graph: str | None,
    detach: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Go on with the run in DIR. Exit statuses are those of `fanwise run`.

    What is not given is as the run was begun. --baseline, --sample and --seed stay with the run when they
    are given here; all else holds for this session alone.

    The graph is imported where it lies under the current directory; any other is named by --graph. A
    server that the run was given by --base-url is named again, by that or by ANTHROPIC_BASE_URL.
    """
    question = asking(options)
    if cancel:
        cancelled = anyio.run(batches.cancel_batches, directory, options.get("base_url"))
        echo(cancelled_line(cancelled), err=True)
        return

    run = GoingOn.of(directory, graph, options, retry=retry, pay_twice=pay_twice, detach=detach)
    bring_up_to_date(run.out)
    _consent(run, question, retry, pay_twice=pay_twice)

    async def work(watcher: Watcher) -> Account:
        return await job.resume(run.out, watcher, **run.terms, **run.changes)

    sys.exit(carry_out(work, as_json=as_json, out=run.out))


def _consent(run: GoingOn, question: Question, retry: tuple[str, ...], *, pay_twice: bool) -> None:
    """Say what the rest of the run will cost before it goes on, and ask where that is much."""
    with peeking(run.out) as db:
        manifest = Manifest.of(db)
        spec = going_on(manifest, run.out, run.changes, run.graph)
        if manifest.mode == "embedded" or anyio.run(is_simulated, spec.base_url):
            return
        unpriced = models_without_price(spec)
        if unpriced:
            question.consent(None, "the rest of the run", spec, unpriced=unpriced)
            return
        with answers_priced(spec) as elsewhere:
            rest = rest_of_run(db, spec, ROWS, retry=retry, elsewhere=elsewhere)
        twice = paid_twice_at_most(db) if pay_twice else NOTHING_TWICE
    ask_for_rest(question, "the rest of the run", rest, twice, spec, None)
