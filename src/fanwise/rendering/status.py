"""How far a run is, as people read it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

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
    yield f"run       {status.run_id or 'none'}  {_state(status, directory, held=held)}{halted}"
    yield f"rows      {done} of {rows['read']} read are done, {rows['failed']} failed, {rows['rejected']} set aside"
    yield f"attempts  {status.attempts} sent, {status.in_flight} without an end"
    yield f"cost      {_cost(status)}{' simulated' if status.offline else ''}{_in_flight(status)}"
    read = status.cache_read_tokens
    yield f"cache     {'unknown' if read is None else f'{read:,} tokens read'}"
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
    if cancelled.unsure:
        line += (
            f"; {cancelled.unsure} requests may be in a batch whose id is not certain: it is not cancelled, since it "
            "may be another program's, and resume looks for it"
        )
    return line


def _cost(status: Status) -> str:
    known = status.cost_usd is not None and Decimal(status.cost_usd) != 0
    return with_unknown(f"${status.cost_usd}", known, status.attempts_of_unknown_cost)


def _in_flight(status: Status) -> str:
    """Return what attempts in flight may cost more; empty where there are none."""
    if not status.in_flight:
        return ""
    if status.attempts_without_bound:
        unbounded = status.attempts_without_bound
        have = "attempt has" if unbounded == 1 else "attempts have"
        return f", and more in flight: how much is unknown, {unbounded:,} {have} no known price"
    return f", up to ${status.reserved_usd} more in flight"


def _state(status: Status, directory: str, *, held: bool) -> str:
    if held:
        return "working"
    if status.ended == "running":
        return f"dead: its process has ended without a word; go on with: fanwise resume {directory}"
    if status.run_id is None:
        return f"it never began: remove {directory} and run again"
    return status.ended or "not begun"


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
