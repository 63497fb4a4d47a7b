"""`fanwise batches`: the batches of a run."""

from __future__ import annotations

import sys

import anyio
import click

from fanwise.job.account import Account
from fanwise.job.batches import batch_states, cancel_batches
from fanwise.job.job import resume
from fanwise.job.watcher import Watcher
from fanwise.ledger.status import BatchState
from fanwise.paths import fixed
from fanwise.rendering.harmless import one_line
from fanwise.rendering.status import batch_line, cancelled_line

from .carrying import carry_out
from .command import Command
from .saying import echo, echo_json


@click.command(cls=Command)
@click.argument("directory", metavar="DIR")
@click.argument("action", type=click.Choice(["list", "watch", "cancel", "collect"]), default="list")
@click.option("--base-url", metavar="URL", default=None, help="Another server than the run's.")
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for each batch.")
def batches(directory: str, action: str, base_url: str | None, as_json: bool) -> None:
    """List the batches of the run in DIR that have not been read, with what the API says of each.

    `watch` asks until all have ended, `cancel` cancels them, and `collect` reads those that have
    ended, submits what that makes ready, and leaves again.
    """
    if action == "cancel":
        echo(cancelled_line(anyio.run(cancel_batches, directory, base_url)), err=True)
    elif action == "collect":
        out = fixed(directory)

        async def work(watcher: Watcher) -> Account:
            return await resume(out, watcher, detach=True, base_url=base_url)

        sys.exit(carry_out(work, as_json=as_json, out=out))
    else:
        anyio.run(_list, directory, base_url, as_json, action == "watch")


async def _list(directory: str, base_url: str | None, as_json: bool, watch: bool) -> None:
    printed: list[BatchState] = []
    async for batches in batch_states(directory, base_url, watch=watch):
        for batch in batches:
            if batch not in printed:  # a change is said once
                printed.append(batch)
                echo_json(batch.data()) if as_json else echo(one_line(batch_line(batch)))
        if not batches:
            echo("no batch is open", err=True)
