"""What one reading of the results of a batch has come to."""

from __future__ import annotations

from dataclasses import dataclass, field

from fanwise.api.failures import Failure
from fanwise.journal.records import BatchRecord

READINGS = 4
"""Times that results are read before what is not there is given up: a first reading may be short, or come too early."""


@dataclass(slots=True, kw_only=True)
class Reading:
    """What was read."""

    record: BatchRecord
    """The batch, whose id may be certain only since."""
    why: str = "the file of its results ends without it"
    """Why results may be lacking."""
    paid: set[str] = field(default_factory=set[str])
    """By `custom_id` what has succeeded, also what was applied before."""
    odd: dict[int, Failure] = field(default_factory=dict[int, Failure])
    """By attempt what came, and says nothing: whether it was paid is not known."""
    billed: int | None = None
    """How many requests have succeeded by the API's count; None where it does not say."""

    @property
    def all_paid(self) -> bool:
        """Whether all that was paid has come: what is lacking then costs nothing."""
        return self.billed is not None and len(self.paid) >= self.billed and not self.odd
