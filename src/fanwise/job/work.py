"""The second of a session's three steps: carry out a shard of the rows. A worker on another machine calls this one."""

from __future__ import annotations

import anyio
import anyio.to_thread

from fanwise.engine.rows import lines
from fanwise.engine.run import Engine
from fanwise.journal.meta import CHOICES, HALTED, JOB_ROWS, NOTES, OFFLINE
from fanwise.log import bound
from fanwise.telemetry import telemetry
from fanwise.units import now

from .building import engine_of
from .prepared import ALL_ROWS, Ended, Prepared, Shard, ShardEnd


async def work(prepared: Prepared, shard: Shard = ALL_ROWS) -> None:
    """Carry out the rows of a shard, or as many of them as it comes to; how that ended is kept for `close`."""
    engine = await engine_of(prepared.run, prepared.terms, prepared.arms, prepared.api, only=shard.numbers)
    await _count_rows(prepared)
    JOB_ROWS.keep(prepared.journal, shard.job_rows)
    prepared.watcher.engine = engine
    try:
        with bound(run=prepared.run.manifest.run_id):
            await _traced(prepared, engine)
    finally:
        with anyio.CancelScope(shield=True):
            await prepared.journal.commit()
        _keep(prepared, engine, shard)


async def _count_rows(prepared: Prepared) -> None:
    """Tell a display how many rows there are, where counting them is cheap."""
    manifest, limit = prepared.run.manifest, prepared.run.spec.limit
    if manifest.format == "jsonl":
        rows = await anyio.to_thread.run_sync(lines, manifest.rows)
        prepared.watcher.rows = rows if limit is None else min(rows, limit)


async def _traced(prepared: Prepared, engine: Engine) -> None:
    """Run the engine, and tell an OTLP endpoint of it where one is configured."""
    manifest, journal = prepared.run.manifest, prepared.journal
    if prepared.terms.rehearsal is not None:
        await engine.run(manifest.records())
        return
    labels = {"run_id": manifest.run_id, "graph": manifest.graph}
    async with telemetry(labels, journal.session, journal.attempt, engine.note) as spans:
        journal.observer, started = spans, now().timestamp()
        try:
            await engine.run(manifest.records())
        finally:
            journal.observer = None
            if spans is not None:
                spans.session(started, now().timestamp(), engine.ended)


def _keep(prepared: Prepared, engine: Engine, shard: Shard) -> None:
    """Keep how the work on a shard has ended, and what the engine has to say of it."""
    journal = prepared.journal
    if engine.halted:
        HALTED.keep(journal, engine.halted)
    if engine.notes:
        NOTES.keep(journal, [*NOTES.of(journal), *engine.notes])
    OFFLINE.keep(journal, bool(prepared.api.offline))
    CHOICES.keep(journal, engine.carriers.chooser.reasons(CHOICES.of(journal)))
    cancelled = engine.ended == "completed" and (engine.rows_in_work() or not engine.read_all)
    ended: Ended = "interrupted" if cancelled else engine.ended
    limit = prepared.run.spec.limit
    is_limited = limit is not None and engine.counters.read >= limit
    everything = engine.read_all and shard.numbers is None and not is_limited
    end = ShardEnd(ended=ended, reason=engine.halted, covers_file=everything and ended == "completed")
    prepared.ends.append(end)
