"""Waking those who wait for a change; it costs nothing where nobody does."""

from __future__ import annotations

import anyio


class Bell:
    """Rung at every change, however often; used by one event loop.

    Who looks for a change looks first and then waits, with no await in between, so none is missed.
    """

    def __init__(self) -> None:
        self._event: anyio.Event | None = None

    def ring(self) -> None:
        """Wake all who wait now."""
        if self._event is not None:
            event, self._event = self._event, None
            event.set()

    async def wait(self) -> None:
        """Return at the next ring."""
        if self._event is None:
            self._event = anyio.Event()
        await self._event.wait()
