"""The batches of a run, seen from outside of a session: their states, and their cancelling."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from fanwise.api.client import Api
from fanwise.api.failures import RequestError
from fanwise.errors import UsageError
from fanwise.ledger.status import BatchState, CancelledBatches, OpenBatch, status

from .directory import RunDirectory, peeking
from .manifest import Manifest
from .recorded import address

WATCH_S = (2.0, 60.0)
"""First and longest interval between two looks at batches."""


async def batch_states(
    out: str, base_url: str | None = None, *, watch: bool = False
) -> AsyncIterator[list[BatchState]]:
    """Yield the batches of a run that have not been read; with `watch` again until all have ended.

    Raises:
        UsageError: The directory is no run, or records an address that nobody has named here.
    """
    with peeking(out) as db:
        batches, manifest = status(db).batches, Manifest.of(db)
    if manifest.mode == "embedded":
        waiting = "embedded: it goes on when the run does"
        yield [BatchState(batch.batch_id, batch.requests, waiting) for batch in batches]
        return
    async with _asking(address(manifest, out, base_url)) as api:
        async for states in _looked_at(api, batches):
            yield states
            if not watch or all(state.status == "ended" for state in states):
                return


async def _looked_at(api: Api, batches: Sequence[OpenBatch]) -> AsyncIterator[list[BatchState]]:
    """Yield the states of batches, again and again, ever more seldom."""
    interval_s = WATCH_S[0]
    while True:
        yield [await _state_of(api, batch) for batch in batches]
        await anyio.sleep(interval_s)
        interval_s = min(interval_s * 1.5, WATCH_S[1])


@asynccontextmanager
async def _asking(base_url: str | None) -> AsyncGenerator[Api]:
    """Open a client for a few questions."""
    api = Api(base_url=base_url, connections=4)
    try:
        yield api
    finally:
        with anyio.CancelScope(shield=True):
            await api.close()


async def _state_of(api: Api, batch: OpenBatch) -> BatchState:
    if batch.batch_id is None:
        return BatchState(None, batch.requests, "unknown: resume looks for it")
    try:
        return BatchState(batch.batch_id, batch.requests, (await api.get_batch(batch.batch_id)).status)
    except RequestError as error:
        return BatchState(batch.batch_id, batch.requests, str(error))


async def cancel_batches(out: str, base_url: str | None = None) -> CancelledBatches:
    """Ask to cancel the batches of a run that are still running; one that may be another program's is left alone.

    Raises:
        UsageError: The directory is no run, it records an address that nobody has named here, or the API cannot be
            asked.
    """
    with RunDirectory(Path(out), create=False) as directory:
        manifest = Manifest.of(directory.journal)
        records = directory.journal.open_batches()
        ids = [record.batch_id for record in records if record.batch_id is not None and record.state == "created"]
        unsure = sum(record.size for record in records if record.state != "created")
        if not ids or manifest.mode == "embedded":
            return CancelledBatches(unsure=unsure)  # an embedded emulator works on its batches only while a run does
        async with _asking(address(manifest, out, base_url)) as api:
            running = {batch_id: await _cancel(api, batch_id) for batch_id in ids}
    return CancelledBatches(
        asked=tuple(batch_id for batch_id in ids if running[batch_id]),
        ended=tuple(batch_id for batch_id in ids if not running[batch_id]),
        unsure=unsure,
    )


async def _cancel(api: Api, batch_id: str) -> bool:
    """Ask to cancel a batch; returns False where it has ended, which the API refuses to cancel.

    Raises:
        UsageError: It is running, and was not cancelled all the same.
    """
    try:
        await api.cancel_batch(batch_id)
    except RequestError as error:
        if await _has_ended(api, batch_id):
            return False
        raise UsageError(f"batch {batch_id} could not be cancelled: {error}") from None
    return True


async def _has_ended(api: Api, batch_id: str) -> bool:
    try:
        return (await api.get_batch(batch_id)).status == "ended"
    except RequestError:
        return False
