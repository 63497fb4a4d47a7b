"""The budget: nothing is sent before its worst case is reserved, nothing passes a limit.

There may be four limits: dollars and tokens, of the run and of each row. A request that the run has no
room for waits for what is in flight, and halts the run where nothing is; one that its row has no room
for is given up, and the run goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from fanwise.journal.records import Spent
from fanwise.units import usd

from .bell import Bell

Fit = Literal["fits", "wait", "never", "row waits", "row full"]
"""`wait`: when something in flight ends. `never`: the run has no room, and nothing in flight."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run and each of its rows may take; None: no limit."""

    cost: int | None = None
    """Picodollars."""
    tokens: int | None = None
    """Input and output, cached or not."""
    row_cost: int | None = None
    row_tokens: int | None = None

    @property
    def of_rows(self) -> bool:
        """Whether rows have limits."""
        return self.row_cost is not None or self.row_tokens is not None


class Hold(NamedTuple):
    """The worst case of one request."""

    cost: int | None
    """Picodollars; None where no price is known."""
    tokens: int
    row: int
    """0: it stands on no row's account."""


NO_LIMITS, NOTHING = Limits(), Spent()


class Budget:
    """What is spent, and reserved by what is in flight; used by one event loop."""

    def __init__(
        self, limits: Limits = NO_LIMITS, spent: Spent = NOTHING, of_row: Callable[[int], Spent] | None = None
    ) -> None:
        """Start a budget.

        Args:
            limits: What it keeps to.
            spent: By earlier sessions.
            of_row: Gives what earlier sessions have spent on a row; None: nothing.
        """
        self.limits, self._of_rows = limits, limits.of_rows
        self.cost, self.tokens = spent
        self.reserved_cost = self.reserved_tokens = self.in_flight = 0
        self._of_row = of_row
        self._rows: dict[int, _Row] = {}
        self._freed = Bell()

    def reserve(self, hold: Hold) -> Fit:
        """Reserve the worst case of one request, where it fits; an unknown price fits no limit in dollars."""
        row = self._row(hold.row)
        limits = self.limits
        if row is not None and (
            _over(limits.row_cost, row.cost, hold.cost) or _over(limits.row_tokens, row.tokens, hold.tokens)
        ):
            return "row waits" if row.in_flight else "row full"
        if _over(limits.cost, self.cost + self.reserved_cost, hold.cost) or _over(
            limits.tokens, self.tokens + self.reserved_tokens, hold.tokens
        ):
            return "wait" if self.in_flight else "never"
        self.hold(hold)
        return "fits"

    def hold(self, hold: Hold) -> None:
        """Reserve without a check: for what an earlier session has sent already."""
        self.reserved_cost += hold.cost or 0
        self.reserved_tokens += hold.tokens
        self.in_flight += 1
        row = self._row(hold.row)
        if row is not None:
            row.cost += hold.cost or 0
            row.tokens += hold.tokens
            row.in_flight += 1

    def settle(self, hold: Hold, cost: int | None, tokens: int | None) -> None:
        """Put what a request has really taken in the place of its reservation; what is unknown keeps it."""
        paid = (hold.cost or 0) if cost is None else cost
        used = hold.tokens if tokens is None else tokens
        self.reserved_cost -= hold.cost or 0
        self.reserved_tokens -= hold.tokens
        self.cost, self.tokens, self.in_flight = self.cost + paid, self.tokens + used, self.in_flight - 1
        row = self._row(hold.row)
        if row is not None:
            row.cost += paid - (hold.cost or 0)
            row.tokens += used - hold.tokens
            row.in_flight -= 1
        self._freed.ring()

    async def freed(self) -> None:
        """Return when a reservation was settled."""
        await self._freed.wait()

    def forget(self, row: int) -> None:
        """Drop what is known of a row that has ended."""
        self._rows.pop(row, None)

    def _row(self, number: int) -> _Row | None:
        if not number or not self._of_rows:
            return None
        if number not in self._rows:
            self._rows[number] = _Row(*(NOTHING if self._of_row is None else self._of_row(number)))
        return self._rows[number]

    def lack(self, hold: Hold, what: str, model: str) -> str:
        """Return why a request fits into no room that the run has."""
        if self.limits.cost is not None and hold.cost is None:
            return (
                f"no price is known for model {model!r}, so the budget cannot be kept; "
                "run without a budget in dollars or choose another model"
            )
        if self.limits.cost is not None and self.cost + (hold.cost or 0) > self.limits.cost:
            left = max(self.limits.cost - self.cost, 0)
            return (
                f"{what} may cost up to ${usd(hold.cost or 0):.6f}, ${usd(left):.6f} of the budget is left; "
                "resume with a higher --budget-usd"
            )
        left = max((self.limits.tokens or 0) - self.tokens, 0)
        return (
            f"{what} may take up to {hold.tokens:,} tokens, {left:,} of the budget are left; "
            "resume with a higher --budget-tokens"
        )

    def row_lack(self, hold: Hold) -> str:
        """Return why a request does not fit into what its row may take."""
        row, limits = self._row(hold.row), self.limits
        assert row is not None
        if _over(limits.row_cost, row.cost, hold.cost):
            most = "an unknown amount" if hold.cost is None else f"up to ${usd(hold.cost):.6f}"
            return f"it may cost {most}, and its row has spent ${usd(row.cost):.6f} of ${usd(limits.row_cost or 0):.6f}"
        return f"it may take up to {hold.tokens:,} tokens, and its row has used {row.tokens:,} of {limits.row_tokens:,}"


@dataclass(slots=True)
class _Row:
    """What a row has spent and reserved."""

    cost: int
    tokens: int
    in_flight: int = 0


def _over(limit: int | None, taken: int, more: int | None) -> bool:
    return limit is not None and (more is None or taken + more > limit)
