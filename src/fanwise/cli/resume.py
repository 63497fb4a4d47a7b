"""`fanwise resume`: go on with a run; ask again only for what is missing."""

from __future__ import annotations

import sys
from typing import Any

import anyio
import click

from fanwise import job
from fanwise.options import Account, Watcher

from .common import carry_out, told
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
@session
def resume(directory: str, retry: tuple[str, ...], cancel: bool, detach: bool, as_json: bool, **options: Any) -> None:
    """Go on with the run in DIR. Exit statuses are those of `fanwise run`."""
    with told():
        check_budget(options)
        if cancel:
            cancelled = anyio.run(job.cancel_batches, directory, options.get("base_url"))
            click.echo(
                f"asked to cancel {len(cancelled)} batches: {', '.join(cancelled) or 'none is running'}", err=True
            )
            return

        async def work(watcher: Watcher) -> Account:
            return await job.resume(directory, watcher, retry=retry, detach=detach, **given(options))

        sys.exit(carry_out(work, as_json=as_json, out=directory))
