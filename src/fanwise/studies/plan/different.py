"""How many different ones there are among many, in memory that does not grow with them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from math import sqrt
from statistics import fmean, pvariance

MOST = 30_000
"""Different ones that are kept: up to so many they are counted, above that estimated, to within a percent."""


class Different:
    """Counts tasks, and how many of them are different.

    What is kept are those with the least hashes, which is as good as at random. One that is dropped never comes back,
    since the bound only falls: so the counts of those that are left are of all tasks.
    """

    __slots__ = ("_alone", "_bound", "_kept", "_most", "tasks")

    def __init__(self, most: int = MOST) -> None:
        """Begin empty.

        Args:
            most: Different ones to keep.
        """
        self.tasks = 0
        """How many have come."""
        self._most, self._alone = most, 0
        self._kept: dict[int, int] = {}
        self._bound = 1 << 64

    def add(self, work: str) -> None:
        """Take a task.

        Args:
            work: What equal ones have in common, as a hash in hexadecimal digits; empty where it is like no other.
        """
        self.tasks += 1
        if not work:
            self._alone += 1
            return
        key = int(work[:16], 16)
        if key >= self._bound:
            return
        self._kept[key] = self._kept.get(key, 0) + 1
        if len(self._kept) > 2 * self._most:
            self._bound = sorted(self._kept)[self._most]
            self._kept = {key: times for key, times in self._kept.items() if key < self._bound}

    @property
    def different(self) -> float:
        """How many of them are different: counted, or estimated where there are too many."""
        if self._is_counted:
            return float(self._alone + len(self._kept))
        return self._alone + (self.tasks - self._alone) / fmean(self._kept.values())

    @property
    def off(self) -> float:
        """How far that may be off, as a share of it: thrice the standard error; 0 where they were counted."""
        if self._is_counted:
            return 0.0
        times = list(self._kept.values())
        return 3 * sqrt(pvariance(times) / len(times)) / fmean(times)

    @property
    def _is_counted(self) -> bool:
        return self._bound == 1 << 64


def kinds(drawn: Iterable[str], *, is_all: bool) -> float:
    """Return how many different ones there are at least among many of which some were drawn.

    Those that were drawn once and twice tell of those that were not drawn (Chao 1984, the form without bias).

    Args:
        drawn: These.
        is_all: Whether there are no others.
    """
    times = Counter(drawn)
    of_times = Counter(times.values())
    unseen = of_times[1] * (of_times[1] - 1) / (2 * (of_times[2] + 1))
    return len(times) + (0.0 if is_all else unseen)
