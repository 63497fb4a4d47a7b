"""How far a run is while it works, as whoever works on it has counted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A run at one moment of one session."""

    elapsed_s: float
    """Since the session began to be shown."""
    total_rows: int | None
    """Rows of the file, where counting them is cheap."""
    read: int
    finished: int
    failed: int
    """Of those that have finished."""
    rejected: int
    calls: int
    """Attempts of this session that have ended."""
    remembered: int
    """Tasks whose answer was in the journal already."""
    open_batches: int
    batch_requests: int
    """Requests in them."""
    cost: int
    """Picodollars of this session that are known to be paid."""
    unknown: int
    """Attempts of this session whose cost is unknown."""
    simulated: bool
    """Whether stand-ins answer for the models."""
    cache_read_tokens: int

    @property
    def left_s(self) -> float | None:
        """Seconds until the rest of the rows has ended, if it goes as before; None where nothing says so."""
        done = self.finished + self.rejected
        if not self.total_rows or not done or done >= self.total_rows:
            return None
        return self.elapsed_s / done * (self.total_rows - done)
