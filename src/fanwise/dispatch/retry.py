"""When to ask again, and how long to wait: full jitter, bounded in number."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from fanwise.api.failures import Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Bounds of the retries of one call."""

    most: int = 6
    """Attempts in all."""
    most_refused: int = 20
    """The same for a request that was refused for too much: that is not its own fault."""
    first_s: float = 0.5
    longest_s: float = 30.0
    random: random.Random = field(default_factory=random.Random)

    def wait_s(self, failure: Failure, number: int) -> float | None:
        """Return seconds until the next attempt, or None where there is none.

        Args:
            failure: How attempt `number` failed.
            number: Attempts so far, from 1.
        """
        most = self.most_refused if failure.too_much else self.most
        if failure.verdict not in ("retry", "lost") or number >= most:
            return None
        backoff = self.random.uniform(0, min(self.first_s * 2 ** (number - 1), self.longest_s))
        return backoff if failure.retry_after_s is None else failure.retry_after_s + backoff / 4
