"""Bounds of one session of a run, apart from how it sends."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Bounds of a run."""

    window_rows: int
    """Rows in memory at a time."""
    window_bytes: int = 64_000_000
    """Bytes of row data in memory at a time."""
    window_calls: int | None = None
    """Live calls that wait for a slot, from which on no row is taken; None: any number."""
    limit: int | None = None
    """Rows to take from the front of the file."""
    only: frozenset[int] | None = None
    """Numbers of the rows to take; None: all."""
    retry: frozenset[str] = frozenset()
    """Final failures of earlier sessions to ask again: failed, refused, truncated."""
    detach: bool = False
    """Stop when all that can be submitted is in batches."""
    resumed: bool = False
    counted: tuple[str, ...] = ()
    """Blocks that rows repeat, by which channels are chosen: it is counted how many rows show the same."""
