"""The budget: nothing is sent before its worst case is reserved, nothing passes the limit."""

from __future__ import annotations

from .bell import Bell


class Budget:
    """Dollars in picodollars: spent, reserved by what is in flight, and the limit."""

    def __init__(self, limit: int | None, spent: int = 0) -> None:
        """Start a budget.

        Args:
            limit: Picodollars that the run may cost in all, or None for no limit.
            spent: What was paid or is held for lost attempts by earlier sessions.
        """
        self.limit, self.spent, self.reserved = limit, spent, 0
        self.in_flight = 0
        self._freed = Bell()

    def reserve(self, amount: int | None) -> bool:
        """Reserve the worst case of one request; False where it does not fit.

        An unknown price fits only where there is no limit.
        """
        if self.limit is not None and (amount is None or self.spent + self.reserved + amount > self.limit):
            return False
        self.hold(amount)
        return True

    def hold(self, amount: int | None) -> None:
        """Reserve without a check: for what an earlier session has sent already."""
        self.reserved += amount or 0
        self.in_flight += 1

    def settle(self, reserved: int | None, actual: int | None) -> None:
        """Put the real price in the place of a reservation; an unknown one keeps it."""
        self.reserved -= reserved or 0
        self.spent += (reserved or 0) if actual is None else actual
        self.in_flight -= 1
        self._freed.ring()

    async def freed(self) -> None:
        """Return when a reservation was settled."""
        await self._freed.wait()
