"""The server's time, by the dates of its replies: the clock here may be wrong, or be set while a run is at work."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime


def steady_s() -> float:
    """Return seconds of a clock that nobody sets; where the system has one, it goes on while the machine sleeps."""
    return time.clock_gettime(_STEADY) if _STEADY is not None else time.monotonic()


_STEADY: int | None = getattr(time, "CLOCK_BOOTTIME", None)


class ServerClock:
    """Knows what time it is at the server: never ahead of it, and behind it by a second and the way of a reply."""

    def __init__(self) -> None:
        """Begin with the time here, until the server has said its own."""
        self._at, self._steady = time.time(), steady_s()
        self.is_known = False
        """Whether the server has said its time."""

    def note(self, date: str) -> None:
        """Take the date of a reply that has just come; one that cannot be read says nothing."""
        try:
            at = parsedate_to_datetime(date).timestamp()
        except ValueError:
            return
        self._at, self._steady, self.is_known = at, steady_s(), True

    def now(self) -> float:
        """Return the time at the server, in seconds since 1970."""
        return self._at + steady_s() - self._steady
