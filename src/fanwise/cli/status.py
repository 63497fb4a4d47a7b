"""`fanwise status`: how far a run is."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import click

from fanwise.job.directory import is_held, peeking
from fanwise.ledger.status import Status
from fanwise.ledger.status import status as find

from .ending import exit_on_error


@click.command()
@click.argument("directory", metavar="DIR")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def status(directory: str, as_json: bool) -> None:
    """Print how far the run in DIR is, whether a process works on it or it is dead. Nothing is touched."""
    with exit_on_error(), peeking(directory) as db:
        found, held = find(db), is_held(directory)
        if as_json:
            click.echo(json.dumps({"working": held} | found.data(), indent=2))
        else:
            for line in lines(found, directory, held=held):
                click.echo(line)


def lines(found: Status, directory: str, *, held: bool) -> list[str]:
    """Return a status as lines for people."""
    rows = found.rows
    done = rows["succeeded"] + rows["partial"] + rows["failed"]
    state = "working" if held else found.ended or "not begun"
    if not held and found.ended == "running":
        state = f"dead: its process has ended without a word; go on with: fanwise resume {directory}"
    simulated = " simulated" if found.offline else ""
    told_ = [
        f"run       {found.run_id}  {state}" + (f": {found.halted}" if found.halted else ""),
        f"rows      {done} of {rows['read']} read are done, {rows['failed']} failed, {rows['rejected']} set aside",
        f"attempts  {found.attempts} sent, {found.in_flight} without an end",
        f"cost      ${found.cost_usd}{simulated}, up to ${found.reserved_usd} more in flight",
        f"cache     {found.cache_read_tokens:,} tokens read",
    ]
    if found.last is not None:
        told_.append(f"last      an attempt ended at {_moment(found.last)}")
    for one in found.batches:
        name = one.batch_id or "id not known yet"
        told_.append(f"batch     {name}  {one.requests} requests, submitted {_moment(one.submitted)}, {one.state}")
    return told_


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
