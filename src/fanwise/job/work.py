"""The second of a session's three steps: carry out a shard of the rows. A worker on another machine calls this one."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from fanwise.engine.rowsfile import lines
from fanwise.engine.run import Engine
from fanwise.log import bound
from fanwise.telemetry import telemetry
from fanwise.units import now

from .building import engine_of
from .otherruns import none_taken, not_accounted
from .prepared import ALL_ROWS, Ended, Prepared, Shard, ShardEnd
from .rowsmark import RowsWatch
from .standing import keep_end, keep_job_rows, keep_offline
from .telling import begin_telling

if TYPE_CHECKING:
    from fanwise.telemetry.spans import Spans


async def work(prepared: Prepared, shard: Shard = ALL_ROWS) -> None:
    """Carry out the rows of a shard, or as many of them as it comes to; how that ended is kept for `close`."""
    run, journal, notes = prepared.run, prepared.journal, list[str]()
    async with AsyncExitStack() as stack:
        spans: Spans | None = None
        if prepared.terms.rehearsal is None:
            labels = {"run_id": run.manifest.run_id, "graph": run.manifest.graph}
            spans = await stack.enter_async_context(telemetry(labels, journal.session, journal.attempt, notes.append))
        observers = (prepared.watcher,) if spans is None else (prepared.watcher, spans)
        engine = await engine_of(
            run, prepared.terms, prepared.arms, prepared.api, shard=shard, observers=observers,
            elsewhere=prepared.elsewhere,
        )  # fmt: skip
        keep_job_rows(journal, shard.job_rows)
        prepared.watcher.begins(engine, await _rows(prepared), offline=bool(prepared.api.offline))
        started = now().timestamp()
        rows_file = RowsWatch(
            journal,
            run.manifest.rows,
            is_real=prepared.terms.rehearsal is None,
            is_expected=prepared.terms.rows is not None,
        )
        notes += await rows_file.before()
        if prepared.terms.rows is not None:
            await anyio.to_thread.run_sync(begin_telling, run.directory)
        try:
            with bound(run=run.manifest.run_id):
                for note in notes:
                    engine.note(note)
                await engine.run(run.manifest.records())
                for note in (none_taken(run, prepared.elsewhere), not_accounted(prepared.elsewhere)):
                    if note:
                        engine.note(note)
        finally:
            with anyio.CancelScope(shield=True):
                await engine.keep()
                for note in await rows_file.after():
                    engine.note(note)
            _keep(prepared, engine, shard)
            if spans is not None:
                spans.session(started, now().timestamp(), engine.ended)


async def _rows(prepared: Prepared) -> int | None:
    """Return how many rows there are, where counting them is cheap: for a display."""
    manifest, limit = prepared.run.manifest, prepared.run.spec.limit
    if manifest.format != "jsonl":
        return None
    rows = await anyio.to_thread.run_sync(lines, manifest.rows)
    return rows if limit is None else min(rows, limit)


def _keep(prepared: Prepared, engine: Engine, shard: Shard) -> None:
    """Keep how the work on a shard has ended, and what the engine has to say of it."""
    cancelled = engine.ended == "completed" and (engine.rows_in_work() or not engine.read_all)
    ended: Ended = "interrupted" if cancelled else engine.ended
    limit = prepared.run.spec.limit
    is_cut = limit is not None and limit != prepared.run.manifest.spec.limit and engine.counters.read >= limit
    everything = engine.read_all and shard.numbers is None and not is_cut
    end = ShardEnd(ended=ended, reason=engine.halted, covers_file=everything and ended == "completed")
    prepared.ends.append(end)
    keep_offline(prepared.journal, offline=bool(prepared.api.offline))
    keep_end(prepared.journal, engine)
