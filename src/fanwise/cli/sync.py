"""`fanwise sync`: bring a run to its rows and its graph as they are now."""

from __future__ import annotations

import shlex
import sys
from typing import Any

import click

from fanwise.job import sync as syncing
from fanwise.job.account import Account
from fanwise.job.arms import arms_of
from fanwise.job.directory import bring_up_to_date, peeking
from fanwise.job.manifest import Manifest
from fanwise.job.otherruns import answers_priced
from fanwise.job.recorded import going_on
from fanwise.job.rowsnow import RowsNow, synced
from fanwise.job.watcher import Watcher
from fanwise.ledger.rowchanges import RowsCompared
from fanwise.paths import typed
from fanwise.rendering.changes import changes_words
from fanwise.studies.plan.rest import rest_of_run
from fanwise.studies.plan.twice import NOTHING_TWICE, paid_twice_at_most
from fanwise.studies.plan.unpriced import models_without_price

from .carrying import carry_out
from .command import Command
from .consent import ROWS, Question, asking, foreseen
from .goingon import GoingOn, ask_for_rest, going_on_options, retry_options
from .options import job_option
from .saying import echo


@click.command(cls=Command)
@click.argument("directory", metavar="DIR")
@job_option("rows", help="A rows file that takes the place of the run's from now on. [default: the run's own]")
@job_option("format")
@job_option("encoding")
@retry_options
@going_on_options
def sync(
    directory: str,
    rows: str | None,
    format: Any,
    retry: tuple[str, ...],
    pay_twice: bool,
    graph: str | None,
    detach: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Bring the run in DIR to its rows and its graph as they are now. Exit statuses are those of `fanwise run`.

    Rows are known by their id, those without one by what they hold. Only what was added or changed is
    asked, down to the agent whose slice is another; rows that are gone leave the results. What that
    will cost, and what all rows anew would, is said first. Results are then those of a run from
    scratch, and DIR/changes.jsonl says which rows were added, changed and removed.

    All else is as for `fanwise resume`.
    """
    question, taken = asking(options), RowsNow.of(rows, format)
    run = GoingOn.of(directory, graph, options, retry=retry, pay_twice=pay_twice, detach=detach)
    bring_up_to_date(run.out)
    _consent(run, taken, question, retry, pay_twice=pay_twice)

    async def work(watcher: Watcher) -> Account:
        of_rows: dict[str, Any] = {"rows": taken.source, "format": taken.format}
        return await syncing.sync(run.out, watcher, **of_rows, **run.terms, **run.changes)

    named = [word for option, value in (("--rows", rows), ("--format", format)) if value for word in (option, value)]
    again = shlex.join(["fanwise", "sync", typed(run.out), *named])
    sys.exit(carry_out(work, as_json=as_json, out=run.out, again=again))


def _consent(run: GoingOn, rows: RowsNow, question: Question, retry: tuple[str, ...], *, pay_twice: bool) -> None:
    """Say what has changed and what that will cost, and ask where it is much."""
    with peeking(run.out) as db:
        before = Manifest.of(db)
        spec = going_on(before, run.out, run.changes, run.graph)
        manifest, spec = synced(before, spec, rows, arms_of(spec.graph, spec.baseline)["fanout"])
        if manifest.rows != before.rows:
            echo(f"fanwise: {typed(manifest.rows)} takes the place of {typed(before.rows)}", err=True)
        unpriced = models_without_price(spec)
        if unpriced:
            question.consent(None, "the sync", spec, unpriced=unpriced)
            return
        compared = RowsCompared(db)
        with answers_priced(spec) as elsewhere:
            rest = rest_of_run(
                db, spec, ROWS, retry=retry, manifest=manifest, compared=compared, elsewhere=elsewhere
            )  # fmt: skip
        changes = compared.changes()
        twice = paid_twice_at_most(db) if pay_twice else NOTHING_TWICE
    echo(f"fanwise: {changes_words(changes)}", err=True)
    if not rest.rows and not twice.requests:
        echo("fanwise: nothing is to be asked, and nothing to be paid", err=True)
        return
    ask_for_rest(question, "the sync", rest, twice, spec, ("a run from scratch", foreseen(spec).total()))
