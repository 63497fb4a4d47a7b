"""`fanwise resume`: go on with a run; ask again only for what is missing."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import anyio
import click

from fanwise.job import batches, job
from fanwise.job.account import Account
from fanwise.job.arms import is_simulated
from fanwise.job.directory import peeking
from fanwise.job.manifest import Manifest
from fanwise.job.watcher import Watcher
from fanwise.journal.meta import STATICS
from fanwise.studies.plan.plan import Asked, is_changed

from .common import carry_out, told
from .consent import asking, consent, foreseen, threshold
from .options import given, session
from .run import check_budget


@click.command()
@click.argument("directory", metavar="DIR")
@click.option(
    "--retry",
    multiple=True,
    type=click.Choice(["failed", "refused", "truncated"]),
    help="Ask these final failures again.",
)
@click.option("--cancel", is_flag=True, help="Cancel the batches that are still running, and end.")
@threshold
@session
def resume(directory: str, retry: tuple[str, ...], cancel: bool, detach: bool, as_json: bool, **options: Any) -> None:
    """Go on with the run in DIR. Exit statuses are those of `fanwise run`."""
    with told():
        asked = asking(options)
        check_budget(options)
        if cancel:
            cancelled = anyio.run(batches.cancel_batches, directory, options.get("base_url"))
            click.echo(
                f"asked to cancel {len(cancelled)} batches: {', '.join(cancelled) or 'none is running'}", err=True
            )
            return

        _consent(directory, retry, given(options), asked)

        async def work(watcher: Watcher) -> Account:
            return await job.resume(directory, watcher, retry=retry, detach=detach, **given(options))

        sys.exit(carry_out(work, as_json=as_json, out=directory))


def _consent(directory: str, retry: tuple[str, ...], chosen: dict[str, Any], asked: dict[str, Any]) -> None:
    """Say what the rest of the run will cost before it goes on, and ask where that is much."""
    with peeking(directory) as db:
        bad = "" if retry else " OR status='failed'"
        query = f"SELECT COUNT(*) FROM results WHERE arm='fanout' AND (status<>'failed'{bad})"
        finished = db.execute(query).fetchone()[0]
        manifest, before = Manifest.of(db), STATICS.of(db)
    options = replace(manifest.spec, **chosen)
    if manifest.mode == "embedded" or anyio.run(is_simulated, options):
        return
    of = Asked(
        manifest.graph, str(manifest.rows), manifest.format, options.id_field, options.limit, options.schemas,
        baseline=options.baseline,
    )  # fmt: skip
    planned = foreseen(of, options.channel)
    if is_changed(before, of):
        finished = 0  # what was edited is asked again, for all rows
    left = max(planned.rows - finished, 0)
    price = planned.total().scaled(left, max(planned.rows, 1))
    what = f"the rest of the run, {left:,} rows of {planned.rows:,},"
    consent(price, what, options, unpriced=planned.unpriced, **asked)
