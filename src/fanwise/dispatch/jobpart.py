"""How large the job is of which a session carries out a part: the one rule by which channels are chosen for it.

Rows may be a sample of a job, and an arm may be asked for some of them. What a call costs depends on how many others
share what it writes, and on how many wait for what a pilot shows: these are counted for the job, so that the calls of a
sample travel as those of the job would.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fanwise.journal.records import ArmName

PILOTED = 4
"""Of so many calls of an agent on a sample one goes ahead at most: what a sample is asked for is to be seen in the
channel that the others take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPart:
    """The part of a job that a session carries out; the whole of it, where nothing is said."""

    scale: float = 1.0
    """Rows of the job for each that is taken on any arm."""
    scales: Mapping[ArmName, float] = field(default_factory=dict[ArmName, float])
    """Rows of the job for each that an arm takes, where these are other rows."""
    taken: Mapping[ArmName, int] = field(default_factory=dict[ArmName, int])
    """Rows that an arm takes, where they are a sample."""
    shown_by: Mapping[ArmName, Mapping[int, int]] = field(default_factory=dict[ArmName, Mapping[int, int]])
    """By arm that takes a sample and number of a row: how many rows of the job show the same blocks."""

    def of(self, arm: ArmName) -> float:
        """Return how many rows of the job there are for each that an arm takes."""
        return self.scales.get(arm, self.scale)

    def showing(self, arm: ArmName, row: int, seen: int, came: int | None = None) -> float:
        """Return how many rows of the job show an agent the blocks that a row shows it.

        Args:
            arm: Whose agent it is.
            row: Number of the row.
            seen: Rows that were taken and show them.
            came: Rows that have come to the agent, where not all do; None: all do.
        """
        known = self.shown_by.get(arm, {}).get(row)
        if known is None:
            return 1 + (seen - 1) * self.of(arm)
        share = 1.0 if came is None else min(came / self.taken[arm], 1.0)
        return max(1 + (known - 1) * share, seen)

    def pilots(self, arm: ArmName, most: int) -> int:
        """Return how many calls of an agent go ahead, where in the whole of a job so many do."""
        return max(min(most, self.taken[arm] // PILOTED), 1) if self.of(arm) > 1 and arm in self.taken else most


WHOLE = JobPart()
