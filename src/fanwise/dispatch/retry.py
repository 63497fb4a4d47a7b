"""When to ask again, and how long to wait: full jitter, bounded in number."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import timedelta

from fanwise.api.failures import Failure
from fanwise.units import now

FIRST_S, LONGEST_S = 0.5, 30.0
"""The first pause at most before something is tried again, and the longest that is chosen here."""
LONGEST_WAIT_S = 3_600.0
"""Nobody waits longer because a server says so: a run that does nothing for a day looks like one that hangs."""
A_YEAR_S = 366 * 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Bounds of the retries of one call."""

    most: int = 6
    """Attempts in all."""
    most_refused: int = 20
    """The same for a request that was refused for too much: that is not its own fault."""
    first_s: float = field(default_factory=lambda: FIRST_S)
    longest_s: float = field(default_factory=lambda: LONGEST_S)
    random: random.Random = field(default_factory=random.Random)
    give_up_s: float = 3_600.0
    """How long an outage may last."""
    deadline: float | None = None
    """When the run should have ended, in seconds since 1970."""

    def too_long(self, failure: Failure) -> str:
        """Return why the run halts in place of waiting for as long as a server says; empty where it waits."""
        wait_s = failure.retry_after_s
        if wait_s is None:
            return ""
        present = now()
        until = present + timedelta(seconds=min(wait_s, A_YEAR_S))
        if wait_s > LONGEST_WAIT_S:
            why = f"in {wait_s / 3_600:,.1f} hours"
        elif self.deadline is not None and present.timestamp() < self.deadline < until.timestamp():
            why = f"in {wait_s / 60:.0f} minutes, after the deadline"
        else:
            return ""
        return (
            f"{failure.kind}: {failure.message}; the server says to come again {why}, at {until:%Y-%m-%d %H:%M} UTC: "
            "resume then"
        )

    def gives_up(self, away_s: float, failure: Failure, what: str = "the API has not answered") -> str:
        """Return why the run halts in an outage that has lasted for so many seconds; empty where it waits on.

        Args:
            away_s: Since the first failure in a row.
            failure: The last one.
            what: Has not gone meanwhile, in words.
        """
        if away_s < self.give_up_s:
            return ""
        return f"{what} for {away_s / 60:.0f} minutes ({failure.kind}: {failure.message}); no row has failed by it"

    def wait_s(self, failure: Failure, number: int) -> float | None:
        """Return seconds until the next attempt, or None where there is none.

        Args:
            failure: How attempt `number` failed.
            number: Attempts so far, from 1.
        """
        most = self.most_refused if failure.too_much else self.most
        if failure.verdict not in ("retry", "lost") or number >= most:
            return None
        return self.pause_s(failure, number)

    def pause_s(self, failure: Failure, number: int) -> float:
        """Return seconds until what has failed is tried again, however often it has; of attempt `number`, from 1."""
        backoff = self.random.uniform(0, min(self.first_s * 2 ** min(number - 1, 20), self.longest_s))
        return backoff if failure.retry_after_s is None else failure.retry_after_s + backoff / 4
