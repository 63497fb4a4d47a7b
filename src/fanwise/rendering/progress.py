"""The progress of a run on one line."""

from __future__ import annotations

from fanwise.ledger.progress import Progress
from fanwise.units import usd

from .words import with_unknown


def progress_line(progress: Progress) -> str:
    """Return one line about a run: rows, calls, batches, spend, cache reads, time left."""
    parts = [_rows(progress), f"{progress.calls} calls"]
    if progress.remembered:
        parts.append(f"{progress.remembered} answers known")
    if progress.open_batches:
        parts.append(f"{progress.open_batches} batches with {progress.batch_requests} requests")
    spend = with_unknown(f"${usd(progress.cost):.4f}", progress.cost, progress.unknown)
    parts.append(f"{spend}{' simulated' if progress.simulated else ''}")
    parts.append(f"{progress.cache_read_tokens:,} tokens read from the cache")
    if progress.left_s is not None:
        parts.append(f"about {progress.left_s:.0f} s left")
    return ", ".join(parts)


def _rows(progress: Progress) -> str:
    total = "" if progress.total_rows is None else f"/{max(progress.total_rows, progress.read)}"
    ended_otherwise = ""
    if progress.failed or progress.rejected:
        ended_otherwise = f" ({progress.failed} failed, {progress.rejected} set aside)"
    return f"{progress.finished}{total} rows{ended_otherwise}"
