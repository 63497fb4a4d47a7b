"""How far a run is, as people read it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from fanwise.ledger.status import BatchState, CancelledBatches, Status

from .words import with_unknown


def status_lines(status: Status, directory: str, *, held: bool) -> Iterator[str]:
    """Yield a status line by line.

    Args:
        status: How far the run is.
        directory: Where it stands, for the command that goes on with it.
        held: Whether a process works on it.
    """
    rows = status.rows
    done = rows["succeeded"] + rows["partial"] + rows["failed"]
    halted = f": {status.halted}" if status.halted else ""
    simulated = " simulated" if status.offline else ""
    yield f"run       {status.run_id}  {_state(status, directory, held=held)}{halted}"
    yield f"rows      {done} of {rows['read']} read are done, {rows['failed']} failed, {rows['rejected']} set aside"
    yield f"attempts  {status.attempts} sent, {status.in_flight} without an end"
    cost = with_unknown(f"${status.cost_usd}", int(status.cost_usd != "0"), status.attempts_of_unknown_cost)
    yield f"cost      {cost}{simulated}, up to ${status.reserved_usd} more in flight"
    yield f"cache     {status.cache_read_tokens:,} tokens read"
    if status.last is not None:
        yield f"last      an attempt ended at {_moment(status.last)}"
    for batch in status.batches:
        name = batch.batch_id or "id not known yet"
        yield f"batch     {name}  {batch.requests} requests, submitted {_moment(batch.submitted)}, {batch.state}"


def batch_line(batch: BatchState) -> str:
    """Return a batch that has not been read as a line."""
    return f"{batch.batch_id or '(id not known yet)'}  {batch.requests} requests  {batch.status}"


def cancelled_line(cancelled: CancelledBatches) -> str:
    """Return what became of the order to cancel batches as a line for people."""
    line = f"asked to cancel {len(cancelled.asked)} batches: {', '.join(cancelled.asked) or 'none is running'}"
    if cancelled.ended:
        ended = ", ".join(cancelled.ended)
        line += f"; {len(cancelled.ended)} had ended, which resume reads: {ended}"
    return line


def _state(status: Status, directory: str, *, held: bool) -> str:
    if held:
        return "working"
    if status.ended == "running":
        return f"dead: its process has ended without a word; go on with: fanwise resume {directory}"
    return status.ended or "not begun"


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
