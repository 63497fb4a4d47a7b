"""One clock for everything: real time plus an offset that can be moved forward."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """Simulated time in seconds since the epoch."""

    def __init__(self, offset_s: float = 0.0) -> None:
        self.offset_s = offset_s

    def now(self) -> float:
        """Return the present simulated moment."""
        return time.time() + self.offset_s

    def advance(self, seconds: float) -> None:
        """Move time forward.

        Raises:
            ValueError: `seconds` is negative.
        """
        if seconds < 0:
            raise ValueError("time does not go backwards")
        self.offset_s += seconds


def moment(seconds: float) -> datetime:
    """Return a moment as a datetime in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def iso(seconds: float | None) -> str | None:
    """Return a moment in the API's form (RFC 3339), or None."""
    return None if seconds is None else moment(seconds).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
