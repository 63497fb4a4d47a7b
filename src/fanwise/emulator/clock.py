"""One clock for everything: simulated time that can be moved forward and run faster."""

from __future__ import annotations

import time
from datetime import UTC, datetime

FASTEST = 1e9
"""Simulated seconds per real second: thirty years."""
_END = datetime(9001, 1, 1, tzinfo=UTC).timestamp()
"""Dates have four digits for the year; what expires later than now has a thousand years left."""


class Clock:
    """Simulated time in seconds since the epoch."""

    def __init__(self, offset_s: float = 0.0, speed: float = 1.0) -> None:
        """Start a clock.

        Args:
            offset_s: How far it is ahead of real time.
            speed: Simulated seconds per real second from now on.
        """
        self.speed = speed
        self._real, self._simulated = time.time(), time.time() + offset_s

    def now(self) -> float:
        """Return the present simulated moment."""
        return self._simulated + (time.time() - self._real) * self.speed

    @property
    def offset_s(self) -> float:
        """How far the clock is ahead of real time, now."""
        return self.now() - time.time()

    def advance(self, seconds: float) -> None:
        """Move time forward.

        Raises:
            ValueError: `seconds` is negative, or leads behind the year 9000.
        """
        if not seconds >= 0:
            raise ValueError("time does not go backwards")
        if self.now() + seconds > _END:
            raise ValueError("time ends with the year 9000")
        self._simulated += seconds

    def run_at(self, speed: float) -> None:
        """Let time run faster or slower from now on.

        Raises:
            ValueError: `speed` is not positive, or higher than `FASTEST`.
        """
        if not 0 < speed <= FASTEST:
            raise ValueError(f"time runs at a positive speed of at most {FASTEST:,.0f}")
        self._simulated, self._real, self.speed = self.now(), time.time(), speed

    def real(self, seconds: float) -> float:
        """Return how many real seconds a simulated span takes."""
        return seconds / self.speed


def moment(seconds: float) -> datetime:
    """Return a moment as a datetime in UTC, at most the end of the year 9000."""
    return datetime.fromtimestamp(min(seconds, _END), UTC)


def iso(seconds: float | None) -> str | None:
    """Return a moment in the API's form (RFC 3339), or None."""
    return None if seconds is None else moment(seconds).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
