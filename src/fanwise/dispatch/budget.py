"""The budget: nothing is sent before its worst case is reserved, nothing passes a limit.

There may be four limits: dollars and tokens, of the run and of each row. A request that the run has no
room for waits for what is in flight, and halts the run where nothing is; one that its row has no room
for is given up, and the run goes on. Where a request serves several tasks, their rows bear it in equal parts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from fanwise.journal.records import Spent
from fanwise.units import usd

from .bell import Bell
from .errand import Ask

Fit = Literal["fits", "wait", "never", "row waits", "row full"]
"""`wait`: when something in flight ends. `never`: the run has no room, and nothing in flight."""


@dataclass(frozen=True, slots=True, kw_only=True)
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
    asks: tuple[Ask, ...] = ()
    """The tasks that it serves: their rows bear it. None: it stands on no row's account."""


ROW_BUDGET = "row_budget"
"""Kind of a failure: what a task may take does not fit into what its row may."""
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
        limits = self.limits
        full = self._full_row(hold) if self._of_rows else None
        if full is not None:
            return "row waits" if full[0].in_flight else "row full"
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
        if self._of_rows:
            for number, (cost, tokens) in _borne(hold.asks, hold.cost or 0, hold.tokens).items():
                row = self._row(number)
                row.cost, row.tokens, row.in_flight = row.cost + cost, row.tokens + tokens, row.in_flight + 1

    def settle(self, hold: Hold, cost: int | None, tokens: int | None) -> None:
        """Put what a request has really taken in the place of its reservation; what is unknown keeps it."""
        paid = (hold.cost or 0) if cost is None else cost
        used = hold.tokens if tokens is None else tokens
        self.reserved_cost -= hold.cost or 0
        self.reserved_tokens -= hold.tokens
        self.cost, self.tokens, self.in_flight = self.cost + paid, self.tokens + used, self.in_flight - 1
        if self._of_rows:
            held, borne = _borne(hold.asks, hold.cost or 0, hold.tokens), _borne(hold.asks, paid, used)
            for number, (cost_held, tokens_held) in held.items():
                row, (row_paid, row_used) = self._row(number), borne[number]
                row.cost += row_paid - cost_held
                row.tokens += row_used - tokens_held
                row.in_flight -= 1
        self._freed.ring()

    async def freed(self) -> None:
        """Return when a reservation was settled."""
        await self._freed.wait()

    def forget(self, row: int) -> None:
        """Drop what is known of a row that has ended."""
        self._rows.pop(row, None)

    def _row(self, number: int) -> _Row:
        if number not in self._rows:
            self._rows[number] = _Row(*(NOTHING if self._of_row is None else self._of_row(number)))
        return self._rows[number]

    def _full_row(self, hold: Hold) -> tuple[_Row, int, int] | None:
        """Return the first row that has no room for what it bears of a request, and that."""
        limits = self.limits
        for number, (cost, tokens) in _borne(hold.asks, hold.cost or 0, hold.tokens).items():
            row, more = self._row(number), None if hold.cost is None else cost
            if _over(limits.row_cost, row.cost, more) or _over(limits.row_tokens, row.tokens, tokens):
                return row, cost, tokens
        return None

    def lack(self, hold: Hold, what: str, model: str) -> str:
        """Return why a request fits into no room that the run has."""
        if self.limits.cost is not None and hold.cost is None:
            return (
                f"no price is known for model {model!r}, so the budget cannot be kept; "
                "run without a budget in dollars or choose another model"
            )
        if self.limits.cost is not None and _over(self.limits.cost, self.cost + self.reserved_cost, hold.cost):
            left = max(self.limits.cost - self.cost - self.reserved_cost, 0)
            return (
                f"{what} may cost up to ${usd(hold.cost or 0):.6f}, ${usd(left):.6f} of the budget is left; "
                "resume with a higher --budget-usd"
            )
        left = max((self.limits.tokens or 0) - self.tokens - self.reserved_tokens, 0)
        return (
            f"{what} may take up to {hold.tokens:,} tokens, {left:,} of the budget are left; "
            "resume with a higher --budget-tokens"
        )

    def row_lack(self, hold: Hold) -> str:
        """Return why a request does not fit into what its row may take."""
        full, limits = self._full_row(hold), self.limits
        assert full is not None
        row, cost, tokens = full
        if _over(limits.row_cost, row.cost, None if hold.cost is None else cost):
            most = "an unknown amount" if hold.cost is None else f"up to ${usd(cost):.6f}"
            return f"it may cost {most}, and its row has spent ${usd(row.cost):.6f} of ${usd(limits.row_cost or 0):.6f}"
        return f"it may take up to {tokens:,} tokens, and its row has used {row.tokens:,} of {limits.row_tokens:,}"


@dataclass(slots=True)
class _Row:
    """What a row has spent and reserved."""

    cost: int
    tokens: int
    in_flight: int = 0


def _borne(asks: tuple[Ask, ...], cost: int, tokens: int) -> dict[int, tuple[int, int]]:
    """Return picodollars and tokens that each row bears of a request: equal parts for its tasks, which sum to all."""
    borne: dict[int, tuple[int, int]] = {}
    for place, ask in enumerate(asks):
        cost_before, tokens_before = borne.get(ask.row, (0, 0))
        borne[ask.row] = (
            cost_before + _part(cost, place, len(asks)), tokens_before + _part(tokens, place, len(asks))
        )  # fmt: skip
    return borne


def _part(amount: int, place: int, parts: int) -> int:
    """Return one of equal parts of an amount; what cannot be divided is borne by the first of them."""
    part, rest = divmod(amount, parts)
    return part + (place < rest)


def _over(limit: int | None, used: int, more: int | None) -> bool:
    return limit is not None and (more is None or used + more > limit)
